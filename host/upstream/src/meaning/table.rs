//! The rows: what Gmail and Microsoft 365 are known to answer, and what custom says of the rest.
//! Data only. A row that needs a reason has it beside it.

use posthouse_smtp::reply::EnhancedCode;

use super::{Enhanced, Meaning, Row, Text};
use crate::provider::ProviderKind::{self, Gmail, Outlook};
use crate::stage::Stage::{self, Auth, Connection, Content, Data, Ehlo, MailFrom, RcptTo, StartTls};

const ANYWHERE: &[Stage] = &[Connection, Ehlo, StartTls, Auth, MailFrom, RcptTo, Data, Content];
const BEFORE_MAIL: &[Stage] = &[Connection, Ehlo, StartTls, Auth];
const FROM_MAIL: &[Stage] = &[MailFrom, RcptTo, Data, Content];
const AT_AUTH: &[Stage] = &[Auth];
const AT_MAIL_OR_CONTENT: &[Stage] = &[MailFrom, Data, Content];
const AT_CONTENT: &[Stage] = &[Data, Content];
const AT_RCPT: &[Stage] = &[RcptTo];

pub(super) const ROWS: &[Row] = &[
    // Logging in. Before the plain 535: Microsoft says a switch with the code of a bad password.
    row(Outlook, AT_AUTH, 535, is(5, 7, 139), Meaning::LoginDisabled),
    row(Outlook, AT_AUTH, 535, ANY, Meaning::LoginDisabled).saying(&[
        "smtpclientauthentication is disabled",
        "basic authentication is disabled",
        "security defaults",
    ]),
    anyone(AT_AUTH, 535, ANY, Meaning::CredentialsRefused),
    row(Outlook, AT_AUTH, 501, is(5, 5, 127), Meaning::CredentialsRefused),
    row(Outlook, AT_AUTH, 501, is(5, 5, 124), Meaning::CredentialsRefused),
    anyone(AT_AUTH, 454, ANY, Meaning::TooManyLogins).saying(&["too many login"]),
    anyone(AT_AUTH, 454, ANY, Meaning::LoginUnavailable),
    anyone(FROM_MAIL, 530, ANY, Meaning::NotAuthenticated),
    row(Outlook, FROM_MAIL, ANY_CODE, is(5, 7, 57), Meaning::NotAuthenticated),
    // Concurrency. The thread limit comes after the content, with codes that others use as well.
    row(Outlook, ANYWHERE, 432, ANY, Meaning::TooManySessions),
    anyone(ANYWHERE, ANY_CODE, ANY, Meaning::TooManySessions)
        .saying(&["concurrent connections limit exceeded", "sender thread limit exceeded"]),
    // Quotas of a rolling day: 5yz at the provider, but not the message's fault.
    row(Outlook, FROM_MAIL, ANY_CODE, ANY, Meaning::DailyQuota).saying(&["submissionquotaexceeded"]),
    row(Outlook, FROM_MAIL, 550, is(5, 1, 90), Meaning::DailyQuota),
    row(Outlook, FROM_MAIL, 550, is(5, 1, 92), Meaning::DailyQuota),
    row(Gmail, FROM_MAIL, 550, is(5, 4, 5), Meaning::DailyQuota),
    row(Outlook, FROM_MAIL, 550, Enhanced::Between(5, 7, 232, 233), Meaning::OrganisationQuota),
    // Senders and standing.
    row(Outlook, FROM_MAIL, ANY_CODE, ANY, Meaning::SenderNotAllowed).saying(&["sendasdenied"]),
    row(Outlook, FROM_MAIL, 554, is(5, 2, 252), Meaning::SenderNotAllowed),
    row(Outlook, FROM_MAIL, 550, is(5, 7, 60), Meaning::SenderNotAllowed),
    row(Outlook, FROM_MAIL, ANY_CODE, ANY, Meaning::Blocked).saying(&["outboundspamexception"]),
    row(Outlook, FROM_MAIL, 550, is(5, 1, 8), Meaning::Blocked),
    row(Outlook, FROM_MAIL, ANY_CODE, is(5, 7, 705), Meaning::Blocked),
    row(Outlook, FROM_MAIL, ANY_CODE, is(5, 7, 708), Meaning::Blocked),
    // At RCPT the same code would be about the recipient's mailbox.
    row(Outlook, AT_MAIL_OR_CONTENT, 554, is(5, 2, 2), Meaning::MailboxFull),
    // Load.
    row(Gmail, ANYWHERE, 421, is(4, 7, 28), Meaning::UnusualRate),
    row(Gmail, AT_CONTENT, 450, is(4, 7, 28), Meaning::UnusualRate),
    row(Outlook, ANYWHERE, 451, Enhanced::Between(4, 7, 500, 699), Meaning::ServerBusy),
    anyone(ANYWHERE, 421, is(4, 3, 2), Meaning::ServerBusy),
    row(Gmail, ANYWHERE, 421, is(4, 3, 0), Meaning::ServerBusy),
    row(Gmail, ANYWHERE, 421, is(4, 7, 0), Meaning::ServerBusy),
    anyone(BEFORE_MAIL, 421, ANY, Meaning::ServerBusy),
    anyone(FROM_MAIL, 421, ANY, Meaning::Closing),
    // RFC 5321 4.5.3.1.10.
    anyone(AT_RCPT, 452, is(4, 5, 3), Meaning::TooManyRecipients),
    // About commands, not about the message: the peer and we do not speak of the same thing.
    anyone(FROM_MAIL, 500, ANY, Meaning::OutOfStep),
    anyone(FROM_MAIL, 502, ANY, Meaning::OutOfStep),
    anyone(FROM_MAIL, 503, ANY, Meaning::OutOfStep),
    anyone(FROM_MAIL, 535, ANY, Meaning::NotAuthenticated),
    anyone(FROM_MAIL, 538, ANY, Meaning::NotAuthenticated),
];

const ANY: Enhanced = Enhanced::Any;
/// No reply has this code.
const ANY_CODE: u16 = 0;

const fn is(class: u8, subject: u16, detail: u16) -> Enhanced {
    Enhanced::Is(EnhancedCode::new(class, subject, detail))
}

const fn row(provider: ProviderKind, stages: &'static [Stage], code: u16, enhanced: Enhanced, meaning: Meaning) -> Row {
    Row { provider: Some(provider), ..anyone(stages, code, enhanced, meaning) }
}

const fn anyone(stages: &'static [Stage], code: u16, enhanced: Enhanced, meaning: Meaning) -> Row {
    let code = if code == ANY_CODE { None } else { Some(code) };
    Row { provider: None, stages, code, enhanced, text: Text(&[]), meaning }
}

impl Row {
    const fn saying(mut self, fragments: &'static [&'static str]) -> Self {
        self.text = Text(fragments);
        self
    }
}
