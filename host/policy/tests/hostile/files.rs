//! Files that are no policies, or that harm whoever compiles or instantiates them.

use std::time::Duration;

use posthouse_policy::call::Report;
use posthouse_policy::engine::Mode;
use posthouse_policy::limits::{self, Limits};
use posthouse_policy::worker;
use tokio::time::Instant;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::grounds::{FORGER, Grounds, HOSTILE, ask, not_loaded, terms, usual};
use crate::realm::inquiry;

/// What becomes of a file: the reason why it is not loaded, or how its first message ended.
async fn fate_within(file: &[u8], limits: Limits) -> String {
    let grounds = Grounds::shared().await;
    let fate = match grounds.load(file, terms(&[], limits)).await {
        Err(error) => not_loaded(&error),
        Ok(policy) => ask(&policy, "message").await.end,
    };
    grounds.neighbour_is_well("a file").await;
    fate
}

async fn fate(file: &[u8]) -> String {
    fate_within(file, usual()).await
}

/// A policy of text: `more` stands in its module, `decide` in its hook. It needs nothing and proceeds.
pub(crate) fn module(pages: u32, more: &str, decide: &str) -> Vec<u8> {
    let text = format!(
        "(module
            (memory (export \"memory\") {pages})
            (data (i32.const 16) \"wat0.1.0\")
            (data (i32.const 32) \"\\10\\00\\00\\00\\03\\00\\00\\00\\13\\00\\00\\00\\05\\00\\00\\00\\00\")
            {more}
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            (func (export \"posthouse:policy/policy@0.1.0#describe\") (result i32) i32.const 32)
            (func (export \"posthouse:policy/policy@0.1.0#check-settings\") (result i32) i32.const 64)
            (func (export \"posthouse:policy/on-message@0.1.0#decide\") (param i32 i32 i32) (result i32)
                {decide} i32.const 64))"
    );
    let mut module = wat::parse_str(text).expect("the text is WebAssembly");
    let mut contract = Resolve::default();
    let (package, _) = contract.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).expect("wit/ is right");
    let world = contract.select_world(&[package], Some("message-policy")).expect("wit/ has this world");
    embed_component_metadata(&mut module, &contract, world, StringEncoding::UTF8).expect("it can be embedded");
    module
}

/// A component from outside: these imports, and what every policy exports.
fn component(imports: &str) -> Vec<u8> {
    let text = format!(
        "(component {imports} (core module) (instance $e)
            (export \"posthouse:policy/policy@0.1.0\" (instance $e))
            (export \"posthouse:policy/on-message@0.1.0\" (instance $e)))"
    );
    wat::parse_str(text).expect("the text is WebAssembly")
}

#[tokio::test]
async fn a_policy_of_text_is_a_policy() {
    assert_eq!(fate(&module(1, "", "")).await, "proceed");
}

#[tokio::test]
async fn a_piece_of_a_file_is_no_policy() {
    for whole in [HOSTILE, FORGER] {
        let step = whole.len() / 12;
        for length in (0..8).chain((8..whole.len() - 1).step_by(step)).chain([whole.len() - 1]) {
            assert_eq!(fate(&whole[..length]).await, "unfit:", "{length} octets");
        }
    }
}

#[tokio::test]
async fn octets_that_are_no_webassembly_are_no_policy() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut octet = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for length in [1, 100, 10_000, 100_000] {
        let garbage: Vec<u8> = (0..length).map(|_| octet()).collect();
        assert_eq!(fate(&garbage).await, "unfit:", "{length} octets");
        for magic in [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"] {
            assert_eq!(fate(&[&magic[..], &garbage].concat()).await, "unfit:", "{length} octets behind {magic:?}");
        }
    }
    assert_eq!(fate(b"#!/bin/sh\necho no\n").await, "unfit:");
    assert_eq!(fate(&vec![0; limits::COMPONENT + 1]).await, "unfit:");
}

/// Octets changed at random inside a real guest: whatever comes out, the host goes on.
#[tokio::test]
async fn a_damaged_file_harms_nobody() {
    for seed in 1..=24_usize {
        let mut damaged = FORGER.to_vec();
        for change in 1..=3 {
            let place = (seed * 7919 + change * 104_729) % damaged.len();
            damaged[place] ^= u8::try_from(1 + (seed * 31 + change) % 255).expect("it is below 256");
        }
        fate(&damaged).await;
    }
}

#[tokio::test]
async fn code_for_a_processor_is_never_taken() {
    let code = worker::compile(Mode::Fast, FORGER).expect("a guest can be compiled");
    assert_eq!(fate(&code).await, "unfit:");
}

#[tokio::test]
async fn a_component_imports_the_contract_and_nothing_else() {
    for import in [
        "wasi:cli/environment@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
        "evil:host/anything",
        "posthouse:policy/secrets@0.1.0",
        "posthouse:policy/log@0.2.0",
        "posthouse:policy/log@0.1.99",
        "posthouse:policy/log@1.0.0",
        "posthouse:policy/log",
    ] {
        let file = component(&format!("(import \"{import}\" (instance))"));
        assert_eq!(fate(&file).await, "unfit:", "{import}");
    }
    // A known import with a function that there is not, and of another type.
    for function in ["(export \"read-secret\" (func))", "(export \"write\" (func (param \"level\" string)))"] {
        let file = component(&format!("(import \"posthouse:policy/log@0.1.0\" (instance {function}))"));
        assert_eq!(fate(&file).await, "unfit:", "{function}");
    }
    assert_eq!(fate(&component("")).await, "unfit:", "exports with nothing in them");
}

#[tokio::test]
async fn what_runs_when_it_is_instantiated_is_metered_as_well() {
    let start = |body: &str| module(1, &format!("(func $s {body}) (start $s)"), "");
    assert_eq!(fate(&start("(loop br 0)")).await, "undescribed: cpu");
    assert_eq!(fate(&start("unreachable")).await, "undescribed: trap");
    assert_eq!(fate(&start("(call $s)")).await, "undescribed: stack");
    let grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    assert_eq!(fate(&start(grow)).await, "undescribed: memory");
}

#[tokio::test]
async fn memories_and_tables_are_few_and_small() {
    assert_eq!(fate(&module(65_536, "", "")).await, "unfit:", "4 GiB to begin with");
    assert_eq!(fate(&module(257, "", "")).await, "unfit:", "16 MiB and a page to begin with");
    assert_eq!(fate(&module(1, &"(memory 1)".repeat(3), "")).await, "proceed", "four memories");
    assert_eq!(fate(&module(1, &"(memory 1)".repeat(4), "")).await, "unfit:", "five memories");
    assert_eq!(fate(&module(1, &"(memory 64)".repeat(3), "")).await, "proceed", "12 MiB in four memories");
    let all = fate(&module(128, "(memory 128) (memory 128)", "")).await;
    assert_eq!(all, "undescribed: memory", "24 MiB in three memories");
    assert_eq!(fate(&module(1, &"(table 1 funcref)".repeat(100), "")).await, "unfit:", "a hundred tables");
    assert_eq!(fate(&module(1, "(table 4000000000 funcref)", "")).await, "unfit:", "32 GiB of table");
}

#[tokio::test]
async fn a_table_grows_so_far() {
    let table = "(table $t 1 funcref)";
    let grow = |by: u32, end: &str| {
        let grow = format!("(table.grow $t (ref.null func) (i32.const {by}))");
        module(1, table, &format!("(loop (br_if 0 (i32.ne {grow} (i32.const -1)))) {end}"))
    };
    assert_eq!(fate(&grow(1000, "")).await, "proceed");
    assert_eq!(fate(&grow(1000, "unreachable")).await, "trap");
    assert_eq!(fate(&grow(4_000_000_000, "")).await, "proceed");
}

/// One instruction that takes long is still one that ends.
#[tokio::test]
async fn a_long_instruction_is_counted() {
    let fill = "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 8388608)) br 0)";
    assert_eq!(fate(&module(128, "", fill)).await, "cpu");
}

/// The compiler may take long or give up; it is never the relay that does.
#[tokio::test]
async fn a_bomb_for_the_compiler_ends_in_the_worker() {
    let functions = "(func (param i32) (result i32) local.get 0 i32.const 7 i32.mul)".repeat(100_000);
    let table = format!("(func (param i32) (block (br_table {} (local.get 0))))", "0 ".repeat(65_000));
    let locals = format!("(func {})", "(local i64)".repeat(50_000));
    let blocks = format!("(func {} {})", "block ".repeat(20_000), "end ".repeat(20_000));
    for (name, bomb, expected) in [
        ("functions", &functions, &["proceed"][..]),
        ("br_table", &table, &["proceed", "unfit:"]),
        ("locals", &locals, &["proceed", "unfit:"]),
        ("blocks", &blocks, &["proceed", "unfit:"]),
    ] {
        let began = Instant::now();
        let fate = fate(&module(1, bomb, "")).await;
        assert!(expected.contains(&fate.as_str()), "{name}: {fate}");
        assert!(began.elapsed() < limits::COMPILE_TIME + Duration::from_secs(5), "{name}");
    }
}

#[tokio::test]
async fn components_nest_so_deep() {
    for depth in [9, 100, 5000] {
        let nested = (0..depth).fold(Vec::new(), |inner: Vec<u8>, _| {
            let mut length = Vec::new();
            let mut rest = inner.len();
            while rest >= 0x80 {
                length.push((rest & 0x7F).to_le_bytes()[0] | 0x80);
                rest >>= 7;
            }
            length.push(rest.to_le_bytes()[0]);
            let section = if inner.is_empty() { Vec::new() } else { [&[4][..], &length, &inner].concat() };
            [&b"\0asm\x0d\0\x01\0"[..], &section].concat()
        });
        assert_eq!(fate(&nested).await, "unfit:", "{depth} components");
    }
    let modules = "(core module)".repeat(65);
    assert_eq!(fate(&component(&modules)).await, "unfit:", "66 modules");
}

/// What is said at loading is of the file, also when its settings call is never reached.
#[tokio::test]
async fn a_policy_without_a_hook_is_not_asked_by_it() {
    let grounds = Grounds::shared().await;
    let policy = grounds.load(&module(1, "", ""), terms(&[], usual())).await.expect("it is taken");
    assert_eq!((policy.decides_recipients(), policy.hears_outcomes()), (false, false));
    let Report { result, .. } = policy.recipient(inquiry(), "ann@example.org".to_owned()).await;
    assert_eq!(result.map_err(|failure| failure.reason()), Err("instruction"));
}
