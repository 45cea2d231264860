//! A generation that runs beside the one that decides: it is asked about the same messages, and only the differences
//! between the two are kept. Nothing that it says is ever applied.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use posthouse_policy::call::{Envelope, Mail};
use posthouse_policy::decided::{Decided, Verdict};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::Shadow;
use crate::snapshot::Known;

/// Differences that are kept, the newest.
const KEPT: usize = 50;
/// Messages that are put to shadows at a time; a message beyond it is not compared.
const AT_A_TIME: usize = 8;
/// A content beyond this is not copied for a shadow.
const LARGEST: usize = 256 * 1024;

/// What came of comparing so far.
#[derive(Debug)]
pub(crate) struct Comparison {
    counts: Mutex<Counts>,
    places: Arc<Semaphore>,
}

/// Messages by what came of comparing them, and the differences.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Both said the same.
    pub same: u64,
    /// They said something else.
    pub different: u64,
    /// The shadow failed.
    pub failed: u64,
    /// Not compared: too many at once, or too large.
    pub skipped: u64,
    /// The newest differences.
    pub differences: VecDeque<Difference>,
}

/// One message on which the two differ. No address and no text of a message is in it.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The transaction.
    pub transaction: String,
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

/// A question that was put to the one that decides, kept for its shadow.
pub(crate) struct Asked {
    shadow: Shadow,
    known: Known,
    envelope: Envelope,
    mail: Mail,
}

impl Shadow {
    /// Keeps the question, unless that would take too much.
    pub(crate) fn listen(&self, known: &Known, envelope: &Envelope, mail: &Mail) -> Option<Asked> {
        if !self.policy.policy.decides_messages() {
            return None;
        }
        if mail.content.len() > LARGEST {
            self.comparison.count(|counts| counts.skipped += 1);
            return None;
        }
        let mail = Mail::new(mail.content.clone(), mail.is_whole);
        Some(Asked { shadow: self.clone(), known: known.clone(), envelope: envelope.clone(), mail })
    }
}

impl Asked {
    /// Puts the question to the shadow, in a task of its own: nobody waits for it.
    pub(crate) fn compare(self, decided: Option<Decided>) {
        let Self { shadow, known, envelope, mail } = self;
        let Ok(place) = Arc::clone(&shadow.comparison.places).try_acquire_owned() else {
            return shadow.comparison.count(|counts| counts.skipped += 1);
        };
        tokio::spawn(async move {
            let transaction = envelope.transaction.clone();
            let would = shadow.policy.would_decide(&known, envelope, mail).await;
            shadow.comparison.count(|counts| counts.note(transaction, decided.as_ref(), would.as_ref()));
            drop(place);
        });
    }
}

impl Counts {
    fn note(&mut self, transaction: String, decided: Option<&Decided>, would: Result<&Decided, &String>) {
        let (in_what, shadow) = match (decided, would) {
            (Some(decided), Ok(would)) => {
                let in_what = differences(decided, would);
                if in_what.is_empty() {
                    self.same += 1;
                    return;
                }
                self.different += 1;
                (in_what, word(&would.verdict).to_owned())
            }
            (None, Ok(would)) => {
                self.different += 1;
                (vec!["verdict"], word(&would.verdict).to_owned())
            }
            (_, Err(reason)) => {
                self.failed += 1;
                (vec!["verdict"], format!("failed: {reason}"))
            }
        };
        let deciding = decided.map_or("failed", |decided| word(&decided.verdict));
        if self.differences.len() == KEPT {
            self.differences.pop_front();
        }
        self.differences.push_back(Difference { transaction, in_what, deciding, shadow });
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
