//! What is taken, and in which words the rest is refused.

use super::*;

/// A component that exports the contract's instances by name only, and imports these.
fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let imports: String = imports.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
    let exports: String = exports
        .iter()
        .enumerate()
        .map(|(index, name)| format!("(component $c{index}) (instance $i{index} (instantiate $c{index})) (export \"{name}\" (instance $i{index}))"))
        .collect();
    wat::parse_str(format!("(component {imports} (core module) {exports})")).expect("a component in text")
}

const POLICY: &str = "posthouse:policy/policy@0.1.0";
const ON_MESSAGE: &str = "posthouse:policy/on-message@0.1.0";

fn refusal(file: &[u8]) -> String {
    admit(file).expect_err("it is refused").to_string()
}

#[test]
fn a_component_of_the_contract_is_taken() {
    let admitted = admit(&component(&["posthouse:policy/log@0.1.0"], &[POLICY, ON_MESSAGE])).expect("it is taken");
    assert_eq!((admitted.hooks, admitted.was_module, admitted.modules), (vec!["on-message"], false, 1));
    assert_eq!(admitted.imports, ["posthouse:policy/log@0.1.0"]);
}

#[test]
fn imports_from_elsewhere_are_refused_by_name() {
    for (import, reason) in [
        ("wasi:io/poll@0.2.0", "it imports `wasi:io/poll@0.2.0`: a policy has no files, no network and no clock"),
        ("acme:tools/spy@1.0.0", "it imports `acme:tools/spy@1.0.0`: a policy may import posthouse:policy only"),
        ("posthouse:policy/spy@0.1.0", "it imports `posthouse:policy/spy@0.1.0`, which this relay does not know"),
        ("posthouse:policy/log@0.2.0", "another version of the contract: it speaks posthouse:policy@0.1.0"),
        ("posthouse:policy/log@0.1.9", "another version of the contract"),
    ] {
        let said = refusal(&component(&[import], &[POLICY, ON_MESSAGE]));
        assert!(said.contains(reason), "{import}: {said}");
    }
}

#[test]
fn a_policy_describes_itself_and_decides_something() {
    assert!(refusal(&component(&[], &[ON_MESSAGE])).contains("it does not export posthouse:policy/policy"));
    assert!(refusal(&component(&[], &[POLICY])).contains("it decides nothing"));
}

#[test]
fn what_is_no_webassembly_is_refused_whatever_it_is() {
    for file in [&b""[..], b"\0asm", b"#!/bin/sh\n", &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0], &[0xff; 64]] {
        assert!(!refusal(file).is_empty());
    }
    assert!(refusal(&vec![0; limits::COMPONENT + 1]).contains("at most 32768 KiB are taken"));
}

#[test]
fn no_beginning_of_a_component_is_taken_for_more_than_it_is() {
    let whole = component(&["posthouse:policy/log@0.1.0"], &[POLICY, ON_MESSAGE]);
    for length in 0..whole.len() {
        // What may be missing is a custom section at the end, which means nothing.
        if let Ok(admitted) = admit(&whole[..length]) {
            assert_eq!(admitted.hooks, ["on-message"], "{length} of {}", whole.len());
        }
    }
}

#[test]
fn a_core_module_without_component_types_is_told_what_it_lacks() {
    let module = wat::parse_str("(module (memory 1) (func (export \"f\")))").expect("a module in text");
    assert!(refusal(&module).contains("without the component types that wit-bindgen puts into it"));
}
