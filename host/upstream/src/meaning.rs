//! What a provider's reply can mean: a closed set of words, which the reply table maps replies to.
//!
//! What no row of the table explains is judged by its stage and severity, here. How a meaning is
//! answered and what becomes of the account is no part of this file, see `replies` and `verdict`.

use posthouse_smtp::reply::{Reply, Severity};

use crate::stage::Stage;

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

impl Meaning {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 19] = [
        Self::CredentialsRefused,
        Self::LoginDisabled,
        Self::TooManyLogins,
        Self::LoginUnavailable,
        Self::NotAuthenticated,
        Self::TooManySessions,
        Self::DailyQuota,
        Self::OrganisationQuota,
        Self::SenderNotAllowed,
        Self::Blocked,
        Self::MailboxFull,
        Self::UnusualRate,
        Self::ServerBusy,
        Self::TooManyRecipients,
        Self::Closing,
        Self::Unwelcome,
        Self::OutOfStep,
        Self::Deferred,
        Self::Refused,
    ];

    /// The meaning of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.word() == word)
    }

    /// Its word, in the reply table and in metrics' labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::CredentialsRefused => "credentials_refused",
            Self::LoginDisabled => "login_disabled",
            Self::TooManyLogins => "too_many_logins",
            Self::LoginUnavailable => "login_unavailable",
            Self::NotAuthenticated => "not_authenticated",
            Self::TooManySessions => "too_many_sessions",
            Self::DailyQuota => "daily_quota",
            Self::OrganisationQuota => "organisation_quota",
            Self::SenderNotAllowed => "sender_not_allowed",
            Self::Blocked => "blocked",
            Self::MailboxFull => "mailbox_full",
            Self::UnusualRate => "unusual_rate",
            Self::ServerBusy => "server_busy",
            Self::TooManyRecipients => "too_many_recipients",
            Self::Closing => "closing",
            Self::Unwelcome => "unwelcome",
            Self::OutOfStep => "out_of_step",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
        }
    }

    /// Whether a reply at this stage can have it.
    pub fn is_possible_at(self, stage: Stage) -> bool {
        match self {
            Self::CredentialsRefused | Self::LoginDisabled | Self::LoginUnavailable => {
                matches!(stage, Stage::Auth | Stage::Request)
            }
            Self::TooManyLogins => stage == Stage::Auth,
            Self::Unwelcome => stage.is_before_mail(),
            Self::TooManyRecipients => stage == Stage::RcptTo,
            Self::NotAuthenticated
            | Self::DailyQuota
            | Self::OrganisationQuota
            | Self::SenderNotAllowed
            | Self::Blocked
            | Self::MailboxFull
            | Self::OutOfStep
            | Self::Deferred
            | Self::Refused => !stage.is_before_mail(),
            Self::TooManySessions | Self::UnusualRate | Self::ServerBusy | Self::Closing => true,
        }
    }
}

const _: () = {
    let mut at = 0;
    while at < Meaning::ALL.len() {
        assert!(Meaning::ALL[at] as usize == at, "ALL is in the order of declaration");
        at += 1;
    }
    assert!(Meaning::Refused as usize + 1 == Meaning::ALL.len(), "ALL is all of them");
};

/// The meaning of a reply that no row explains.
pub(crate) fn unlisted(stage: Stage, reply: &Reply) -> Meaning {
    match (stage, reply.severity()) {
        (Stage::Request, _) => of_status(reply.code()),
        (Stage::Auth, Severity::Transient) => Meaning::LoginUnavailable,
        (Stage::Auth, Severity::Permanent) => Meaning::LoginDisabled,
        (stage, _) if stage.is_before_mail() => Meaning::Unwelcome,
        (_, Severity::Transient) => Meaning::Deferred,
        (_, Severity::Permanent) => Meaning::Refused,
        (_, Severity::Success | Severity::Intermediate) => Meaning::OutOfStep,
    }
}

/// The meaning of an HTTP status (RFC 9110 15) that no row explains: what a 4yz of SMTP is, is mostly a 5yz there.
fn of_status(status: u16) -> Meaning {
    match status {
        401 => Meaning::CredentialsRefused,
        408 | 425 | 429 | 500..=599 => Meaning::Deferred,
        400..=499 => Meaning::Refused,
        _ => Meaning::OutOfStep,
    }
}
