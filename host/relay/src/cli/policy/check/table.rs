//! The lines of `posthouse policy check`, and the limits that hold for every policy.

use posthouse_policy::limits;

use crate::cli::policy::numbers::octets;
use crate::cli::terminal::{Style, say, styled};

/// A limit that a tenant's file may change, and what was used of it.
pub(super) struct Use<'u> {
    pub(super) what: &'u str,
    /// The key under [policy].
    pub(super) key: &'u str,
    pub(super) limit: String,
    pub(super) used: String,
    /// The part of the limit that this is.
    pub(super) part: String,
    pub(super) by: &'u str,
}

impl Use<'_> {
    pub(super) fn show(&self) {
        let Self { what, key, limit, used, part, by } = self;
        let key = if key.is_empty() { String::new() } else { format!("`{key}`") };
        let by = styled(Style::Faint, by);
        say(&format!("  {what:<10} {limit:>9}  {key:<9} {used:>9}  {part:>5}  {by}"));
    }
}

pub(super) fn title(text: &str) {
    say("");
    say(&styled(Style::Strong, text));
}

pub(super) fn row(name: &str, text: &str) {
    say(&format!("  {name:<10} {text}"));
}

/// The limits that no file changes.
pub(super) fn bounds() {
    let (edits, edit_bytes) = (limits::EDITS, octets(limits::EDIT_BYTES));
    let (lines, log_bytes) = (limits::LOG_LINES, octets(limits::LOG_BYTES));
    let (read, reads) = (octets(limits::BODY_READ), octets(limits::BODY_READS));
    let (all, key, value) = (octets(limits::KEY_VALUE), octets(limits::KEY), octets(limits::VALUE));
    let days = limits::KEY_VALUE_LIFE.as_secs() / 86_400;
    let rows = [
        ("header", format!("{edits} edits of a message, {edit_bytes} together")),
        ("recipients", format!("{} added to a message", limits::ADDED_RECIPIENTS)),
        ("accounts", format!("{} in one choice", limits::CHOICE)),
        ("carried", format!("{} from on-message to on-outcome", octets(limits::CARRIED))),
        ("reply", format!("{} printable US-ASCII characters", limits::REPLY_TEXT)),
        ("log", format!("{lines} lines and {log_bytes} a call")),
        ("body", format!("{read} in one read, {reads} a call")),
        ("counters", format!("{} names of {} characters", limits::COUNTERS, limits::NAME)),
        ("key-value", format!("{all} in all, a key {key}, a value {value}, for {days} days")),
        ("host calls", format!("{} of arguments", octets(limits::HOST_CALL_BYTES))),
        ("stack", format!("{} of WebAssembly's own", octets(limits::WASM_STACK))),
        ("compiling", format!("{} s of processor time", limits::COMPILE_CPU.as_secs())),
    ];
    rows.iter().for_each(|(name, text)| row(name, text));
}
