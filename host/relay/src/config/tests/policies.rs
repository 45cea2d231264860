//! Policies: their files, limits and settings.

use std::path::Path;
use std::time::Duration;

use posthouse_policy::limits::Limits;

use super::fixture::{ACME, MAIN, config, errors, main_error, one, warnings};
use crate::config::policy::{OnFailure, Policy, SignedFields};

/// The tenant with a policy whose file is there.
fn acme(more: &str) -> String {
    format!("{ACME}\n[policy]\nfile = {:?}\n{more}\n", file())
}

/// A file that exists; what is in it is not the configuration's to say.
fn file() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").display().to_string()
}

fn policy(more: &str) -> Policy {
    config(MAIN, &acme(more)).tenants.remove(0).policy.expect("a policy")
}

/// The one error, without the place.
fn policy_error(more: &str) -> String {
    let fault = one(errors(MAIN, &acme(more)));
    fault.strip_prefix("tenants/acme.toml:24: ").unwrap_or(&fault).to_owned()
}

#[test]
fn a_tenant_needs_no_policy() {
    assert_eq!(config(MAIN, ACME).tenants[0].policy, None);
}

#[test]
fn a_policy_needs_its_file_only() {
    let policy = policy("");
    assert_eq!(policy.file, Some(file().into()));
    assert_eq!((policy.on_failure, policy.signed_fields), (OnFailure::Defer, SignedFields::Warn));
    assert_eq!((policy.limits, policy.body), (Limits::default(), 4 * 1024 * 1024));
    assert!(policy.settings.is_empty());
    assert_eq!(warnings(MAIN, &acme("")), Vec::<String>::new());
}

#[test]
fn a_policy_without_its_file_says_how_to_make_one() {
    assert_eq!(
        one(errors(MAIN, &format!("{ACME}[policy]\n"))),
        "posthouse.toml: state_directory: missing: the policies of tenant acme are uploaded (its [policy] has no `file`), \
         and kept there"
    );
    assert_eq!(
        one(errors(MAIN, &format!("{ACME}[policy]\nfile = \"no/such.wasm\"\n"))),
        "tenants/acme.toml:22: policy.file = \"no/such.wasm\": there is no file no/such.wasm; build one with `posthouse \
         policy build`"
    );
}

#[test]
fn what_a_policy_may_take_has_bounds() {
    for (written, fault) in [
        ("cpu = \"2 s\"", "policy.cpu = \"2 s\": expected from 1 ms to 1 s"),
        ("cpu = \"0 ms\"", "policy.cpu = \"0 ms\": expected from 1 ms to 1 s"),
        ("time = \"1 min\"", "policy.time = \"1 min\": expected from 1 ms to 10 s"),
        ("time = \"5 ms\"", "policy.time = \"5 ms\": it is shorter than `cpu` (10 ms)"),
        ("memory = \"64 KiB\"", "policy.memory = \"64 KiB\": expected from 128 KiB to 256 MiB"),
        ("memory = \"1 GiB\"", "policy.memory = \"1 GiB\": expected from 128 KiB to 256 MiB"),
        ("share = 0", "policy.share = 0: expected a whole number from 1 to 100"),
        ("share = 101", "policy.share = 101: expected a whole number from 1 to 100"),
        ("body = \"1 KiB\"", "policy.body = \"1 KiB\": expected from 64 KiB to 16 MiB"),
    ] {
        assert_eq!(policy_error(written), fault);
    }
}

#[test]
fn the_time_of_a_slow_policy_is_at_least_that_on_the_processor() {
    let limits = policy("cpu = \"1 s\"\nmemory = \"128 MiB\"\nshare = 100").limits;
    assert_eq!((limits.cpu, limits.time), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!((limits.memory, limits.share), (128 * 1024 * 1024, 100));
}

#[test]
fn a_policy_fails_in_one_of_a_few_ways() {
    assert_eq!(policy("on_failure = \"pass\"").on_failure, OnFailure::Pass);
    assert_eq!(policy("signed_fields = \"refuse\"").signed_fields, SignedFields::Refuse);
    assert_eq!(
        policy_error("on_failure = \"deffer\""),
        "policy.on_failure = \"deffer\": expected `defer`, `reject` or `pass`; did you mean `defer`?"
    );
}

#[test]
fn a_key_that_policies_do_not_have_is_an_error() {
    assert_eq!(policy_error("memroy = \"1 MiB\""), "policy.memroy: unknown key; did you mean `memory`?");
    assert_eq!(
        main_error("[policies]\ncompile_workers = \"posthouse\"\n"),
        "posthouse.toml:8: policies.compile_workers: unknown key; did you mean `compile_worker`?"
    );
}

#[test]
fn settings_reach_the_policy_as_texts() {
    let settings =
        policy("[policy.settings]\ndeny = \"a@b.test\"\nmost = 20\nstrict = true\n\"@x.test\" = \"gmail\"").settings;
    let texts: Vec<(&str, &str)> = settings.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(texts, [("@x.test", "gmail"), ("deny", "a@b.test"), ("most", "20"), ("strict", "true")]);
}

#[test]
fn settings_of_other_types_are_errors_that_name_the_key() {
    let expected = "expected a text, a whole number, `true` or `false`";
    for (value, shown) in [("1.5", " = 1.5"), ("[\"a\"]", ""), ("{ a = 1 }", ""), ("2026-01-01", "")] {
        let fault = one(errors(MAIN, &acme(&format!("[policy.settings]\nallow = {value}"))));
        let begins = format!("tenants/acme.toml:25: policy.settings.allow{shown}");
        assert!(fault.starts_with(&begins) && fault.ends_with(expected), "{fault}");
    }
}

#[test]
fn the_compile_worker_is_a_path() {
    let main = format!("{MAIN}[policies]\ncompile_worker = \"/usr/local/bin/posthouse\"\n");
    let worker = config(&main, ACME).policies.compile_worker;
    assert_eq!(worker.as_deref(), Some(Path::new("/usr/local/bin/posthouse")));
    assert_eq!(config(MAIN, ACME).policies.compile_worker, None);
}
