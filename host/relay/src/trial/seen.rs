//! What a call came to, in the words of a file of cases.

use std::collections::BTreeMap;
use std::fmt;

use posthouse_mail::header::HeaderBlock;
use posthouse_policy::call::Report;
use posthouse_policy::decided::{self, Choice, Decided, Reply, Verdict};
use posthouse_policy::limits;

use super::cases::{Case, Next, Word};
use super::question::{Answer, Question};

/// What came of one case. What a call does not come to is none.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) word: Option<Word>,
    pub(crate) reply: Option<Reply>,
    pub(crate) onward: Option<Onward>,
    pub(crate) next: Option<Next>,
    /// What the policy has against its settings; empty for nothing.
    pub(crate) settings: Option<String>,
    pub(crate) failure: Option<String>,
    /// What was added to counters.
    pub(crate) counters: BTreeMap<String, u64>,
    pub(crate) log: Vec<String>,
}

/// A message that goes on, with all instructions followed.
#[derive(Debug, Default)]
pub(crate) struct Onward {
    pub(crate) route: Option<String>,
    pub(crate) accounts: Vec<String>,
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    /// The fields of its header block: names, and bodies without folds.
    pub(crate) fields: Vec<(String, String)>,
    /// Fields under a DKIM signature that were changed.
    pub(crate) signed: Vec<String>,
}

impl Seen {
    pub(crate) fn of(case: &Case, question: &Question, report: &Report<Answer>) -> Self {
        let log = report.lines.iter().map(|line| line.text.clone()).collect();
        let seen = match &report.result {
            Err(failure) => Self { word: Some(Word::Failure), failure: Some(failure.to_string()), ..Self::default() },
            Ok(Answer::Recipient(verdict)) => Self::of_verdict(verdict),
            Ok(Answer::Message(decided)) => Self::of_decided(case, question, decided),
            Ok(Answer::Outcome(decided::Next::Done)) => Self { next: Some(Next::Done), ..Self::default() },
            Ok(Answer::Outcome(decided::Next::NextAccount)) => {
                Self { next: Some(Next::NextAccount), ..Self::default() }
            }
            Ok(Answer::Settings(taken)) => {
                let word = if taken.is_ok() { Word::Proceed } else { Word::Reject };
                let reason = taken.as_ref().err().cloned().unwrap_or_default();
                Self { word: Some(word), settings: Some(reason), ..Self::default() }
            }
        };
        Self { log, ..seen }
    }

    fn of_verdict(verdict: &Verdict) -> Self {
        let (word, reply) = match verdict {
            Verdict::Proceed => (Word::Proceed, None),
            Verdict::Reject(reply) => (Word::Reject, Some(reply.clone())),
            Verdict::Defer(reply) => (Word::Defer, Some(reply.clone())),
        };
        Self { word: Some(word), reply, ..Self::default() }
    }

    fn of_decided(case: &Case, question: &Question, decided: &Decided) -> Self {
        let onward = (decided.verdict == Verdict::Proceed).then(|| Onward::of(case, question, decided));
        Self { onward, ..Self::of_verdict(&decided.verdict) }
    }
}

impl Onward {
    fn of(case: &Case, question: &Question, decided: &Decided) -> Self {
        let instructions = &decided.instructions;
        let (route, accounts) = match &instructions.choice {
            Some(Choice::Route(name)) => (Some(name.clone()), Vec::new()),
            Some(Choice::Accounts(ids)) => (None, ids.clone()),
            None => (None, Vec::new()),
        };
        let mut all = case.recipients.clone();
        for (index, address) in &instructions.replaced {
            all[*index].clone_from(address);
        }
        all.extend(instructions.added.iter().cloned());
        // Nobody gets a message twice.
        let mut recipients = Vec::new();
        for recipient in all {
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        let fields = match question {
            Question::Message(mail) => fields(&instructions.edits.apply(&mail.content, &mail.block)),
            _ => Vec::new(),
        };
        let sender = instructions.sender.clone().unwrap_or_else(|| case.sender.clone());
        let signed = instructions.signed_fields_edited.clone();
        Self { route, accounts, sender, recipients, fields, signed }
    }
}

fn fields(header: &[u8]) -> Vec<(String, String)> {
    let block = HeaderBlock::parse(header);
    let name = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    block.fields().iter().map(|field| (name(field.name(header)), field.text(header).into_owned())).collect()
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proceed => "proceed",
            Self::Reject => "reject",
            Self::Defer => "defer",
            Self::Failure => "failure",
        })
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::NextAccount => "next-account",
        })
    }
}

impl fmt::Display for Seen {
    /// In one line, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = &self.failure {
            return write!(f, "failure: {failure}");
        }
        if let Some(next) = self.next {
            return write!(f, "{next}");
        }
        if let Some(reason) = &self.settings {
            return if reason.is_empty() { f.write_str("accepted") } else { write!(f, "refused: {reason}") };
        }
        if let Some(word) = self.word {
            write!(f, "{word}")?;
        }
        if let Some(Reply { code, enhanced, text }) = &self.reply {
            write!(f, " {code} {} {text:.limit$}", enhanced_text(*enhanced), limit = limits::REPLY_TEXT)?;
        }
        match &self.onward {
            Some(Onward { route: Some(route), .. }) => write!(f, ", route {route}"),
            Some(Onward { accounts, .. }) if !accounts.is_empty() => write!(f, ", accounts {}", accounts.join(", ")),
            _ => Ok(()),
        }
    }
}

/// `5.7.1`.
pub(crate) fn enhanced_text((class, subject, detail): (u8, u16, u16)) -> String {
    format!("{class}.{subject}.{detail}")
}
