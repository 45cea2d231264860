//! What a file of cases says, and what it cannot say.

use super::super::document::Document;
use super::{Cases, Hook, Word};

const MESSAGE: &str = "[[cases]]\nname = \"one\"\nmessage = \"\"\"\nSubject: hi\n\nbody\n\"\"\"\n";

fn parsed(text: &str) -> Result<Cases, String> {
    Cases::parse(&Document { name: "cases.toml".to_owned(), text: text.to_owned() })
}

#[test]
fn a_case_says_little_and_has_the_rest_by_default() {
    let cases = parsed(&format!("{MESSAGE}[cases.expect]\nverdict = \"proceed\"\n")).unwrap();
    let case = cases.cases[0].get_ref();
    assert_eq!((case.hook, case.repeat, case.login.as_str()), (Hook::Message, 1, "app"));
    assert_eq!(case.message.as_deref(), Some("Subject: hi\n\nbody\n"));
    assert_eq!(case.expect.verdict, Some(Word::Proceed));
}

#[test]
fn the_clock_can_be_set() {
    let now = |text: &str| parsed(&format!("now = \"{text}\"\n{MESSAGE}")).map(|cases| cases.now);
    assert_eq!(parsed(MESSAGE).unwrap().now, now("2026-01-01T00:00:00Z").unwrap());
    assert_eq!(now("2024-02-29T12:30:00Z").unwrap(), 1_709_209_800_000);
    assert_eq!(now("1970-01-01T00:00:00Z").unwrap(), 0);
    assert!(now("yesterday").unwrap_err().contains("expected a moment"));
}

#[test]
fn a_wrong_key_is_told_with_its_line() {
    let error = parsed(&format!("{MESSAGE}[cases.expect]\nverdcit = \"proceed\"\n")).unwrap_err();
    assert!(error.starts_with("cases.toml:9: unknown field `verdcit`"), "{error}");
}

#[test]
fn a_case_has_what_its_hook_is_asked_about() {
    let error = parsed("[settings]\n\n[[cases]]\nname = \"one\"\nhook = \"recipient\"\n").unwrap_err();
    assert_eq!(error, "cases.toml:3: case \"one\": `recipient` is missing, which on-recipient asks about");
    let error = parsed(&format!("{MESSAGE}recipient = \"ann@example.org\"\n")).unwrap_err();
    assert_eq!(error, "cases.toml:1: case \"one\": on-message has no `recipient`; set `hook`");
}

#[test]
fn settings_are_texts_however_they_are_written() {
    let cases = parsed(&format!("[settings]\na = \"x\"\nb = 5\nc = true\n{MESSAGE}")).unwrap();
    let settings: Vec<_> = cases.settings.settings().into_values().collect();
    assert_eq!(settings, ["x", "5", "true"]);
    let error = parsed(&format!("[settings]\na = [\"x\"]\n{MESSAGE}")).err().unwrap();
    assert!(error.starts_with("cases.toml:2: ") && error.contains("a text, a whole number"), "{error}");
}

#[test]
fn limits_are_those_of_a_tenants_file() {
    let limits = |text: &str| parsed(&format!("[limits]\n{text}\n{MESSAGE}")).map(|cases| cases.limits.limits());
    assert_eq!(limits("cpu = \"20 ms\"\nmemory = \"64 MiB\"").unwrap().memory, 64 << 20);
    assert!(limits("cpu = \"20\"").unwrap_err().starts_with("cases.toml:2: \"20\": expected a duration"));
    assert!(limits("memory = \"1 GiB\"").unwrap_err().contains("from 128 KiB to 256 MiB"));
}
