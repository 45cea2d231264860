//! The two providers that are imitated, and the words in which each answers.
//!
//! Texts are those that clients report from the real ones (the relay's table of replies is written
//! against these). Nothing here decides when a reply is given.

use posthouse_smtp::reply::{EnhancedCode, Reply};
use posthouse_smtp::sasl::{Mechanism, Mechanisms};

/// A provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// smtp.gmail.com and Google's token endpoint.
    Gmail,
    /// smtp.office365.com and Microsoft's token endpoint.
    Outlook,
}

/// What a provider takes mail by, and what a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Submission.
    Smtp,
    /// Its interface over HTTP: Microsoft Graph, the Gmail API.
    Api,
}

/// A refusal that belongs to a limit or to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The login is wrong.
    BadCredentials,
    /// An administrator has switched SMTP off for the mailbox.
    Disabled,
    /// Too many logins in too short a time.
    LoginRate,
    /// Too many connections or submissions at a time.
    Concurrency,
    /// Too many messages in a minute.
    MessageRate,
    /// Too many recipients in a day.
    DailyRecipients,
    /// Too many recipients of one message.
    RecipientsPerMessage,
    /// Too many messages on one connection.
    MessagesPerConnection,
    /// Another sender than the mailbox.
    SendAs,
    /// Nothing was heard for too long.
    Idle,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Gmail, Self::Outlook];

    /// The name that its certificate is for.
    pub const fn hostname(self) -> &'static str {
        match self {
            Self::Gmail => "smtp.gmail.test",
            Self::Outlook => "smtp.office365.test",
        }
    }

    /// The name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gmail => "gmail",
            Self::Outlook => "outlook",
        }
    }

    /// The scope that a token for SMTP has.
    pub const fn scope(self) -> &'static str {
        self.scope_of(Service::Smtp)
    }

    /// The scope that a token for this service has.
    pub const fn scope_of(self, service: Service) -> &'static str {
        match (self, service) {
            (Self::Gmail, Service::Smtp) => "https://mail.google.com/",
            (Self::Gmail, Service::Api) => "https://www.googleapis.com/auth/gmail.send",
            (Self::Outlook, Service::Smtp) => "https://outlook.office.com/SMTP.Send",
            (Self::Outlook, Service::Api) => "https://graph.microsoft.com/Mail.Send",
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Gmail => 0,
            Self::Outlook => 1,
        }
    }

    pub(crate) const fn greeting(self) -> &'static str {
        match self {
            Self::Gmail => "ESMTP posthouse-simulator - gsmtp",
            Self::Outlook => "Microsoft ESMTP MAIL Service ready (posthouse-simulator)",
        }
    }

    pub(crate) fn mechanisms(self) -> Mechanisms {
        match self {
            Self::Gmail => Mechanisms::of(&Mechanism::ALL),
            Self::Outlook => Mechanisms::of(&[Mechanism::Login, Mechanism::XOAuth2]),
        }
    }

    /// Gmail explains a refused token before it refuses it; Outlook does not.
    pub(crate) fn bearer_challenge(self) -> Option<String> {
        match self {
            Self::Gmail => Some(r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#.to_owned()),
            Self::Outlook => None,
        }
    }

    /// The EHLO lines in the order in which the real one was observed to write them.
    ///
    /// DSN, BINARYMIME and the mechanisms PLAIN-CLIENTTOKEN and XOAUTH are shown and not spoken: their parameters are
    /// answered with 555, the mechanisms with 504.
    pub(crate) const fn ehlo_lines(self) -> &'static [EhloLine] {
        match self {
            Self::Gmail => &[
                EhloLine::Size,
                EhloLine::Text("8BITMIME"),
                EhloLine::StartTls,
                EhloLine::Auth("AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"),
                EhloLine::Text("ENHANCEDSTATUSCODES"),
                EhloLine::Pipelining,
                EhloLine::Chunking,
                EhloLine::Text("SMTPUTF8"),
            ],
            Self::Outlook => &[
                EhloLine::Size,
                EhloLine::Pipelining,
                EhloLine::Text("DSN"),
                EhloLine::Text("ENHANCEDSTATUSCODES"),
                EhloLine::StartTls,
                EhloLine::Auth("AUTH LOGIN XOAUTH2"),
                EhloLine::Text("8BITMIME"),
                EhloLine::Text("BINARYMIME"),
                EhloLine::Chunking,
                EhloLine::Text("SMTPUTF8"),
            ],
        }
    }

    /// The reply to content that was taken.
    pub(crate) fn taken(self, number: u64) -> Reply {
        let text = match self {
            Self::Gmail => format!("OK {number:012x} - gsmtp"),
            Self::Outlook => format!("OK <{number:012x}@posthouse-simulator.test> [Hostname=SIMULATOR]"),
        };
        Reply::new(250, EnhancedCode::new(2, 0, 0), text)
    }

    /// The words of a refusal.
    pub fn refusal(self, refusal: Refusal) -> Reply {
        match self {
            Self::Gmail => gmail(refusal),
            Self::Outlook => outlook(refusal),
        }
    }
}

