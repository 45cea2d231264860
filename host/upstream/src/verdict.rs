//! What a client is told of a delivery, and what becomes of the account: the one place where
//! outcomes become replies.
//!
//! Refusals are answered as the reply table says, all else as stands here. Invariants: a 2yz is said
//! only of what the provider took with a 2yz; the connection's fault is never answered 5yz, and the
//! account's to clients that queue only where the table says so; our own words come first and the
//! provider's are quoted after them.

use std::borrow::Cow;

use posthouse_smtp::reply::{EnhancedCode, Reply};

use crate::deliver::Delivered;
use crate::error::{Error, Need};
use crate::gate::Cause;
use crate::login::LoginError;

pub(crate) mod elsewhere;
mod refusal;

/// The end of a delivery, with the reply that the client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The provider has taken the message: 250.
    Delivered {
        /// The client's reply.
        reply: Reply,
    },
    /// Not now; the client keeps the message: 4yz.
    Defer {
        /// The client's reply.
        reply: Reply,
    },
    /// Never; the client gives up: 5yz.
    Refuse {
        /// The client's reply.
        reply: Reply,
    },
}

impl Verdict {
    /// The client's reply.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Delivered { reply } | Self::Defer { reply } | Self::Refuse { reply } => reply,
        }
    }

    /// The client's reply, taken out.
    pub fn into_reply(self) -> Reply {
        match self {
            Self::Delivered { reply } | Self::Defer { reply } | Self::Refuse { reply } => reply,
        }
    }
}

/// What the clients of a listener do with a 4yz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clients {
    /// They keep the message and send it again, as mail servers do.
    Queueing,
    /// They show it to somebody, or drop the message, as devices do. They hear 5yz where nothing
    /// changes before a person acts or the day is over.
    Interactive,
}

/// What an outcome says of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountEffect {
    /// Nothing.
    None,
    /// The provider refuses its credentials.
    CredentialsRefused,
    /// Its way of logging in is switched off at the provider.
    LoginDisabled,
    /// Its grant has ended; a person must consent anew.
    NeedsConsent,
    /// It logs in too often.
    LoginsThrottled,
    /// It has more sessions than the provider allows.
    TooManySessions,
    /// Its quota of a rolling day is used up.
    OverQuota,
    /// Its organisation's quota of a rolling day is used up.
    OrganisationOverQuota,
    /// The provider has blocked it for what was sent; a person must look at it.
    Blocked,
    /// Its mailbox is full.
    MailboxFull,
    /// The provider sees unwanted mail and wants a pause of half an hour or more.
    Suspended,
    /// The provider is busy: fewer or slower for a while.
    BackOff,
}

impl Error {
    /// What the client is told.
    pub fn verdict(&self, clients: Clients) -> Verdict {
        match self {
            Self::Busy { .. } => defer(451, EnhancedCode::new(4, 3, 2), "all sessions of the account are busy"),
            Self::NoLogin(error) => no_login(error, clients),
            Self::LoginsPaused(closed) => refusal::logins_paused(closed, clients),
            Self::LeftAlone(paused) => refusal::left_alone(paused, clients),
            Self::Unreachable { .. } => defer(451, EnhancedCode::new(4, 4, 1), "provider cannot be reached"),
            Self::Insecure { .. } => defer(451, EnhancedCode::new(4, 7, 5), "no trustworthy TLS with the provider"),
            Self::ConnectionLost { .. } => defer(451, EnhancedCode::new(4, 4, 2), "connection to the provider lost"),
            Self::TimedOut { .. } => defer(451, EnhancedCode::new(4, 4, 2), "provider did not answer in time"),
            Self::Protocol { .. } => defer(451, EnhancedCode::new(4, 5, 0), "provider broke the protocol"),
            Self::Refused { reading, reply, .. } => refusal::refused(reading, reply, clients),
            Self::PartlyRefused { refused } => refusal::partly_refused(refused, clients),
            // For every client: a 5yz would say that nobody has it, which is more than anybody knows.
            Self::Ambiguous { .. } => {
                defer(451, EnhancedCode::new(4, 4, 2), "provider's answer to the message was lost, it may be delivered")
            }
            Self::NotOffered(Need::SmtpUtf8) => refuse(550, EnhancedCode::new(5, 6, 7), "provider has no SMTPUTF8"),
            Self::NotOffered(Need::Size { limit, .. }) => {
                let text = format!("message too big for the provider, which takes {limit} octets");
                refuse(552, EnhancedCode::new(5, 3, 4), text)
            }
            Self::NotTheInterface { .. } => defer(451, EnhancedCode::new(4, 5, 0), "provider broke the protocol"),
            // RFC 3463 3.7: about the content, and not well said by another code.
            Self::HeaderUnfit(unfit) => {
                refuse(554, EnhancedCode::new(5, 6, 0), format!("provider takes recipients from the header: {unfit}"))
            }
            Self::Abandoned => defer(451, EnhancedCode::new(4, 4, 2), "content ended before its end"),
            Self::ContentStalled(_) => defer(451, EnhancedCode::new(4, 4, 2), "content came too slowly"),
        }
    }

