//! `[policy]` of a tenant's file, and `[policies]` of the main file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use posthouse_policy::limits::{self, Limits};
use toml::de::DeValue;

use crate::config::defaults;
use crate::config::section::Section;
use crate::config::units;
use crate::config::value::Entry;
use crate::hex;

/// A tenant's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The component, or the core module; none where policies are only ever uploaded.
    pub file: Option<PathBuf>,
    /// Where the configuration names it, for whoever has to mend it.
    pub place: String,
    /// What becomes of a message that the policy cannot decide on.
    pub on_failure: OnFailure,
    /// What becomes of a decision that edits fields under a DKIM signature.
    pub signed_fields: SignedFields,
    /// What a call may take.
    pub limits: Limits,
    /// Octets of a message that are read for a policy that needs the body.
    pub body: usize,
    /// What the policy is given, by key.
    pub settings: BTreeMap<String, String>,
    /// Whether a policy that none of the signers has signed is refused.
    pub require_signature: bool,
    /// Who may sign.
    pub signers: Vec<Signer>,
}

/// Somebody whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Their name, in history and log.
    pub name: String,
    /// Their public key (Ed25519, RFC 8032).
    pub key: [u8; 32],
}

impl Policy {
    /// Whether a policy would be loaded on the same terms. Where it comes from, and where that is written, are none.
    pub fn has_terms_of(&self, other: &Self) -> bool {
        let terms = |policy: &Self| Self { file: None, place: String::new(), ..policy.clone() };
        terms(self) == terms(other)
    }
}

/// What becomes of a message whose policy fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The client keeps it: 451.
    Defer,
    /// The client gives up: 550.
    Reject,
    /// It goes on as if there were no policy.
    Pass,
}

/// What becomes of edits under a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedFields {
    /// They are made, and the log says so.
    Warn,
    /// The decision counts as failed.
    Refuse,
}

/// What holds for all policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// The program that compiles; none is this one.
    pub compile_worker: Option<PathBuf>,
}

/// The `[policies]` of the main file.
pub(super) fn read_policies(root: &Section<'_>) -> Policies {
    let Some(section) = root.section("policies") else { return Policies::default() };
    let policies = Policies { compile_worker: section.optional("compile_worker", Entry::path) };
    section.finish();
    policies
}

/// The `[policy]` of a tenant's file.
pub(super) fn read(root: &Section<'_>) -> Option<Policy> {
    let section = root.section("policy")?;
    let place = section.mark_of("file").place();
    let file = section.optional("file", policy_file);
    let words = [("defer", OnFailure::Defer), ("reject", OnFailure::Reject), ("pass", OnFailure::Pass)];
    let on_failure = section.or("on_failure", defaults::POLICY_ON_FAILURE, |entry| entry.word(&words));
    let words = [("warn", SignedFields::Warn), ("refuse", SignedFields::Refuse)];
    let signed_fields = section.or("signed_fields", defaults::POLICY_SIGNED_FIELDS, |entry| entry.word(&words));
    let limits = read_limits(&section);
    let body = section.or("body", defaults::POLICY_BODY, |entry| {
        entry.size(defaults::STREAM_THRESHOLD_LEAST..=defaults::STREAM_THRESHOLD_MOST)
    });
    let settings = section.or("settings", BTreeMap::new(), settings);
    let signers = signers(&section);
    let require_signature = section.or("require_signature", false, |entry| {
        let required = entry.boolean()?;
        if required && signers.is_empty() {
            entry.fault("nobody can sign: there are no `signers`").suggest("add [[policy.signers]]").error();
        }
        Some(required)
    });
    section.finish();
    let body = usize::try_from(body).unwrap_or(usize::MAX);
    Some(Policy { file, place, on_failure, signed_fields, limits, body, settings, require_signature, signers })
}

/// The `[[policy.signers]]`.
fn signers(section: &Section<'_>) -> Vec<Signer> {
    let mut signers = Vec::new();
    for section in section.sections("signers") {
        let name = section.required("name", "the signer's name", |entry| entry.name().map(str::to_owned));
        let key = section.required("key", "the signer's public key", public_key);
        section.finish();
        signers.extend(name.zip(key).map(|(name, key)| Signer { name, key }));
    }
    signers
}

fn public_key(entry: &Entry<'_>) -> Option<[u8; 32]> {
    let key = hex::octets(entry.text()?);
    if key.is_none() {
        entry.fault("expected 64 hexadecimal digits, as `posthouse policy keygen` shows them").error();
    }
    key
}

fn read_limits(section: &Section<'_>) -> Limits {
    let default = Limits::default();
    let least = Duration::from_millis(1);
    let memory = limits::MEMORY_LEAST as u64..=limits::MEMORY_MOST as u64;
    let cpu = section.or("cpu", default.cpu, |entry| entry.duration_within(least..=limits::CPU_MOST));
    let time = section.or("time", default.time.max(cpu), |entry| {
        let time = entry.duration_within(least..=limits::TIME_MOST)?;
        if time < cpu {
            entry.fault(format!("it is shorter than `cpu` ({})", units::duration_text(cpu))).error();
        }
        Some(time)
    });
    let memory = section.or("memory", default.memory as u64, |entry| entry.size(memory));
    let share = section.or("share", default.share, |entry| entry.number(1..=limits::SHARE_MOST));
    Limits { cpu, time, memory: usize::try_from(memory).unwrap_or(usize::MAX), share }
}

fn policy_file(entry: &Entry<'_>) -> Option<PathBuf> {
    let path = entry.path()?;
    entry.mark.source.findings.made_of(&path);
    if !path.is_file() {
        let reason = format!("there is no file {}", path.display());
        entry.fault(reason).suggest("build one with `posthouse policy build`").error();
    }
    Some(path)
}

/// Texts; numbers and truths are taken as they are written.
fn settings(entry: &Entry<'_>) -> Option<BTreeMap<String, String>> {
    let section = entry.section()?;
    let mut settings = BTreeMap::new();
    for (key, entry) in section.named() {
        let text = match entry.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            _ => {
                entry.fault("expected a text, a whole number, `true` or `false`").error();
                continue;
            }
        };
        settings.insert(key.to_owned(), text);
    }
    Some(settings)
}
