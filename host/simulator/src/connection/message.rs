//! MAIL, RCPT and the content: faults first, then limits, then the ledger.

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::transaction::{Judgement, Transaction};
use super::{Connection, Step};
use crate::account::Submission;
use crate::faults::{Action, Occasion, Stage};
use crate::gathered::Gathered;
use crate::ledger::Entry;
use crate::provider::Refusal;
use crate::recipients::Fixed;

/// A piece of content above which its buffer is given back.
const KEPT: usize = 64 * 1024;

/// A reply from its text: code, perhaps an enhanced code, text.
pub(super) fn reply(text: &str) -> Reply {
    let (code, rest) = text.split_at_checked(3).unwrap_or((text, ""));
    let code = code.parse().unwrap_or(451);
    let rest = rest.strip_prefix([' ', '-']).unwrap_or(rest);
    let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    match first.parse::<EnhancedCode>() {
        Ok(enhanced) => Reply::new(code, enhanced, behind.to_owned()),
        Err(_) => Reply::new(code, None, rest.to_owned()),
    }
}

impl Connection<'_> {
    pub(super) async fn mail(&mut self, sender: String) -> Step {
        self.world.ledger.counts(self.side.provider).transactions.add(1);
        self.transaction = Some(Transaction::new(sender, self.world.keep));
        let action = self.strike(Stage::Mail).await?;
        if self.login.as_ref().is_some_and(|login| self.is_used_up(login.account().limits.messages_per_connection)) {
            if let Some(login) = &self.login {
                login.account().violated.messages_per_connection.add(1);
            }
            self.session.refuse(self.side.provider.refusal(Refusal::MessagesPerConnection));
            return Ok(());
        }
        self.answer(action);
        Ok(())
    }

    fn is_used_up(&self, limit: Option<u32>) -> bool {
        limit.is_some_and(|limit| self.messages >= u64::from(limit))
    }

    /// Yes, or what the fault says instead.
    fn answer(&mut self, action: Option<Action>) {
        match action {
            None => self.session.accept(),
            Some(Action::Reply(text)) => self.session.refuse(reply(&text)),
            Some(action) => {
                let start = self.session.output().len();
                self.session.accept();
                self.replace(start, &action);
            }
        }
    }

    pub(super) async fn recipient(&mut self, recipient: String) -> Step {
        let fixed = Fixed::named(&recipient);
        let struck = match fixed.and_then(|fixed| fixed.strike(self.side.provider, Stage::Recipient)) {
            None if self.side.faults.has(Stage::Recipient) => {
                let occasion = Occasion {
                    mailbox: self.login.as_ref().map(|login| &*login.mailbox),
                    sender: self.transaction.as_ref().map(|transaction| transaction.sender.as_str()),
                    recipients: std::slice::from_ref(&recipient),
                };
                self.side.faults.strike(Stage::Recipient, occasion)
            }
            struck => struck,
        };
        let action = self.suffer(struck).await?;
        let (Some(transaction), Some(login)) = (&mut self.transaction, &self.login) else {
            self.session.accept();
            return Ok(());
        };
        let account = login.account();
        if transaction.recipients.len() >= account.limits.recipients_per_message {
            account.violated.recipients.add(1);
            self.session.refuse(self.side.provider.refusal(Refusal::RecipientsPerMessage));
            return Ok(());
        }
        if !matches!(action, Some(Action::Reply(_))) {
            transaction.recipients.push(recipient);
            transaction.fixed = transaction.fixed.or(fixed);
        }
        self.answer(action);
        Ok(())
    }

    pub(super) async fn content_starts(&mut self) -> Step {
        if let (Some(transaction), Some(login)) = (&mut self.transaction, &self.login) {
            transaction.submission = Some(Submission::begin(login.account()));
        }
        let action = self.strike(Stage::ContentStart).await?;
        if let (Some(Action::Reply(_)), Some(transaction)) = (&action, &mut self.transaction) {
            transaction.submission = None;
        }
        self.answer(action);
        Ok(())
    }

    pub(super) async fn content_goes_on(&mut self) -> Step {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        transaction.content.take(&mut self.content);
        if std::mem::replace(&mut transaction.has_begun, true) {
            return Ok(());
        }
        if let Some(action) = self.strike(Stage::Body).await? {
            let start = self.session.output().len();
            self.replace(start, &action);
        }
        Ok(())
    }

    pub(super) async fn content_ends(&mut self) -> Step {
        if let Some(transaction) = &mut self.transaction {
            transaction.content.take(&mut self.content);
        }
        if self.content.capacity() > KEPT {
            self.content = Vec::new();
        }
        let before = self.strike_message(Stage::Content).await?;
        if let Some(Action::Reply(text)) = before {
            self.finish(reply(&text));
            return Ok(());
        }
        let taken = match self.judge().await? {
            Err(refusal) => {
                self.finish(self.side.provider.refusal(refusal));
                return Ok(());
            }
            Ok(()) => self.record(),
        };
        let after = self.strike_message(Stage::Recorded).await?;
        let start = self.session.output().len();
        self.finish(taken);
        for action in [before, after].into_iter().flatten() {
            self.replace(start, &action);
        }
        Ok(())
    }

    /// A fault, or what a recipient with a fixed answer is for.
    async fn strike_message(&mut self, stage: Stage) -> Result<Option<Action>, super::Ending> {
        let fixed = self.transaction.as_ref().and_then(|transaction| transaction.fixed);
        match fixed.and_then(|fixed| fixed.strike(self.side.provider, stage)) {
            None => self.strike(stage).await,
            struck => self.suffer(struck).await,
        }
    }

    fn finish(&mut self, reply: Reply) {
        self.submitted = self.transaction.as_mut().and_then(|transaction| transaction.submission.take());
        self.session.finish(reply);
    }

    /// Asks the limits, and waits where they say so.
    async fn judge(&mut self) -> Result<Result<(), Refusal>, super::Ending> {
        let (Some(transaction), Some(login)) = (&self.transaction, &self.login) else { return Ok(Ok(())) };
        match transaction.judge(&login.attendance, Instant::now()) {
            Judgement::Now => Ok(Ok(())),
            Judgement::Refused(refusal) => Ok(Err(refusal)),
            Judgement::At(time) => {
                self.pause_until(time).await?;
                Ok(Ok(()))
            }
        }
    }

    /// Writes the message down; the reply that says so.
    fn record(&mut self) -> Reply {
        let (Some(transaction), Some(login)) = (&mut self.transaction, &self.login) else {
            return Reply::new(503, None, "no message");
        };
        self.messages += 1;
        self.record.messages.add(1);
        let account = login.account();
        account.messages.add(1);
        account.recipients.add(transaction.recipients.len() as u64);
        let number = self.world.ledger.record(Entry {
            provider: self.side.provider,
            mailbox: login.mailbox.clone(),
            reverse_path: transaction.sender.clone(),
            recipients: transaction.recipients.clone(),
            content: std::mem::replace(&mut transaction.content, Gathered::Count(0)),
            connection: self.record.number,
            index: self.messages,
        });
        self.side.provider.taken(number)
    }

    /// The client knows what became of its message.
    pub(super) async fn replied(&mut self) -> Step {
        if let Some(action) = self.strike(Stage::Replied).await? {
            let start = self.session.output().len();
            self.replace(start, &action);
            self.flush().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
