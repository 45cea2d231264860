//! The client's reply to a provider's refusal, and what the refusal says of the account.

use posthouse_smtp::reply::{EnhancedCode, Reply, Severity};

use super::{AccountEffect, Verdict};
use crate::gate::{Cause, Closed};
use crate::meaning::Meaning;

/// The most of a provider's text that is quoted; longer ones are cut.
const QUOTED: usize = 1000;

pub(super) fn refused(meaning: Meaning, reply: &Reply) -> Verdict {
    match meaning {
        // Not 535: a client that queues would take it for its own login and return good mail.
        Meaning::CredentialsRefused => defer(454, (4, 7, 0), "account cannot log in", reply),
        Meaning::LoginDisabled => defer(454, (4, 7, 0), "account's login is switched off", reply),
        Meaning::TooManyLogins | Meaning::LoginUnavailable | Meaning::NotAuthenticated => {
            defer(451, (4, 7, 0), "provider deferred", reply)
        }
        Meaning::TooManySessions | Meaning::ServerBusy | Meaning::Closing => {
            defer(451, (4, 3, 2), "provider deferred", reply)
        }
        Meaning::DailyQuota => defer(452, (4, 5, 3), "account's daily quota is used up", reply),
        Meaning::OrganisationQuota => defer(451, (4, 7, 1), "organisation's daily quota is used up", reply),
        Meaning::SenderNotAllowed => refuse(550, (5, 7, 60), "account may not send as this sender", reply),
        Meaning::Blocked => refuse(550, (5, 7, 1), "account is blocked by the provider", reply),
        Meaning::MailboxFull => defer(452, (4, 2, 2), "account's mailbox is full", reply),
        Meaning::UnusualRate => defer(451, (4, 7, 1), "provider wants a pause", reply),
        Meaning::TooManyRecipients => defer(452, (4, 5, 3), "too many recipients at once", reply),
        Meaning::Unwelcome => defer(451, (4, 3, 0), "provider refuses the session", reply),
        Meaning::OutOfStep => defer(451, (4, 5, 0), "provider misunderstood", reply),
        Meaning::Deferred => Verdict::Defer { reply: passed_on("provider deferred", reply) },
        Meaning::Refused => Verdict::Refuse { reply: passed_on("provider refused", reply) },
    }
}

pub(super) fn reason(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::CredentialsRefused => "credentials_refused",
        Meaning::LoginDisabled => "login_disabled",
        Meaning::TooManyLogins => "too_many_logins",
        Meaning::LoginUnavailable => "login_unavailable",
        Meaning::NotAuthenticated => "not_authenticated",
        Meaning::TooManySessions => "too_many_sessions",
        Meaning::DailyQuota => "daily_quota",
        Meaning::OrganisationQuota => "organisation_quota",
        Meaning::SenderNotAllowed => "sender_not_allowed",
        Meaning::Blocked => "blocked",
        Meaning::MailboxFull => "mailbox_full",
        Meaning::UnusualRate => "unusual_rate",
        Meaning::ServerBusy => "server_busy",
        Meaning::TooManyRecipients => "too_many_recipients",
        Meaning::Closing => "closing",
        Meaning::Unwelcome => "unwelcome",
        Meaning::OutOfStep => "out_of_step",
        Meaning::Deferred => "deferred",
        Meaning::Refused => "refused",
    }
}

pub(super) fn account_effect(meaning: Meaning) -> AccountEffect {
    match meaning {
        Meaning::CredentialsRefused => AccountEffect::CredentialsRefused,
        Meaning::LoginDisabled => AccountEffect::LoginDisabled,
        Meaning::TooManyLogins => AccountEffect::LoginsThrottled,
        Meaning::TooManySessions => AccountEffect::TooManySessions,
        Meaning::DailyQuota => AccountEffect::OverQuota,
        Meaning::OrganisationQuota => AccountEffect::OrganisationOverQuota,
        Meaning::Blocked => AccountEffect::Blocked,
        Meaning::MailboxFull => AccountEffect::MailboxFull,
        Meaning::UnusualRate => AccountEffect::Suspended,
        Meaning::LoginUnavailable | Meaning::ServerBusy => AccountEffect::BackOff,
        Meaning::NotAuthenticated
        | Meaning::SenderNotAllowed
        | Meaning::TooManyRecipients
        | Meaning::Closing
        | Meaning::Unwelcome
        | Meaning::OutOfStep
        | Meaning::Deferred
        | Meaning::Refused => AccountEffect::None,
    }
}

pub(super) fn logins_paused(closed: &Closed) -> Verdict {
    match closed.cause {
        Cause::Throttled => defer(451, (4, 7, 0), "account's logins are paused", &closed.reply),
        Cause::Broken => defer(454, (4, 7, 0), "account cannot log in", &closed.reply),
    }
}

/// Nobody got the message, so that every recipient is deferred; those that the provider refused
/// are named by its words, and the rest gets through once they are gone.
pub(super) fn partly_refused(refused: &[(usize, Reply)]) -> Verdict {
    let words: Vec<String> = refused.iter().take(3).map(|(_, reply)| reply.to_string()).collect();
    let text = format!("provider refused {} of the recipients, nobody got it: {}", refused.len(), words.join(" / "));
    Verdict::Defer { reply: Reply::new(451, EnhancedCode::new(4, 5, 3), cut(text)) }
}

/// A reply as one line, cut where it is long.
pub(super) fn quoted(reply: &Reply) -> String {
    cut(reply.to_string())
}

fn defer(code: u16, (class, subject, detail): (u8, u16, u16), ours: &str, reply: &Reply) -> Verdict {
    let text = format!("{ours}: {}", quoted(reply));
    Verdict::Defer { reply: Reply::new(code, EnhancedCode::new(class, subject, detail), text) }
}

fn refuse(code: u16, (class, subject, detail): (u8, u16, u16), ours: &str, reply: &Reply) -> Verdict {
    let text = format!("{ours}: {}", quoted(reply));
    Verdict::Refuse { reply: Reply::new(code, EnhancedCode::new(class, subject, detail), text) }
}

/// The provider's own code and text, ours before it. A 421 is not passed on as such: for the
/// client it would mean that this relay closes the connection (RFC 5321 3.8).
fn passed_on(ours: &str, reply: &Reply) -> Reply {
    let class = if reply.severity() == Severity::Permanent { 5 } else { 4 };
    let enhanced = reply.enhanced().filter(|code| code.class == class).unwrap_or(EnhancedCode::new(class, 0, 0));
    let code = if reply.code() == 421 { 451 } else { reply.code() };
    Reply::new(code, enhanced, cut(format!("{ours}: {}", reply.text())))
}

fn cut(mut text: String) -> String {
    if text.len() > QUOTED {
        let end = (0..=QUOTED).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}
