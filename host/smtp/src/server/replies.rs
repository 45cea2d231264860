//! What the session says by itself: every reply of a fixed text, in one place.

use crate::reply::{EnhancedCode, Reply};

/// Replies without parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Ok,
    SenderOk,
    RecipientOk,
    ChunkTaken,
    Reset,
    Bye,
    GoAheadTls,
    GoAheadContent,
    LoggedIn,
    LoginCancelled,
    LoginAgain,
    BadBase64,
    BadCredentials,
    NoSuchMechanism,
    NoAuthHere,
    EncryptFirst,
    LoginFirst,
    HelloFirst,
    MailFirst,
    RecipientFirst,
    NoValidRecipients,
    NestedMail,
    InTransaction,
    ChunksMixed,
    ChunkRefused,
    NotOffered,
    TooManyRecipients,
    TooBig,
    NeedsSmtpUtf8,
    BareCr,
    BareLf,
    LineTooLong,
    BareNewlineInCommand,
    BytesBehindStartTls,
    TooManyErrors,
    TooManyCommands,
    TooManyFailures,
    CannotVerify,
    WillNotExpand,
    Help,
}

impl Said {
    pub(super) fn reply(self) -> Reply {
        let (code, class, subject, detail, text) = match self {
            Self::Ok => (250, 2, 0, 0, "ok"),
            Self::SenderOk => (250, 2, 1, 0, "sender ok"),
            Self::RecipientOk => (250, 2, 1, 5, "recipient ok"),
            Self::ChunkTaken => (250, 2, 0, 0, "chunk taken"),
            Self::Reset => (250, 2, 0, 0, "flushed"),
            Self::Bye => (221, 2, 0, 0, "bye"),
            Self::GoAheadTls => (220, 2, 0, 0, "ready to start TLS"),
            Self::GoAheadContent => return Reply::new(354, None, "end with <CRLF>.<CRLF>"),
            Self::LoggedIn => (235, 2, 7, 0, "authentication succeeded"),
            Self::LoginCancelled => (501, 5, 7, 0, "authentication cancelled"),
            Self::LoginAgain => (503, 5, 5, 1, "already authenticated"),
            Self::BadBase64 => (501, 5, 5, 2, "cannot decode that as base64"),
            Self::BadCredentials => (501, 5, 5, 2, "that is no message of this mechanism"),
            Self::NoSuchMechanism => (504, 5, 5, 4, "mechanism not offered"),
            Self::NoAuthHere => (502, 5, 5, 1, "AUTH is not offered here"),
            Self::EncryptFirst => (538, 5, 7, 11, "encryption required for authentication"),
            Self::LoginFirst => (530, 5, 7, 0, "authentication required"),
            Self::HelloFirst => (503, 5, 5, 1, "say EHLO first"),
            Self::MailFirst => (503, 5, 5, 1, "MAIL first"),
            Self::RecipientFirst => (503, 5, 5, 1, "RCPT first"),
            Self::NoValidRecipients => (554, 5, 5, 1, "no valid recipients"),
            Self::NestedMail => (503, 5, 5, 1, "a transaction is open already"),
            Self::InTransaction => (503, 5, 5, 1, "not within a transaction"),
            Self::ChunksMixed => (503, 5, 5, 1, "only BDAT or RSET may follow BDAT"),
            Self::ChunkRefused => (503, 5, 5, 1, "an earlier chunk was refused; RSET first"),
            Self::NotOffered => (502, 5, 5, 1, "not offered here"),
            Self::TooManyRecipients => (452, 4, 5, 3, "too many recipients"),
            Self::TooBig => (552, 5, 3, 4, "message too big"),
            Self::NeedsSmtpUtf8 => (553, 5, 6, 7, "that address needs SMTPUTF8 at MAIL"),
            Self::BareCr => (550, 5, 6, 11, "bare CR in the message"),
            Self::BareLf => (550, 5, 6, 11, "bare LF in the message"),
            Self::LineTooLong => (500, 5, 5, 2, "line too long"),
            Self::BareNewlineInCommand => {
                (500, 5, 5, 2, "lines end with CRLF, neither CR nor LF stands alone; closing")
            }
            Self::BytesBehindStartTls => (554, 5, 5, 1, "nothing may follow STARTTLS before the handshake; closing"),
            Self::TooManyErrors => (421, 4, 7, 0, "too many errors; closing"),
            Self::TooManyCommands => (421, 4, 7, 0, "too many commands without a message; closing"),
            Self::TooManyFailures => (421, 4, 7, 0, "too many failed logins; closing"),
            Self::CannotVerify => (252, 2, 5, 2, "cannot verify, but will take mail for it"),
            Self::WillNotExpand => (502, 5, 5, 1, "no lists here"),
            Self::Help => (214, 2, 0, 0, "see RFC 5321"),
        };
        Reply::new(code, EnhancedCode::new(class, subject, detail), text)
    }
}
