//! The certificates that clients and operators are shown: a person is told of one that ends, and of the one that took its
//! place.

use std::collections::{BTreeMap, BTreeSet};

use tracing::info;

use super::{News, Subject};
use crate::account::state::{Name, State};
use crate::snapshot::{ADMIN, Snapshot};
use crate::validity::Validity;

/// Listeners of whose certificates somebody was told that they end.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    told: BTreeSet<String>,
}

impl Certificates {
    /// What is to be told now. That one ends is in the log by its days.
    pub(super) fn news(&mut self, snapshot: &Snapshot, now: u64) -> Vec<News> {
        let mut shown = BTreeMap::<&str, Validity>::new();
        for (listener, validity) in snapshot.certificates() {
            // A listener may be called as the admin address is here: then the one counts that ends first.
            let first = shown.entry(listener).or_insert(validity);
            if validity.ends < first.ends {
                *first = validity;
            }
        }
        // What is shown no more does not end.
        self.told.retain(|listener| shown.contains_key(listener.as_str()));
        let mut news = Vec::new();
        for (listener, validity) in shown {
            match (validity.notice() <= now, self.told.contains(listener)) {
                (true, false) => {
                    self.told.insert(listener.to_owned());
                    news.push(ending(listener, validity, now));
                }
                (false, true) => {
                    self.told.remove(listener);
                    info!(listener, "the certificate is a new one");
                    news.push(renewed(listener, validity));
                }
                (true, true) | (false, false) => {}
            }
        }
        news
    }
}

fn ending(listener: &str, validity: Validity, now: u64) -> News {
    let (left, next) = (validity.left(now), "put a new one in its place");
    let state = State {
        name: Name::Expiring,
        reason: Some(format!("it {left}; {next}")),
        since: Some(validity.notice()),
        until: Some(validity.ends),
    };
    let text = format!("the certificate of {} {left}: {next}.", place(listener));
    News {
        subject: subject(listener),
        event: state.name.word(),
        before: Name::Ready,
        state,
        expires: Some(validity.ends),
        text,
    }
}

fn renewed(listener: &str, validity: Validity) -> News {
    let state = State { name: Name::Ready, reason: None, since: None, until: None };
    let text = format!("the certificate of {} is a new one.", place(listener));
    let (before, expires) = (Name::Expiring, Some(validity.ends));
    News { subject: subject(listener), event: "healed", before, state, expires, text }
}

fn subject(listener: &str) -> Subject {
    Subject::Certificate { listener: listener.to_owned() }
}

fn place(listener: &str) -> String {
    if listener == ADMIN { "the admin address".to_owned() } else { format!("listener {listener}") }
}