/// A line of the reply to EHLO.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EhloLine {
    /// Always there.
    Text(&'static str),
    /// SIZE and the limit.
    Size,
    /// As long as the channel is not encrypted.
    StartTls,
    /// Where AUTH is allowed.
    Auth(&'static str),
    /// Unless it is switched off.
    Pipelining,
    /// Unless it is switched off.
    Chunking,
}

fn reply(code: u16, enhanced: (u8, u16, u16), text: &'static str) -> Reply {
    Reply::new(code, EnhancedCode::new(enhanced.0, enhanced.1, enhanced.2), text)
}

fn gmail(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::BadCredentials => reply(
            535,
            (5, 7, 8),
            "Username and Password not accepted. For more information, go to\n \
             https://support.google.com/mail/?p=BadCredentials - gsmtp",
        ),
        Refusal::Disabled => {
            reply(535, (5, 7, 8), "Username and Password not accepted. SMTP is off for this account - gsmtp")
        }
        Refusal::LoginRate => reply(454, (4, 7, 0), "Too many login attempts, please try again later. - gsmtp"),
        Refusal::Concurrency => reply(421, (4, 7, 0), "Try again later, closing connection. (AUTH) - gsmtp"),
        Refusal::MessageRate => reply(421, (4, 7, 28), "unusual rate of mail; temporarily rate limited - gsmtp"),
        Refusal::DailyRecipients => reply(550, (5, 4, 5), "Daily user sending limit exceeded. - gsmtp"),
        Refusal::RecipientsPerMessage => reply(452, (4, 5, 3), "Your message has too many recipients. - gsmtp"),
        Refusal::MessagesPerConnection => reply(421, (4, 7, 0), "Try again later, closing connection. (MAIL) - gsmtp"),
        Refusal::SendAs => reply(550, (5, 7, 1), "Not authorised to send as this address - gsmtp"),
        Refusal::Idle => reply(421, (4, 4, 2), "Timeout - closing connection. - gsmtp"),
    }
}

fn outlook(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::BadCredentials => reply(535, (5, 7, 3), "Authentication unsuccessful [SIMULATOR]"),
        Refusal::Disabled => reply(
            535,
            (5, 7, 139),
            "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. [SIMULATOR]",
        ),
        Refusal::LoginRate => {
            reply(454, (4, 7, 0), "Temporary authentication failure, too many login attempts [SIMULATOR]")
        }
        Refusal::Concurrency => reply(
            432,
            (4, 3, 2),
            "STOREDRV.ClientSubmit; sender thread limit exceeded; Concurrent connections limit exceeded [SIMULATOR]",
        ),
        Refusal::MessageRate => reply(451, (4, 7, 500), "Server busy. Too many messages in a minute [SIMULATOR]"),
        Refusal::DailyRecipients => reply(
            554,
            (5, 2, 0),
            "STOREDRV.Submission.Exception:SubmissionQuotaExceededException; the sender's submission quota was exceeded",
        ),
        Refusal::RecipientsPerMessage => reply(452, (4, 5, 3), "Too many recipients [SIMULATOR]"),
        Refusal::MessagesPerConnection => {
            reply(421, (4, 4, 2), "Connection dropped due to too many messages [SIMULATOR]")
        }
        Refusal::SendAs => reply(
            554,
            (5, 2, 252),
            "SendAsDenied; the mailbox is not allowed to send as this address; \
             STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        ),
        Refusal::Idle => reply(421, (4, 4, 1), "Connection timed out [SIMULATOR]"),
    }
}
