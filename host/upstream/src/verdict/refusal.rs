//! The client's reply to a provider's refusal, and what the refusal says of the account.

use posthouse_smtp::reply::{EnhancedCode, Reply, Severity};

use super::{AccountEffect, Clients, Verdict, verdict};
use crate::gate::Closed;
use crate::meaning::Meaning;
use crate::pool::lessons::Paused;
use crate::replies::{Answer, Reading};
use crate::stage::Stage;

/// The most of a provider's text that is quoted; longer ones are cut.
const QUOTED: usize = 1000;

/// What the reply table says. The provider's own words follow ours.
pub(super) fn refused(reading: &Reading, reply: &Reply, clients: Clients) -> Verdict {
    let (code, enhanced, text) = match reading.treatment.answer(clients) {
        Answer::Verbatim => return verdict(passed_on(reading, reply)),
        Answer::Own { code, enhanced, text } => (*code, *enhanced, text),
    };
    verdict(Reply::new(code, enhanced, format!("{text}: {}", quoted(reply))))
}

/// What the table says of the refusal after which the account is left alone. This message was not put to the
/// provider: clients that queue keep it, also where the one that was refused is lost.
pub(super) fn left_alone(paused: &Paused, clients: Clients) -> Verdict {
    let wait = paused.wait.as_secs().max(1);
    let (code, enhanced, text) = match paused.reading.treatment.answer(clients) {
        Answer::Own { code, enhanced, text } if *code < 500 || clients == Clients::Interactive => {
            (*code, *enhanced, text.as_str())
        }
        Answer::Own { text, .. } => (451, EnhancedCode::new(4, 7, 1), text.as_str()),
        Answer::Verbatim => (451, EnhancedCode::new(4, 7, 1), "account is left alone"),
    };
    verdict(Reply::new(code, enhanced, format!("{text}, tried again in {wait} s: {}", quoted(&paused.reply))))
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

/// What the table says of the refusal after which nobody logs in for a while.
pub(super) fn logins_paused(closed: &Closed, clients: Clients) -> Verdict {
    refused(&closed.reading, &closed.reply, clients)
}

/// Nobody got the message, so that every recipient is deferred; those that the provider refused
/// are named by its words, and the rest gets through once they are gone. Who does not send again
/// hears a 5yz where all of them were refused for good.
pub(super) fn partly_refused(refused: &[(usize, Reply)], clients: Clients) -> Verdict {
    let words: Vec<String> = refused.iter().take(3).map(|(_, reply)| reply.to_string()).collect();
    let text = format!("provider refused {} of the recipients, nobody got it: {}", refused.len(), words.join(" / "));
    let is_lasting = refused.iter().all(|(_, reply)| reply.severity() == Severity::Permanent);
    let (code, enhanced) = match clients {
        Clients::Interactive if is_lasting => (550, EnhancedCode::new(5, 1, 0)),
        Clients::Queueing | Clients::Interactive => (451, EnhancedCode::new(4, 5, 3)),
    };
    verdict(Reply::new(code, enhanced, cut(text)))
}

/// A reply as one line, cut where it is long.
pub(super) fn quoted(reply: &Reply) -> String {
    cut(reply.to_string())
}

/// The provider's own code and text, ours before it. A 421 is not passed on as such: for the
/// client it would mean that this relay closes the connection (RFC 5321 3.8). Nor is an HTTP status: it is no reply code.
fn passed_on(reading: &Reading, reply: &Reply) -> Reply {
    if reading.stage == Stage::Request {
        return match reading.meaning {
            Meaning::Refused | Meaning::SenderNotAllowed | Meaning::Blocked => {
                Reply::new(554, EnhancedCode::new(5, 0, 0), cut(format!("provider refused: {reply}")))
            }
            _ => Reply::new(451, EnhancedCode::new(4, 0, 0), cut(format!("provider deferred: {reply}"))),
        };
    }
    let (class, ours) =
        if reply.severity() == Severity::Permanent { (5, "provider refused") } else { (4, "provider deferred") };
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
