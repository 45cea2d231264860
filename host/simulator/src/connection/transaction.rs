//! A message on its way in, and the limits that speak at its end.

use tokio::time::Instant;

use crate::account::{Attendance, Pace, Submission};
use crate::faults::Occasion;
use crate::gathered::Gathered;
use crate::limits::SendAs;
use crate::options::Keep;
use crate::provider::Refusal;
use crate::recipients::Fixed;

/// An open transaction.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) content: Gathered,
    /// From its first octet of content to its last reply.
    pub(super) submission: Option<Submission>,
    /// The first recipient with a fixed answer that was accepted.
    pub(super) fixed: Option<Fixed>,
    /// Whether octets of content have come.
    pub(super) has_begun: bool,
}

/// What the limits say of a whole message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    Now,
    At(Instant),
    Refused(Refusal),
}

impl Transaction {
    pub(super) fn new(sender: String, keep: Keep) -> Self {
        Self {
            sender,
            recipients: Vec::new(),
            content: Gathered::nothing(keep),
            submission: None,
            fixed: None,
            has_begun: false,
        }
    }

    pub(super) fn occasion<'a>(&'a self, mailbox: Option<&'a str>) -> Occasion<'a> {
        Occasion { mailbox, sender: Some(&self.sender), recipients: &self.recipients }
    }

    /// Whether the mailbox may send this message, and when. Where it may, it counts.
    pub(super) fn judge(&self, attendance: &Attendance, now: Instant) -> Judgement {
        let account = attendance.account();
        let (limits, violated) = (&account.limits, &account.violated);
        let over = |limit: Option<usize>, number: usize| limit.is_some_and(|limit| number > limit);
        // Of the connections that are too many, the last ones suffer.
        if over(limits.connections, attendance.rank.min(account.connections.now())) {
            violated.connections.add(1);
            return Judgement::Refused(Refusal::Concurrency);
        }
        if over(limits.submissions, self.submission.as_ref().map_or(0, |submission| submission.rank)) {
            violated.submissions.add(1);
            return Judgement::Refused(Refusal::Concurrency);
        }
        let is_own = self.sender.is_empty() || self.sender.eq_ignore_ascii_case(&account.mailbox.address);
        if limits.send_as == SendAs::OwnAddress && !is_own {
            violated.send_as.add(1);
            return Judgement::Refused(Refusal::SendAs);
        }
        if !account.admits_recipients(self.recipients.len() as u64, now) {
            violated.daily.add(1);
            return Judgement::Refused(Refusal::DailyRecipients);
        }
        match account.pace(now) {
            Pace::Now => Judgement::Now,
            Pace::At(time) => {
                violated.rate.add(1);
                Judgement::At(time)
            }
            Pace::Refused => {
                violated.rate.add(1);
                Judgement::Refused(Refusal::MessageRate)
            }
        }
    }
}
