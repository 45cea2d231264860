//! What a session tells the trace, while somebody listens to it.

use posthouse_smtp::path::ReversePath;
use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use super::{End, Session};
use crate::identifiers::TransactionId;
use crate::trace::{Event, millis, without_text};

impl Session {
    pub(super) fn tell_begun(&self) {
        self.tell(|| Event {
            event: "session_begun",
            listener: Some(self.rules.name.clone()),
            client: Some(self.client.address),
            ..Event::default()
        });
    }

    pub(super) fn tell_ended(&self, end: &End, began: Instant) {
        self.tell(|| Event {
            event: "session_ended",
            reason: Some(match end {
                End::Closed => "closed",
                End::Lost(_) => "lost",
            }),
            transactions: Some(self.transactions),
            took_ms: Some(millis(began.elapsed())),
            ..Event::default()
        });
    }

    /// A name that nobody has is not told: people type passwords in the wrong field.
    pub(super) fn tell_login(&self, name: &str, refused: Option<&Reply>) {
        self.tell(|| {
            let known = self.front.snapshots.current().login(name);
            Event {
                event: if refused.is_some() { "login_refused" } else { "login_accepted" },
                tenant: known.as_ref().map(|known| known.tenant.id.clone()),
                login: known.map(|known| known.login.name.clone()),
                client: Some(self.client.address),
                reply: refused.map(without_text),
                ..Event::default()
            }
        });
    }

    /// MAIL under a generation with a reverse-path, which was accepted as a transaction, or refused with a reply.
    pub(super) fn tell_mail(&self, heard: Option<(u64, ReversePath)>, said: Result<TransactionId, &Reply>) {
        let Some((generation, path)) = heard else { return };
        self.tell(|| Event {
            event: if said.is_ok() { "mail" } else { "mail_refused" },
            transaction: said.ok().map(|id| id.to_string()),
            generation: Some(generation),
            sender: Some(self.front.trace.sender(&path)),
            reply: said.err().map(without_text),
            ..Event::default()
        });
    }

    /// The content begins: all recipients are known.
    pub(super) fn tell_content(&self) {
        let Some(open) = &self.transaction else { return };
        self.tell(|| Event {
            event: "content",
            transaction: Some(open.id().to_string()),
            recipients: Some(open.recipients.len()),
            ..Event::default()
        });
    }

    /// With what the session knows: its id, its login, and the tenant of that.
    fn tell(&self, event: impl FnOnce() -> Event) {
        self.front.trace.tell(|| {
            let mut event = event();
            event.session = self.id.to_string();
            if let Some(login) = self.client.login.as_deref().filter(|_| event.login.is_none()) {
                let known = self.front.snapshots.current().login(login);
                event.tenant = event.tenant.or_else(|| known.map(|known| known.tenant.id.clone()));
                event.login = Some(login.to_owned());
            }
            event
        });
    }
}
