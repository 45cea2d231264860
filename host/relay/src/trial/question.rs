//! A case as the question that a relay would ask, and its answer, whichever hook it is for.

use std::time::Duration;

use posthouse_policy::call::{Attempt, Envelope, Inquiry, Mail, Moment, Report};
use posthouse_policy::decided::{Decided, Next, Verdict};
use posthouse_policy::policy::Policy;

use super::cases::{Case, Hook};
use super::world::World;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question {
    Recipient(String),
    /// The message is lent to the policy and comes back.
    Message(Mail),
    Outcome(Attempt),
    Settings,
}

/// What is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Recipient(Verdict),
    Message(Box<Decided>),
    Outcome(Next),
    Settings(Result<(), String>),
}

impl Question {
    /// A case's. That the case has what its hook is asked about was checked when it was read.
    pub(crate) fn of(case: &Case) -> Self {
        match (case.hook, &case.attempt) {
            (Hook::Recipient, _) => Self::Recipient(case.recipient.clone().unwrap_or_default()),
            (Hook::Outcome, Some(attempt)) => Self::Outcome(attempt.attempt()),
            (Hook::Message, _) => Self::Message(mail(case.message.as_deref().unwrap_or_default())),
            (Hook::Settings | Hook::Outcome, _) => Self::Settings,
        }
    }

    pub(crate) async fn ask(&mut self, policy: &Policy, inquiry: Inquiry) -> Report<Answer> {
        match self {
            Self::Recipient(address) => map(policy.recipient(inquiry, address.clone()).await, Answer::Recipient),
            Self::Message(mail) => {
                let lent = std::mem::replace(mail, Mail::new(Vec::new(), true));
                let (report, back) = policy.message(inquiry, lent).await;
                *mail = back;
                map(report, |decided| Answer::Message(Box::new(decided)))
            }
            Self::Outcome(attempt) => map(policy.outcome(inquiry, attempt.clone()).await, Answer::Outcome),
            Self::Settings => map(policy.check_settings(inquiry).await, Answer::Settings),
        }
    }
}

/// Whether the policy exports a hook.
pub(crate) fn has_hook(policy: &Policy, hook: Hook) -> bool {
    match hook {
        Hook::Message => policy.decides_messages(),
        Hook::Recipient => policy.decides_recipients(),
        Hook::Outcome => policy.hears_outcomes(),
        Hook::Settings => true,
    }
}

/// A case's envelope, `later` than the world's clock and with this seed.
pub(crate) fn inquiry(case: &Case, world: &World, later: Duration, seed: u64) -> Inquiry {
    let began = world.moment;
    let milliseconds = u64::try_from(later.as_millis()).unwrap_or(u64::MAX);
    let unix_milliseconds = began.unix_milliseconds.saturating_add(milliseconds);
    let envelope = Envelope {
        transaction: "0123456789abcdef".to_owned(),
        client: case.client,
        helo: case.helo.clone(),
        is_encrypted: case.tls,
        login: case.login.clone(),
        sender: case.sender.clone(),
        recipients: case.recipients.clone(),
        declared_size: case.declared_size,
        smtputf8: case.smtputf8,
        carried: case.carried.clone().into_bytes(),
    };
    let moment = Moment { unix_milliseconds, seed, now: began.now + later };
    Inquiry { realm: std::sync::Arc::clone(&world.realm), envelope, moment }
}

/// A message with the line ends that it has on the wire.
pub(crate) fn mail(text: &str) -> Mail {
    Mail::new(text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes(), true)
}

fn map<T>(report: Report<T>, answer: impl FnOnce(T) -> Answer) -> Report<Answer> {
    Report { result: report.result.map(answer), cost: report.cost, lines: report.lines }
}
