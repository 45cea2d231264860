//! How far an exchange with a provider had come when something happened.
//!
//! The same reply means different things at different stages, and what may be done next depends on
//! the stage alone: before MAIL everything is about the session, from MAIL on about the message.

use std::fmt;

use posthouse_smtp::client;

/// A stage of an exchange with a provider, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Finding and reaching the host, the TLS handshake of an implicit TLS port, the greeting.
    Connection,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS and its handshake.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA, until its 354.
    Data,
    /// The content and the reply to it.
    Content,
    /// A request over HTTP, which is all of it: credentials, message and answer.
    Request,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Connection,
        Self::Ehlo,
        Self::StartTls,
        Self::Auth,
        Self::MailFrom,
        Self::RcptTo,
        Self::Data,
        Self::Content,
        Self::Request,
    ];

    /// Its word, in the reply table and in metrics' labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::MailFrom => "mail",
            Self::RcptTo => "rcpt",
            Self::Data => "data",
            Self::Content => "content",
            Self::Request => "request",
        }
    }

    /// The stage as an operator says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::MailFrom => "MAIL FROM",
            Self::RcptTo => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "content",
            Self::Request => "request",
        }
    }

    /// Whether no message is concerned yet: what goes wrong here is never the message's fault.
    pub fn is_before_mail(self) -> bool {
        self < Self::MailFrom
    }
}

impl From<client::Stage> for Stage {
    fn from(stage: client::Stage) -> Self {
        match stage {
            client::Stage::Connection => Self::Connection,
            client::Stage::Ehlo => Self::Ehlo,
            client::Stage::StartTls => Self::StartTls,
            client::Stage::Auth => Self::Auth,
            client::Stage::MailFrom => Self::MailFrom,
            client::Stage::RcptTo => Self::RcptTo,
            client::Stage::Data => Self::Data,
            client::Stage::Content => Self::Content,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
