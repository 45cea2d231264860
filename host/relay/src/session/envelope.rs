//! The envelope of a message: each address is checked against the snapshot pinned at MAIL.

use posthouse_smtp::command::{MailFrom, RcptTo};
use posthouse_smtp::path::ReversePath;
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;
use tracing::info;

use super::Session;
use crate::answer::{self, Undelivered};
use crate::client::Proof;
use crate::metrics::count_refusal;
use crate::prospects::Prospects;
use crate::snapshot::{Known, Snapshot};
use crate::transaction::{Pinned, Transaction};

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
            let reply = not_a_sender(&mail.path, &known.login.name);
            return self.refuse_mail(&known, (snapshot.generation, mail.path), "not_a_sender", reply);
        }
        let policy = known.tenant.line.deciding().cloned();
        let prospects = match Prospects::of(&known, policy.as_deref(), &mail.path) {
            Ok(prospects) => prospects,
            Err(undelivered) => {
                let reply = answer::reply(&undelivered, self.rules.clients);
                return self.refuse_mail(&known, (snapshot.generation, mail.path), undelivered.reason(), reply);
            }
        };
        self.transactions += 1;
        let id = self.id.transaction(self.transactions);
        let heard = self.front.trace.is_heard().then(|| (snapshot.generation, mail.path.clone()));
        self.tell_mail(heard, Ok(id));
        let pinned = Pinned { snapshot, known, policy, prospects };
        let transaction = Transaction::open(id, pinned, self.rules.clients, mail, self.front.trace.clone());
        self.transaction = Some(Box::new(transaction));
        self.protocol.accept();
    }

    fn refuse_mail(&mut self, known: &Known, heard: (u64, ReversePath), reason: &'static str, reply: Reply) {
        count_refusal(&known.tenant.id, "mail", reason);
        info!(
            session = %self.id,
            generation = heard.0,
            tenant = known.tenant.id,
            login = known.login.name,
            sender = %heard.1,
            at = "mail",
            reason,
            %reply,
            "refused"
        );
        self.tell_mail(Some(heard), Err(&reply));
        self.protocol.refuse(reply);
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
            return self.refuse_of_transaction("rcpt", "too_many_recipients", reply);
        }
        if let Some(reply) = open.remembered(&recipient.path, Instant::now()) {
            return self.refuse_of_transaction("rcpt", "refused_of_late", reply);
        }
        if let Some(arrival) = arrival
            && let Err(undelivered) = open.allow(&arrival, &recipient.path).await
        {
            return self.refuse_undelivered("rcpt", &undelivered);
        }
        if self.rules.verify_recipients
            && let Err(undelivered) = open.verify(&recipient.path).await
        {
            return self.refuse_undelivered("rcpt", &undelivered);
        }
        open.recipients.push(recipient.path);
        self.protocol.accept();
    }

    pub(super) fn refuse_undelivered(&mut self, at: &'static str, undelivered: &Undelivered) {
        self.refuse_of_transaction(at, undelivered.reason(), answer::reply(undelivered, self.rules.clients));
    }

    /// Refuses what comes before a message's content; the transaction goes on, or ends, as the protocol has it.
    fn refuse_of_transaction(&mut self, at: &'static str, reason: &'static str, reply: Reply) {
        if let Some(open) = &self.transaction {
            open.record_refusal(at, reason, &reply);
        }
        self.protocol.refuse(reply);
    }
}

fn not_a_sender(path: &ReversePath, login: &str) -> Reply {
    let text = format!("<{path}> is not a sender of login {login}; ask the relay's operator to add it to its senders");
    Reply::new(553, EnhancedCode::new(5, 7, 1), text)
}
