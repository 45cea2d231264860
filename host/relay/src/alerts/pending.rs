//! Alerts that the webhook has not taken: one for each account and each certificate at most.
//!
//! A change that is undone before anybody heard of it is no news; one that is followed by another is told as one. So a
//! hundred accounts that flap are a hundred alerts at most, whatever the webhook does.

use std::collections::BTreeMap;

use super::{Alert, Subject};

/// Accounts and certificates that somebody can be told of at a time.
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Pending {
    alerts: BTreeMap<Subject, Alert>,
}

impl Pending {
    /// One more change. Says whether it was dropped, since too many wait.
    #[must_use]
    pub(super) fn add(&mut self, mut alert: Alert) -> bool {
        match self.alerts.get(&alert.subject) {
            Some(waiting) if waiting.before == alert.after => {
                self.alerts.remove(&alert.subject);
                return false;
            }
            Some(waiting) => alert.before = waiting.before,
            None if self.alerts.len() >= MOST => return true,
            None => {}
        }
        self.alerts.insert(alert.subject.clone(), alert);
        false
    }

    /// Those that are to be brought next, at most so many. They stay until they are [`Self::taken`].
    pub(super) fn next(&self, most: usize) -> Vec<Alert> {
        self.alerts.values().take(most).cloned().collect()
    }

    /// The webhook has had these. What has happened to their subjects since is still to be told, from there on.
    pub(super) fn taken(&mut self, had: &[Alert]) {
        for alert in had {
            match self.alerts.get_mut(&alert.subject) {
                Some(waiting) if waiting.id == alert.id => drop(self.alerts.remove(&alert.subject)),
                Some(waiting) => waiting.before = alert.after,
                None => {}
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }

    pub(super) fn clear(&mut self) {
        self.alerts.clear();
    }
}

#[cfg(test)]
mod tests;
