//! The format of a file of cases: what a policy is given, and what is expected of it.
//!
//! Data only. A key that nobody knows is a fault with its line, so that no expectation is ever skipped for
//! a slip of the keyboard.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use posthouse_policy::call;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use toml::Spanned;
use toml::value::{Datetime, Offset};

use super::document::{self, Document, LimitsTable, SettingsTable};
use super::realm::{AccountTable, RouteTable};
use crate::tenant::Sender;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cases {
    /// The clock's reading in the first case, in milliseconds since 1970.
    #[serde(default = "new_year", deserialize_with = "moment")]
    pub(crate) now: u64,
    /// What the login may put into MAIL FROM; none is anything.
    #[serde(default, deserialize_with = "document::senders")]
    pub(crate) senders: Option<Vec<Sender>>,
    /// The settings of all cases that have none of their own.
    #[serde(default)]
    pub(crate) settings: SettingsTable,
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    #[serde(default)]
    pub(crate) accounts: Vec<AccountTable>,
    #[serde(default)]
    pub(crate) routes: Vec<Spanned<RouteTable>>,
    #[serde(default)]
    pub(crate) cases: Vec<Spanned<Case>>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) hook: Hook,
    /// Settings of its own, instead of all others.
    pub(crate) settings: Option<SettingsTable>,
    #[serde(default = "login")]
    pub(crate) login: String,
    #[serde(default = "client")]
    pub(crate) client: IpAddr,
    #[serde(default = "helo")]
    pub(crate) helo: String,
    #[serde(default = "yes")]
    pub(crate) tls: bool,
    #[serde(default)]
    pub(crate) smtputf8: bool,
    pub(crate) declared_size: Option<u64>,
    #[serde(default)]
    pub(crate) sender: String,
    #[serde(default)]
    pub(crate) recipients: Vec<String>,
    /// The content, with any line ends.
    pub(crate) message: Option<String>,
    /// Whom `on-recipient` is asked about.
    pub(crate) recipient: Option<String>,
    /// What `on-outcome` is asked about.
    pub(crate) attempt: Option<Attempt>,
    /// What `on-message` is to have left.
    #[serde(default)]
    pub(crate) carried: String,
    /// How often it runs; the last result counts.
    #[serde(default = "once")]
    pub(crate) repeat: u32,
    /// How much later than the case before.
    #[serde(default, deserialize_with = "document::duration")]
    pub(crate) after: Duration,
    /// The number for choices by chance; without it each call has another.
    pub(crate) seed: Option<u64>,
    #[serde(default)]
    pub(crate) expect: Expected,
}

/// Which hook is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hook {
    #[default]
    Message,
    Recipient,
    Outcome,
    /// No hook: whether the policy takes its settings.
    Settings,
}

/// An attempt to deliver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    account: String,
    #[serde(default = "once")]
    number: u32,
    outcome: Outcome,
    code: u16,
    #[serde(default)]
    text: String,
    #[serde(default)]
    milliseconds: u64,
    #[serde(default)]
    can_go_on: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Accepted,
    Deferred,
    Refused,
    Unknown,
}

/// What is expected: only what is written down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) verdict: Option<Word>,
    pub(crate) code: Option<u16>,
    pub(crate) enhanced: Option<String>,
    /// A part of the reply's text.
    pub(crate) text: Option<String>,
    /// The route; empty for none.
    pub(crate) route: Option<String>,
    pub(crate) accounts: Option<Vec<String>>,
    /// The sender of the message that goes on.
    pub(crate) sender: Option<String>,
    /// Its recipients.
    pub(crate) recipients: Option<Vec<String>>,
    /// Fields that it has.
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    /// Names of fields that it does not have.
    #[serde(default)]
    pub(crate) no_headers: Vec<String>,
    pub(crate) next: Option<Next>,
    /// A part of what the policy has against its settings; empty for nothing.
    pub(crate) settings: Option<String>,
    /// What the case has added to counters.
    #[serde(default)]
    pub(crate) counters: BTreeMap<String, u64>,
    /// A part of a line in the log.
    pub(crate) log: Option<String>,
    /// A part of why the call failed.
    pub(crate) failure: Option<String>,
}

/// What a call came to. (For settings: taken or not.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    Proceed,
    Reject,
    Defer,
    Failure,
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Next {
    Done,
    NextAccount,
}

