//! Scripts: their steps, and the steps that every hook has.

use std::hint::black_box;
use std::time::Duration;

use posthouse_policy::{Attempt, Envelope, Message, SettingsError, Verdict, counters, key_value, log};

use crate::echo;

/// How long what a script remembers lasts.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// All steps and how many words each needs at least.
const STEPS: [(&str, usize); 28] = [
    ("proceed", 0),
    ("reject", 2),
    ("defer", 2),
    ("done", 0),
    ("next-account", 0),
    ("if", 2),
    ("unless", 2),
    ("log", 2),
    ("count", 2),
    ("remember", 2),
    ("forget", 1),
    ("defer-until", 2),
    ("reject-after", 2),
    ("spin", 1),
    ("panic", 0),
    ("use-route", 1),
    ("use-accounts", 1),
    ("use-least-loaded", 0),
    ("add-header", 1),
    ("prepend-header", 1),
    ("replace-header", 1),
    ("remove-header", 1),
    ("set-sender", 1),
    ("set-recipient", 2),
    ("add-recipient", 1),
    ("carry", 1),
    ("echo", 1),
    ("log-echo", 1),
];

/// The steps of one hook: each a word and the rest of its text.
pub(crate) struct Script {
    steps: Vec<(String, String)>,
}

/// What a hook is about.
pub(crate) struct Subject<'call> {
    pub(crate) envelope: &'call Envelope,
    pub(crate) recipient: Option<&'call str>,
    pub(crate) message: Option<&'call Message>,
    pub(crate) attempt: Option<&'call Attempt>,
}

/// What a script comes to.
pub(crate) enum Answer {
    /// Its end, without a verdict.
    End,
    Verdict(Verdict),
    NextAccount,
}

impl Script {
    pub(crate) fn parse(key: &str, text: &str) -> Result<Script, SettingsError> {
        let steps = text.split(';').map(str::trim).filter(|step| !step.is_empty());
        let parted = steps.map(|step| step.split_once(' ').unwrap_or((step, "")));
        let checked = parted.map(|(step, rest)| match STEPS.iter().find(|(name, _)| *name == step) {
            Some((_, words)) if rest.split_whitespace().count() >= *words => Ok((step.to_owned(), rest.to_owned())),
            Some((_, words)) => Err(SettingsError::at(key, step, format_args!("needs {words} words"))),
            None => Err(SettingsError::at(key, step, "no such step")),
        });
        Ok(Script { steps: checked.collect::<Result<_, _>>()? })
    }

    /// Runs the steps until one of them ends the script; `others` gets those that not every hook has.
    pub(crate) fn run(&self, subject: &Subject, others: &mut dyn FnMut(&str, &str)) -> Answer {
        for (step, rest) in &self.steps {
            let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
            match step.as_str() {
                "proceed" | "done" => return Answer::End,
                "next-account" => return Answer::NextAccount,
                "reject" => return Answer::Verdict(Verdict::reject(first, second)),
                "defer" => return Answer::Verdict(Verdict::defer(first, second)),
                "defer-until" if calls(second) < i64::from(number(first)) => {
                    return Answer::Verdict(Verdict::defer("4.7.1", "not yet"));
                }
                "reject-after" if calls(second) > i64::from(number(first)) => {
                    return Answer::Verdict(Verdict::reject("5.7.1", "no more"));
                }
                "if" if !holds(subject, rest) => return Answer::End,
                "unless" if holds(subject, rest) => return Answer::End,
                "defer-until" | "reject-after" | "if" | "unless" => {}
                "log" => write(first, second),
                "log-echo" => log::info(format_args!("{rest}: {}", echo::value(subject, first, second))),
                "count" => counters::add(first, number(second).into()),
                "remember" => expect_room(key_value::set(first, second.as_bytes(), AN_HOUR)),
                "forget" => key_value::delete(first),
                "spin" => spin(number(first)),
                "panic" => panic!("{rest}"),
                step => others(step, rest),
            }
        }
        Answer::End
    }
}

/// A number in a script.
pub(crate) fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// How often this has been asked of a key, this time included.
pub(crate) fn calls(key: &str) -> i64 {
    key_value::add(key, 1, AN_HOUR).unwrap_or_else(|error| panic!("counting {key}: {error}"))
}

fn expect_room(written: Result<(), key_value::Error>) {
    written.unwrap_or_else(|error| panic!("remembering: {error}"));
}

/// Whether what an echo of the first word would say has the rest in it.
fn holds(subject: &Subject, condition: &str) -> bool {
    let (what, text) = condition.split_once(' ').expect("the parser has counted the words");
    let (what, argument) = what.split_once(':').unwrap_or((what, ""));
    echo::value(subject, what, argument).contains(text)
}

fn write(level: &str, text: &str) {
    match level {
        "debug" => log::debug(text),
        "info" => log::info(text),
        "warn" => log::warn(text),
        "error" => log::error(text),
        _ => panic!("{level:?} is no level"),
    }
}

/// Turns round a thousand times for each of these: work that the optimiser cannot see through.
fn spin(thousands: u32) {
    for turn in 0..u64::from(thousands) * 1000 {
        black_box(turn);
    }
}
