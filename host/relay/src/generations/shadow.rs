//! A generation that runs beside the one that decides: it is asked about the same recipients and messages, and only the
//! differences between the two are kept. Nothing that it says is ever applied, and a copy of a message for it is made only
//! where there is content memory for it. Of the two, one that lacks a hook which the other one has lets everything pass.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use posthouse_mail::header::list_size;
use posthouse_policy::call::{Envelope, Mail};
use posthouse_policy::decided::{Decided, Verdict};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shadow;
use crate::admission::Held;
use crate::snapshot::Known;

/// Differences that are kept, the newest.
const KEPT: usize = 50;
/// Recipients and messages that are put to a shadow at a time; what is beyond it is not compared.
const AT_A_TIME: usize = 8;
/// A content beyond this is not copied for a shadow.
const LARGEST: usize = 256 * 1024;

/// What came of comparing so far.
#[derive(Debug)]
pub(crate) struct Comparison {
    counts: Mutex<Counts>,
    places: Arc<Semaphore>,
}

/// Messages and recipients by what came of comparing them, and the differences.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Messages.
    #[serde(flatten)]
    pub messages: Tallies,
    /// Recipients.
    pub recipients: Tallies,
    /// The newest differences.
    pub differences: VecDeque<Difference>,
}

/// What came of comparing, of one hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tallies {
    /// Both said the same.
    pub same: u64,
    /// They said something else.
    pub different: u64,
    /// The shadow failed.
    pub failed: u64,
    /// Not compared: too many at once, too large, or no content memory for a copy.
    pub skipped: u64,
}

/// One message or recipient on which the two differ. No address and no text of a message is in it.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The transaction.
    pub transaction: String,
    /// What was asked: `message`, or `recipient`.
    pub hook: &'static str,
    /// In what: `verdict`, `carrier`, `headers`, `sender`, `recipients`.
    pub in_what: Vec<&'static str>,
    /// What the one that decides answered.
    pub deciding: &'static str,
    /// What the shadow would have answered.
    pub shadow: String,
}

