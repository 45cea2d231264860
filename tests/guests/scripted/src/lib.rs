//! A policy that does what its settings say: `recipient`, `message` and `outcome` each hold steps, parted by `;`.
//! It behaves; the one that does not is `hostile`. The steps are listed in tests/guests/README.md.
//!
//! A step that nobody knows, or that lacks a word, is refused by `check-settings`.

mod echo;
mod step;

use posthouse_policy::{
    Attempt, Decision, Envelope, Message, MessageHook, Next, OutcomeHook, Policy, RecipientHook, Settings,
    SettingsError, Verdict, accounts,
};
use step::{Answer, Script, Subject};

struct Scripted {
    recipient: Script,
    message: Script,
    outcome: Script,
}

impl Policy for Scripted {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        if let Some(refusal) = settings.get("refuse-settings") {
            return Err(SettingsError::new(refusal));
        }
        let script = |key: &str| Script::parse(key, &settings.text_or(key, ""));
        Ok(Scripted { recipient: script("recipient")?, message: script("message")?, outcome: script("outcome")? })
    }
}

impl RecipientHook for Scripted {
    fn on_recipient(&self, envelope: &Envelope, address: &str) -> Verdict {
        let subject = Subject { envelope, recipient: Some(address), message: None, attempt: None };
        verdict(self.recipient.run(&subject, &mut |step, _| panic!("{step}: not a step for a recipient")))
    }
}

impl MessageHook for Scripted {
    fn on_message(&self, envelope: &Envelope, message: &Message, decision: &Decision) -> Verdict {
        let subject = Subject { envelope, recipient: None, message: Some(message), attempt: None };
        verdict(self.message.run(&subject, &mut |step, rest| instruct(decision, &subject, step, rest)))
    }
}

impl OutcomeHook for Scripted {
    fn on_outcome(&self, envelope: &Envelope, attempt: &Attempt) -> Next {
        let subject = Subject { envelope, recipient: None, message: None, attempt: Some(attempt) };
        match self.outcome.run(&subject, &mut |step, _| panic!("{step}: not a step for an outcome")) {
            Answer::NextAccount => Next::NextAccount,
            _ => Next::Done,
        }
    }
}

fn verdict(answer: Answer) -> Verdict {
    match answer {
        Answer::Verdict(verdict) => verdict,
        Answer::End | Answer::NextAccount => Verdict::Proceed,
    }
}

/// The steps that only a message has: instructions for the relay.
fn instruct(decision: &Decision, subject: &Subject, step: &str, rest: &str) {
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, value) = rest.split_once(": ").unwrap_or((rest, ""));
    let (field, occurrence) = match name.split_once('#') {
        Some((field, occurrence)) => (field, Some(step::number(occurrence))),
        None => (name, None),
    };
    match (step, occurrence) {
        ("use-route", _) => decision.use_route(rest),
        ("use-accounts", _) => decision.use_accounts(&rest.split(',').map(str::trim).collect::<Vec<_>>()),
        ("use-least-loaded", _) => decision.use_accounts(&accounts::least_loaded()),
        ("add-header", _) => decision.add_header(name, value),
        ("prepend-header", _) => decision.prepend_header(name, value),
        ("replace-header", None) => decision.replace_header(field, value),
        ("replace-header", Some(at)) => decision.replace_header_at(field, at, value),
        ("remove-header", None) => decision.remove_header(field),
        ("remove-header", Some(at)) => decision.remove_header_at(field, at),
        ("set-sender", _) => decision.set_sender(rest),
        ("set-recipient", _) => decision.set_recipient(step::number(first), second),
        ("add-recipient", _) => decision.add_recipient(rest),
        ("carry", _) => decision.carry(rest.as_bytes()),
        ("echo", _) => decision.add_header(&format!("X-{first}"), &echo::value(subject, first, second)),
        _ => panic!("{step}: not a step for a message"),
    }
}

posthouse_policy::export!(Scripted: recipient, message, outcome);