    /// Whether the provider took exception to the rate of messages. Before MAIL it knows of sessions only.
    pub fn asks_for_a_lower_rate(&self) -> bool {
        let about_load = matches!(self.account_effect(), AccountEffect::BackOff | AccountEffect::Suspended);
        about_load && matches!(self, Self::Refused { stage, .. } if !stage.is_before_mail())
    }

    /// Whether the message may have been delivered all the same.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous { .. })
    }

    /// A short name of the outcome; there are few of them, fit for a metric's label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::NoLogin(_) => "no_login",
            Self::LoginsPaused(_) => "logins_paused",
            Self::Unreachable { .. } => "unreachable",
            Self::Insecure { .. } => "insecure",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::TimedOut { .. } => "timed_out",
            Self::Protocol { .. } => "protocol",
            Self::LeftAlone(_) => "left_alone",
            Self::Refused { reading, .. } => reading.meaning.word(),
            Self::PartlyRefused { .. } => "partly_refused",
            Self::Ambiguous { .. } => "ambiguous",
            Self::NotOffered(_) => "not_offered",
            Self::NotTheInterface { .. } => "not_the_interface",
            Self::HeaderUnfit(_) => "header_unfit",
            Self::Abandoned => "abandoned",
            Self::ContentStalled(_) => "content_stalled",
        }
    }

    /// What the outcome says of the account.
    pub fn account_effect(&self) -> AccountEffect {
        match self {
            Self::NoLogin(LoginError::NeedsConsent(_)) => AccountEffect::NeedsConsent,
            Self::LoginsPaused(closed) => match closed.cause {
                Cause::Throttled => AccountEffect::LoginsThrottled,
                Cause::Broken => AccountEffect::CredentialsRefused,
            },
            Self::LeftAlone(paused) => refusal::account_effect(paused.reading.meaning),
            Self::Refused { reading, .. } => refusal::account_effect(reading.meaning),
            Self::NoLogin(LoginError::Unavailable(_) | LoginError::NothingNewer)
            | Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::Insecure { .. }
            | Self::ConnectionLost { .. }
            | Self::TimedOut { .. }
            | Self::Protocol { .. }
            | Self::PartlyRefused { .. }
            | Self::Ambiguous { .. }
            | Self::NotOffered(_)
            | Self::NotTheInterface { .. }
            | Self::HeaderUnfit(_)
            | Self::Abandoned
            | Self::ContentStalled(_) => AccountEffect::None,
        }
    }
}

impl Delivered {
    /// What the client is told: our 250, with the provider's words.
    pub fn verdict(&self) -> Verdict {
        let text = format!("delivered: {}", refusal::quoted(&self.reply));
        Verdict::Delivered { reply: Reply::new(250, EnhancedCode::new(2, 0, 0), text) }
    }
}

/// A grant that has ended wants a person; what cannot be had at the moment comes back.
fn no_login(error: &LoginError, clients: Clients) -> Verdict {
    let text = "the account cannot log in at its provider";
    match (error, clients) {
        (LoginError::NeedsConsent(_) | LoginError::NothingNewer, Clients::Interactive) => {
            refuse(550, EnhancedCode::new(5, 7, 0), text)
        }
        (LoginError::Unavailable(_), Clients::Interactive) | (_, Clients::Queueing) => {
            defer(454, EnhancedCode::new(4, 7, 0), text)
        }
    }
}

/// The verdict that a reply of 4yz or 5yz is.
fn verdict(reply: Reply) -> Verdict {
    if reply.code() >= 500 { Verdict::Refuse { reply } } else { Verdict::Defer { reply } }
}

fn defer(code: u16, enhanced: EnhancedCode, text: &'static str) -> Verdict {
    Verdict::Defer { reply: Reply::new(code, enhanced, text) }
}

fn refuse(code: u16, enhanced: EnhancedCode, text: impl Into<Cow<'static, str>>) -> Verdict {
    Verdict::Refuse { reply: Reply::new(code, enhanced, text) }
}

#[cfg(test)]
mod tests;
