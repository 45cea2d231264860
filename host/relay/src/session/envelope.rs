//! The envelope of a message: each address is checked against the snapshot pinned at MAIL.

use posthouse_smtp::command::{MailFrom, RcptTo};
use posthouse_smtp::path::ReversePath;
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;
use tracing::info;

use super::Session;
use crate::answer;
use crate::client::Proof;
use crate::snapshot::{Known, Snapshot};
use crate::transaction::Transaction;

impl Session {
    /// MAIL: pins the snapshot, then login -> tenant -> sender.
    pub(super) fn mail(&mut self, mail: MailFrom) {
        let snapshot = self.front.snapshots.current();
        let Some(login) = self.client.login.as_deref() else {
            self.protocol.refuse(Reply::new(530, EnhancedCode::new(5, 7, 0), "authentication required"));
            return;
        };
        let Some(known) = snapshot.login(login).filter(|known| self.is_still(known, &snapshot)) else {
            info!(session = %self.id, login, "the login does not hold any more");
            let text = "your login was changed or removed; connect anew and log in";
            self.protocol.refuse(Reply::new(421, EnhancedCode::new(4, 7, 0), text));
            return;
        };
        if !known.login.may_send_as(&mail.path) {
            info!(session = %self.id, login = known.login.name, sender = %mail.path, "sender refused");
            let reply = not_a_sender(&mail.path, &known.login.name);
            self.tell_mail(Some((snapshot.generation, mail.path)), Err(&reply));
            self.protocol.refuse(reply);
            return;
        }
        self.transactions += 1;
        let id = self.id.transaction(self.transactions);
        let heard = self.front.trace.is_heard().then(|| (snapshot.generation, mail.path.clone()));
        let clients = self.rules.clients;
        match Transaction::open(id, snapshot, known, clients, mail, self.front.trace.clone()) {
            Ok(transaction) => {
                self.tell_mail(heard, Ok(id));
                self.transaction = Some(Box::new(transaction));
                self.protocol.accept();
            }
            Err(undelivered) => {
                let reply = answer::reply(&undelivered, clients);
                self.tell_mail(heard, Err(&reply));
                self.protocol.refuse(reply);
            }
        }
    }

    /// Whether the client would be let in as this login today, as it was when it came.
    fn is_still(&self, known: &Known, snapshot: &Snapshot) -> bool {
        match &self.client.proof {
            Some(proof) => *proof == Proof::of(known),
            // A network that may not name clients any more vouches for none.
            None if self.client.address != self.client.speaker && !self.may_name_clients() => false,
            None => {
                let rules = snapshot.listener(&self.rules.name);
                rules
                    .and_then(|rules| rules.login_of(self.client.address))
                    .is_some_and(|login| **login == *known.login.name)
            }
        }
    }

    /// RCPT: what the provider has refused within the hour is refused here, with its words; where
    /// the listener's clients do not retry, the provider is asked now.
    pub(super) async fn recipient(&mut self, recipient: RcptTo) {
        let arrival =
            self.transaction.as_ref().is_some_and(|open| open.asks_about_recipients()).then(|| self.arrival());
        let Some(open) = &mut self.transaction else { unreachable!("RCPT comes after an accepted MAIL") };
        if open.recipients.len() >= open.prospects.recipients_per_message() {
            let reply =
                Reply::new(452, EnhancedCode::new(4, 5, 3), "the provider takes no more recipients in one message");
            self.protocol.refuse(reply);
            return;
        }
        if let Some(reply) = open.remembered(&recipient.path, Instant::now()) {
            self.protocol.refuse(reply);
            return;
        }
        if let Some(arrival) = arrival
            && let Err(undelivered) = open.allow(&arrival, &recipient.path).await
        {
            self.protocol.refuse(answer::reply(&undelivered, self.rules.clients));
            return;
        }
        if self.rules.verify_recipients
            && let Err(undelivered) = open.verify(&recipient.path).await
        {
            self.protocol.refuse(answer::reply(&undelivered, self.rules.clients));
            return;
        }
        open.recipients.push(recipient.path);
        self.protocol.accept();
    }
}

fn not_a_sender(path: &ReversePath, login: &str) -> Reply {
    let text = format!("<{path}> is not a sender of login {login}; ask the relay's operator to add it to its senders");
    Reply::new(553, EnhancedCode::new(5, 7, 1), text)
}
