//! What a provider's reply means for the message and for the account.
//!
//! One table, read from the top: the first row that fits decides. What no row explains is judged by
//! its stage and severity. Codes and enhanced codes come first; a fragment of text decides only
//! where the provider says different things with the same codes. What is done about a meaning is
//! no part of this file, see `verdict`.

use posthouse_smtp::reply::{EnhancedCode, Reply, Severity};

use crate::provider::ProviderKind;
use crate::stage::Stage;

mod table;

/// What a reply that is not a success means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The token or password is bad, expired, or not for this mailbox.
    CredentialsRefused,
    /// Somebody has switched this way of logging in off, or must confirm it first.
    LoginDisabled,
    /// Too many logins in too short a time.
    TooManyLogins,
    /// The provider cannot check credentials at the moment.
    LoginUnavailable,
    /// The session, once authenticated, is so no longer.
    NotAuthenticated,
    /// The mailbox has more submissions at a time than the provider allows.
    TooManySessions,
    /// The mailbox has used up its messages or recipients of a rolling day.
    DailyQuota,
    /// The organisation has used up its external recipients of a rolling day.
    OrganisationQuota,
    /// The mailbox may not send as this sender.
    SenderNotAllowed,
    /// Mailbox or organisation are blocked for what they sent.
    Blocked,
    /// The sending mailbox is full, so that the provider cannot keep the sent copy.
    MailboxFull,
    /// The provider sees an unusual rate of unwanted mail and wants a long pause.
    UnusualRate,
    /// The provider is busy or limits the rate.
    ServerBusy,
    /// The transaction holds as many recipients as the provider takes.
    TooManyRecipients,
    /// The provider ends the session, for no stated reason that a row knows.
    Closing,
    /// The provider does not welcome the session; no message was concerned.
    Unwelcome,
    /// The provider understood something else than what was meant: the dialogue is out of step.
    OutOfStep,
    /// About this message or recipient, and may pass.
    Deferred,
    /// About this message or recipient, and final.
    Refused,
}

/// The meaning of `reply`, which came at `stage` and is not a success.
pub fn classify(provider: ProviderKind, stage: Stage, reply: &Reply) -> Meaning {
    match table::ROWS.iter().find(|row| row.fits(provider, stage, reply)) {
        Some(row) => row.meaning,
        None => unlisted(stage, reply),
    }
}

fn unlisted(stage: Stage, reply: &Reply) -> Meaning {
    match (stage, reply.severity()) {
        (Stage::Auth, Severity::Transient) => Meaning::LoginUnavailable,
        (Stage::Auth, Severity::Permanent) => Meaning::LoginDisabled,
        (stage, _) if stage.is_before_mail() => Meaning::Unwelcome,
        (_, Severity::Transient) => Meaning::Deferred,
        (_, Severity::Permanent) => Meaning::Refused,
        (_, Severity::Success | Severity::Intermediate) => Meaning::OutOfStep,
    }
}

/// One row: it fits where everything that it names fits.
struct Row {
    provider: Option<ProviderKind>,
    stages: &'static [Stage],
    code: Option<u16>,
    enhanced: Enhanced,
    text: Text,
    meaning: Meaning,
}

/// What a row asks of the enhanced status code.
enum Enhanced {
    Any,
    Is(EnhancedCode),
    /// Class and subject, and the first and last detail.
    Between(u8, u16, u16, u16),
}

/// What a row asks of the text: one of these fragments, in lower case; none means any text.
struct Text(&'static [&'static str]);

impl Row {
    fn fits(&self, provider: ProviderKind, stage: Stage, reply: &Reply) -> bool {
        self.provider.is_none_or(|only| only == provider)
            && self.stages.contains(&stage)
            && self.code.is_none_or(|code| code == reply.code())
            && self.enhanced.fits(reply.enhanced())
            && self.text.fits(reply.text())
    }
}

impl Enhanced {
    fn fits(&self, code: Option<EnhancedCode>) -> bool {
        match (self, code) {
            (Self::Any, _) => true,
            (Self::Is(wanted), Some(code)) => *wanted == code,
            (Self::Between(class, subject, first, last), Some(code)) => {
                (*class, *subject) == (code.class, code.subject) && (*first..=*last).contains(&code.detail)
            }
            (Self::Is(_) | Self::Between(..), None) => false,
        }
    }
}

impl Text {
    fn fits(&self, text: &str) -> bool {
        let contains = |fragment: &&str| {
            text.as_bytes().windows(fragment.len()).any(|part| part.eq_ignore_ascii_case(fragment.as_bytes()))
        };
        self.0.is_empty() || self.0.iter().any(contains)
    }
}

#[cfg(test)]
mod tests;
