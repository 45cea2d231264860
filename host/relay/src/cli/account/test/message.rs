//! One message to the mailbox itself.

use std::time::SystemTime;

use posthouse_mail::date::Date;
use posthouse_smtp::client::{Event, Framing, Transaction};
use posthouse_smtp::command::Body;
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Severity;

use super::network::{Ended, Session};
use super::steps::Steps;
use crate::account::Surroundings;
use crate::config::account::Account;

pub(super) async fn sent(account: &Account, around: &Surroundings<'_>, session: Option<Session>, steps: &mut Steps) {
    let Some(mut session) = session else {
        steps.skipped("message", "not tried");
        return;
    };
    match transaction(account, around, &mut session).await {
        Ok(reply) => steps.ok("message", &format!("taken: {reply}")),
        Err(said) => steps.fail("message", &said),
    }
    session.quit().await;
}

/// Who a mailbox writes to and as whom: itself.
pub(super) struct ToItself {
    reverse_path: ReversePath,
    recipients: [ForwardPath; 1],
    smtputf8: bool,
}

impl ToItself {
    pub(super) fn of(account: &Account) -> Self {
        let mailbox = || account.address.clone();
        Self {
            reverse_path: ReversePath::Mailbox(mailbox()),
            recipients: [ForwardPath::Mailbox(mailbox())],
            smtputf8: !account.address.to_string().is_ascii(),
        }
    }

    pub(super) fn envelope(&self) -> Transaction<'_> {
        Transaction {
            reverse_path: &self.reverse_path,
            recipients: &self.recipients,
            size: None,
            body: Body::SevenBit,
            smtputf8: self.smtputf8,
        }
    }
}

/// The reply to the message that was taken; what was said of one that was not.
async fn transaction(account: &Account, around: &Surroundings<'_>, session: &mut Session) -> Result<String, String> {
    let address = account.address.to_string();
    let itself = ToItself::of(account);
    session.client.begin(&itself.envelope(), Framing::Data).map_err(|error| error.to_string())?;
    loop {
        match session.next().await.map_err(|ended: Ended| ended.to_string())? {
            Event::RecipientsAccepted => session.client.send_data(),
            Event::GoAhead => {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                let date = Date::from_unix_seconds(now.as_secs());
                // No line of it begins with a dot.
                let text = content(&address, around.hostname, date, now.as_nanos()) + ".\r\n";
                session.send(text.as_bytes()).await.map_err(|ended| ended.to_string())?;
                session.client.content_sent();
            }
            Event::Answered(outcome) if outcome.reply.severity() == Severity::Success => {
                return Ok(outcome.reply.to_string());
            }
            Event::Answered(outcome) => return Err(outcome.reply.to_string()),
            Event::EarlyReply(reply) => return Err(reply.to_string()),
            _ => {}
        }
    }
}

/// The message, with a number of its own.
pub(super) fn content(address: &str, hostname: &str, date: Date, number: u128) -> String {
    format!(
        "From: <{address}>\r\nTo: <{address}>\r\nSubject: Posthouse account test\r\nDate: {date}\r\n\
         Message-ID: <account-test.{number}@{hostname}>\r\n\r\nThis account can send through Posthouse.\r\n"
    )
}