impl Cases {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&Document::read(path)?)
    }

    /// The cases of a text that came from `name`.
    pub(crate) fn of_text(name: &Path, text: &str) -> Result<Self, String> {
        Self::parse(&Document { name: name.display().to_string(), text: text.to_owned() })
    }

    /// The cases of a text, if each says what its hook is asked about.
    fn parse(document: &Document) -> Result<Self, String> {
        let cases: Self = document.parsed()?;
        if cases.cases.is_empty() {
            return Err(document.fault(None, "there is no case in it: begin one with [[cases]]"));
        }
        for route in &cases.routes {
            cases.check_route(route.get_ref()).map_err(|reason| document.fault(Some(route.span()), &reason))?;
        }
        for case in &cases.cases {
            case.get_ref().check().map_err(|reason| document.fault(Some(case.span()), &reason))?;
        }
        Ok(cases)
    }

    fn check_route(&self, route: &RouteTable) -> Result<(), String> {
        let is_known = |id: &&String| self.accounts.iter().any(|account| account.id == **id);
        match route.accounts.iter().find(|id| !is_known(id)) {
            Some(id) => Err(format!("route \"{}\": there is no account \"{id}\" in [[accounts]]", route.name)),
            None => Ok(()),
        }
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let Self { name, hook, message, recipient, attempt, .. } = self;
        let subjects = [
            ("message", Hook::Message, message.is_some()),
            ("recipient", Hook::Recipient, recipient.is_some()),
            ("attempt", Hook::Outcome, attempt.is_some()),
        ];
        for (key, of, is_there) in subjects {
            match (*hook == of, is_there) {
                (true, false) => {
                    return Err(format!("case \"{name}\": `{key}` is missing, which {} asks about", of.name()));
                }
                (false, true) => return Err(format!("case \"{name}\": {} has no `{key}`; set `hook`", hook.name())),
                _ => {}
            }
        }
        if self.repeat == 0 { Err(format!("case \"{name}\": `repeat` is 1 or more")) } else { Ok(()) }
    }
}

impl Hook {
    /// The hook as the contract calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Message => "on-message",
            Self::Recipient => "on-recipient",
            Self::Outcome => "on-outcome",
            Self::Settings => "check-settings",
        }
    }
}

impl Attempt {
    pub(crate) fn attempt(&self) -> call::Attempt {
        call::Attempt {
            number: self.number,
            account: self.account.clone(),
            outcome: match self.outcome {
                Outcome::Accepted => call::Outcome::Accepted,
                Outcome::Deferred => call::Outcome::Deferred,
                Outcome::Refused => call::Outcome::Refused,
                Outcome::Unknown => call::Outcome::Unknown,
            },
            code: self.code,
            text: self.text.clone(),
            took: Duration::from_millis(self.milliseconds),
            can_go_on: self.can_go_on,
        }
    }
}

/// 2026-01-01T00:00:00Z.
pub(crate) fn new_year() -> u64 {
    1_767_225_600_000
}

fn login() -> String {
    "app".to_owned()
}

fn client() -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 1).into()
}

fn helo() -> String {
    "client.example".to_owned()
}

fn yes() -> bool {
    true
}

fn once() -> u32 {
    1
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse::<Datetime>().ok().and_then(|datetime| milliseconds(&datetime));
    parsed.ok_or_else(|| D::Error::custom(format!("\"{text}\": expected a moment such as \"2026-01-01T00:00:00Z\"")))
}

/// Milliseconds since 1970 of a moment in UTC that is not before.
fn milliseconds(datetime: &Datetime) -> Option<u64> {
    let Datetime { date: Some(date), time: Some(time), offset: Some(Offset::Z) } = datetime else { return None };
    // Years are counted from March, so that the leap day is the last of its year.
    let (month, of_year) = (u64::from(date.month), u64::from(date.year));
    let (year, from_march) = if month > 2 { (of_year, month - 3) } else { (of_year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + u64::from(date.day) - 1;
    let days = days.checked_sub(719_468)?; // from 0000-03-01 to 1970-01-01
    let seconds = u64::from(time.hour) * 3600 + u64::from(time.minute) * 60 + u64::from(time.second.unwrap_or(0));
    let milliseconds = u64::from(time.nanosecond.unwrap_or(0)) / 1_000_000;
    Some((days * 86_400 + seconds) * 1000 + milliseconds)
}

#[cfg(test)]
mod tests;
