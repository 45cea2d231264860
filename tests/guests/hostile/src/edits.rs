//! Harms to a decision: too much of everything, what breaks a message apart, and what belongs to others.

use posthouse_policy::bindings::posthouse::policy::decision::Decision;
use posthouse_policy::bindings::posthouse::policy::settings;

use crate::name_or;

const TEN_MEBIBYTES: usize = 10 * 1024 * 1024;
const MANY: usize = 100_000;

pub(crate) fn all(harm: &str, decision: &Decision) {
    too_much(harm, decision);
    broken(harm, decision);
    not_ours(harm, decision);
}

fn too_much(harm: &str, decision: &Decision) {
    match harm {
        "edits-bomb" => (0..MANY).for_each(|_| decision.add_header("X-Bomb", "tick")),
        "removals-bomb" => (0..MANY).for_each(|_| decision.remove_header("X-Bomb", None)),
        "edits-huge" => decision.add_header("X-Huge", &"v".repeat(TEN_MEBIBYTES)),
        "edits-huge-name" => decision.add_header(&"N".repeat(TEN_MEBIBYTES), "value"),
        "edits-large" => (0..64).for_each(|_| decision.add_header("X-Large", &"v ".repeat(32 * 1024))),
        "recipients-bomb" => (0..MANY).for_each(|count| decision.add_recipient(&format!("r{count}@example.org"))),
        "accounts-bomb" => decision.use_accounts(&vec!["gmail"; MANY]),
        "routes-bomb" => (0..MANY).for_each(|_| decision.use_route("bulk")),
        "carry-over-cap" => decision.carry(&[7; 4097]),
        "carry-huge" => decision.carry(&vec![7; TEN_MEBIBYTES]),
        _ => {}
    }
}

fn broken(harm: &str, decision: &Decision) {
    match harm {
        "header-value-crlf" => decision.add_header("X-Tag", "a\r\nBcc: victim@example.org"),
        "header-value-lf" => decision.add_header("X-Tag", "a\nBcc: victim@example.org"),
        "header-value-cr" => decision.add_header("X-Tag", "a\rb"),
        "header-value-fold" => decision.add_header("X-Tag", "a\r\n b"),
        "header-value-end" => decision.add_header("X-Tag", "a\r\n\r\nbody of another"),
        "header-value-nul" => decision.add_header("X-Tag", "a\0b"),
        "header-value-control" => decision.add_header("X-Tag", "a\u{8}\u{1b}b"),
        "header-value-8bit" => decision.add_header("X-Tag", "Grüße"),
        "header-value-long" => decision.add_header("X-Tag", &"v".repeat(2000)),
        "header-name-crlf" => decision.add_header("X-Tag: a\r\nBcc", "victim@example.org"),
        "header-name-8bit" => decision.add_header("X-Täg", "a"),
        "header-name-nul" => decision.add_header("X-T\0g", "a"),
        "header-name-empty" => decision.add_header("", "a"),
        "header-name-colon" => decision.add_header("X-Tag:", "a"),
        "header-name-space" => decision.add_header("X Tag", "a"),
        "replace-crlf" => decision.replace_header("Subject", None, "a\r\nBcc: victim@example.org"),
        "prepend-crlf" => decision.prepend_header("X-Tag", "a\r\nBcc: victim@example.org"),
        "remove-name-crlf" => decision.remove_header("X-Tag\r\n", None),
        "occurrence-beyond" => decision.replace_header("Subject", Some(u32::MAX), "a"),
        "sender-crlf" => decision.set_sender("app@acme.example>\r\nRCPT TO:<victim@example.org"),
        "sender-parameters" => decision.set_sender("app@acme.example> BODY=BINARYMIME <"),
        "sender-no-address" => decision.set_sender("no address"),
        "recipient-crlf" => decision.add_recipient("ann@example.org>\r\nRCPT TO:<victim@example.org"),
        "recipient-no-address" => decision.add_recipient("no address"),
        "recipient-empty" => decision.add_recipient(""),
        "recipient-8bit" => decision.add_recipient("änn@example.org"),
        "set-recipient-crlf" => decision.set_recipient(0, "a@example.org>\r\nDATA"),
        _ => {}
    }
}

fn not_ours(harm: &str, decision: &Decision) {
    match harm {
        "protected-header" => protected(decision, &name_or("Received")),
        "foreign-account" => decision.use_accounts(&[&name_or("another-tenants-account")]),
        "no-accounts" => decision.use_accounts(&[]),
        "unknown-route" => decision.use_route(&name_or("no-such-route")),
        "foreign-sender" => decision.set_sender(&name_or("ceo@other.example")),
        "bad-recipient-index" => decision.set_recipient(u32::MAX, "ann@example.org"),
        // What cannot be followed spoils what could be: all instructions or none.
        "good-and-bad" => {
            decision.add_header("X-Good", "kept?");
            decision.use_route(&name_or("no-such-route"));
        }
        _ => {}
    }
}

/// The edit that the setting `edit` names, of a field that is not the policy's to edit.
fn protected(decision: &Decision, name: &str) {
    match settings::get("edit").as_deref() {
        Some("prepend") => decision.prepend_header(name, "forged"),
        Some("replace") => decision.replace_header(name, None, "forged"),
        Some("remove") => decision.remove_header(name, None),
        _ => decision.add_header(name, "forged"),
    }
}