impl Default for Comparison {
    fn default() -> Self {
        Self { counts: Mutex::default(), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Comparison {
    /// What came of it so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A message that was put to the one that decides, kept for its shadow.
pub(crate) struct Asked {
    shadow: Shadow,
    known: Known,
    envelope: Envelope,
    question: Question,
    place: OwnedSemaphorePermit,
}

/// What is put to it.
enum Question {
    /// The message, and the content memory of the copy.
    Of(Mail, Held),
    /// Nothing: it has no answer of its own.
    None,
}

/// A recipient, likewise.
pub(crate) struct AskedAbout {
    shadow: Shadow,
    known: Known,
    envelope: Envelope,
    address: String,
    place: OwnedSemaphorePermit,
}

impl Shadow {
    /// Keeps a message, unless that would take too much; `held` is the content memory that it holds itself. To be called
    /// where one of the two decides on messages.
    pub(crate) fn listen(&self, known: &Known, envelope: &Envelope, mail: &Mail, held: &Held) -> Option<Asked> {
        let kept = self.place().and_then(|place| Some((self.question(mail, held)?, place)));
        let Some((question, place)) = kept else {
            self.comparison.count(|counts| counts.messages.skipped += 1);
            return None;
        };
        Some(Asked { shadow: self.clone(), known: known.clone(), envelope: envelope.clone(), question, place })
    }

    /// None where there is no room for a copy.
    fn question(&self, mail: &Mail, held: &Held) -> Option<Question> {
        if !self.decides_messages() {
            return Some(Question::None);
        }
        let size = mail.content.len();
        let held = (size <= LARGEST).then(|| held.beside(size + list_size(&mail.content))).flatten()?;
        Some(Question::Of(Mail::new(mail.content.clone(), mail.is_whole), held))
    }

    /// Keeps a recipient. To be called where one of the two decides on recipients.
    pub(crate) fn listen_about(&self, known: &Known, envelope: &Envelope, address: &str) -> Option<AskedAbout> {
        let Some(place) = self.place() else {
            self.comparison.count(|counts| counts.recipients.skipped += 1);
            return None;
        };
        let (envelope, address) = (envelope.clone(), address.to_owned());
        Some(AskedAbout { shadow: self.clone(), known: known.clone(), envelope, address, place })
    }

    /// Whether it is asked about recipients.
    pub(crate) fn decides_recipients(&self) -> bool {
        self.policy.policy.decides_recipients()
    }

    /// Whether it is asked about messages.
    pub(crate) fn decides_messages(&self) -> bool {
        self.policy.policy.decides_messages()
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.comparison.places).try_acquire_owned().ok()
    }
}

impl Asked {
    /// Puts the message to the shadow, in a task of its own: nobody waits for it.
    pub(crate) fn compare(self, decided: Option<Decided>) {
        let Self { shadow, known, envelope, question, place } = self;
        tokio::spawn(async move {
            let transaction = envelope.transaction.clone();
            let would = match question {
                Question::Of(mail, _held) => shadow.policy.would_decide(&known, envelope, mail).await,
                Question::None => Ok(Decided::nothing()),
            };
            drop(place);
            let decided = decided.as_ref().map(|decided| (decided, &decided.verdict));
            let would = would.as_ref().map(|would| (would, &would.verdict));
            let found = Found::of(decided, would, differences);
            shadow.comparison.count(|counts| counts.note((transaction, "message"), found));
        });
    }
}

impl AskedAbout {
    /// Puts the recipient to the shadow, likewise.
    pub(crate) fn compare(self, decided: Option<Verdict>) {
        let Self { shadow, known, envelope, address, place } = self;
        tokio::spawn(async move {
            let transaction = envelope.transaction.clone();
            let would = match shadow.decides_recipients() {
                true => shadow.policy.would_allow(&known, envelope, address).await,
                false => Ok(Verdict::Proceed),
            };
            drop(place);
            let decided = decided.as_ref().map(|decided| (decided, decided));
            let would = would.as_ref().map(|would| (would, would));
            let differs = |decided: &Verdict, would: &Verdict| if decided == would { vec![] } else { vec!["verdict"] };
            let found = Found::of(decided, would, differs);
            shadow.comparison.count(|counts| counts.note((transaction, "recipient"), found));
        });
    }
}

/// What came of one comparison.
enum Found {
    Same,
    Different { in_what: Vec<&'static str>, deciding: &'static str, shadow: String },
    Failed { deciding: &'static str, reason: String },
}

impl Found {
    /// Of what was decided, if it was, and what the shadow would have decided; each with its verdict.
    fn of<T>(
        decided: Option<(&T, &Verdict)>,
        would: Result<(&T, &Verdict), &String>,
        differences: impl FnOnce(&T, &T) -> Vec<&'static str>,
    ) -> Self {
        let deciding = decided.map_or("failed", |(_, verdict)| word(verdict));
        match (decided, would) {
            (_, Err(reason)) => Self::Failed { deciding, reason: reason.clone() },
            (None, Ok((_, would))) => {
                Self::Different { in_what: vec!["verdict"], deciding, shadow: word(would).into() }
            }
            (Some((decided, _)), Ok((would, verdict))) => match differences(decided, would) {
                none if none.is_empty() => Self::Same,
                in_what => Self::Different { in_what, deciding, shadow: word(verdict).into() },
            },
        }
    }
}

impl Counts {
    fn note(&mut self, (transaction, hook): (String, &'static str), found: Found) {
        let tallies = if hook == "recipient" { &mut self.recipients } else { &mut self.messages };
        let (in_what, deciding, shadow) = match found {
            Found::Same => {
                tallies.same += 1;
                return;
            }
            Found::Different { in_what, deciding, shadow } => {
                tallies.different += 1;
                (in_what, deciding, shadow)
            }
            Found::Failed { deciding, reason } => {
                tallies.failed += 1;
                (vec!["verdict"], deciding, format!("failed: {reason}"))
            }
        };
        if self.differences.len() == KEPT {
            self.differences.pop_front();
        }
        self.differences.push_back(Difference { transaction, hook, in_what, deciding, shadow });
    }
}

fn differences(one: &Decided, other: &Decided) -> Vec<&'static str> {
    if one.verdict != other.verdict {
        return vec!["verdict"];
    }
    if one.verdict != Verdict::Proceed {
        return Vec::new();
    }
    let (one, other) = (&one.instructions, &other.instructions);
    let differs = [
        ("carrier", one.choice != other.choice),
        ("headers", one.edits != other.edits),
        ("sender", one.sender != other.sender),
        ("recipients", one.replaced != other.replaced || one.added != other.added),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Proceed => "proceed",
        Verdict::Reject(_) => "reject",
        Verdict::Defer(_) => "defer",
    }
}
