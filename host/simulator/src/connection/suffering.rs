//! What a fault does to a connection: its delay, its end, or other octets in place of a reply.

use posthouse_net::stream::Stream;
use posthouse_smtp::reply::Reply;
use tokio::time::{Instant, sleep};

use super::ending::Ending;
use super::{Connection, message};
use crate::faults::{Action, Occasion, Stage, Strike};

/// A fault where there is no session yet.
pub(super) async fn blurt(stream: &mut Stream, Strike { action, delay }: Strike) -> Result<(), Ending> {
    sleep(delay).await;
    let octets = match &action {
        Action::Reply(text) => written(&message::reply(text)),
        Action::Garbage(octets) | Action::Append(octets) => octets.clone(),
        Action::Proceed => return Ok(()),
        other => return Err(Ending::of(other).unwrap_or(Ending::Polite)),
    };
    stream.send(&octets).await.map_err(|_| Ending::Gone)?;
    if matches!(action, Action::Reply(_)) { Err(Ending::Polite) } else { Ok(()) }
}

impl Connection<'_> {
    /// The action of a fault at this stage, after its delay, if there is one and it is no end.
    pub(super) async fn strike(&mut self, stage: Stage) -> Result<Option<Action>, Ending> {
        if !self.side.faults.has(stage) {
            return Ok(None);
        }
        let mailbox = self.login.as_ref().map(|login| &*login.mailbox);
        let struck = match &self.transaction {
            Some(transaction) => self.side.faults.strike(stage, transaction.occasion(mailbox)),
            None => self.side.faults.strike(stage, Occasion { mailbox, ..Occasion::default() }),
        };
        self.suffer(struck).await
    }

    /// The same where the usual reply, which begins at `start`, is written already: nothing of it leaves before the
    /// fault has spoken, and what the fault says takes its place.
    pub(super) async fn strike_instead(&mut self, stage: Stage, start: usize) -> Result<Option<Action>, Ending> {
        if !self.side.faults.has(stage) {
            return Ok(None);
        }
        let usual = self.session.output().split_off(start);
        let action = self.strike(stage).await?;
        // A delay has sent what stood before.
        let start = self.session.output().len();
        self.session.output().extend_from_slice(&usual);
        if let Some(action) = &action {
            self.replace(start, action);
        }
        Ok(action)
    }

    pub(super) async fn suffer(&mut self, struck: Option<Strike>) -> Result<Option<Action>, Ending> {
        let Some(Strike { action, delay }) = struck else { return Ok(None) };
        if !delay.is_zero() {
            self.pause_until(Instant::now() + delay).await?;
        }
        match Ending::of(&action) {
            Some(ending) => {
                self.flush().await?;
                self.settle().await?;
                Err(ending)
            }
            None => Ok(Some(action)),
        }
    }

    /// Octets in place of what was said since `start`, or behind it.
    pub(super) fn replace(&mut self, start: usize, action: &Action) {
        let output = self.session.output();
        match action {
            Action::Garbage(octets) => {
                output.truncate(start);
                output.extend_from_slice(octets);
            }
            Action::Append(octets) => output.extend_from_slice(octets),
            Action::Reply(text) => {
                let reply = message::reply(text);
                output.truncate(start);
                if reply.closes() { self.session.close(reply) } else { reply.write_to(output) }
            }
            _ => {}
        }
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    reply.write_to(&mut out);
    out
}
