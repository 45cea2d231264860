//! The session's error, said in words; no word of it is a secret.

use std::fmt;

use super::{Error, Stage};
use crate::reply_reader::ReplyError;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, reply, .. } => write!(f, "refused at {stage}: {reply}"),
            Self::TlsNotOffered => f.write_str("the server does not offer STARTTLS, which is demanded"),
            Self::MechanismNotOffered(mechanism) => write!(f, "the server does not offer AUTH {}", mechanism.name()),
            Self::Unwritable(what) => write!(f, "the {what} is empty or holds octets that cannot be sent"),
            Self::LoginTooLong => f.write_str("the login does not fit into a line of AUTH"),
            Self::Protocol(error) => write!(f, "the server sent {error}"),
            Self::StrayInput => f.write_str("the server said something that nobody asked for"),
            Self::BytesBehindStartTls => f.write_str("the server sent octets in the clear behind STARTTLS"),
            Self::UnexpectedReply { state, reply } => write!(f, "unexpected reply while {state}: {reply}"),
            Self::NotReady => f.write_str("the session is not ready for that"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ReplyError> for Error {
    fn from(error: ReplyError) -> Self {
        Self::Protocol(error)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "the greeting",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::MailFrom => "MAIL",
            Self::RcptTo => "RCPT",
            Self::Data => "DATA",
            Self::Content => "the content",
        })
    }
}
