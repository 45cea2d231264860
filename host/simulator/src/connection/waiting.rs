//! Waiting for the client, while replies are on their way, while it is idle for too long, and while idle connections are
//! to suffer a fault.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use posthouse_smtp::server::ServerSession;
use tokio::time::{Instant, Sleep, sleep_until};

use super::ending::Ending;
use super::wire::Sent;
use super::{Connection, Step};
use crate::faults::{Occasion, Stage};
use crate::provider::Refusal;

/// What ended the waiting.
enum News {
    Octets(usize),
    Due,
    IdleForTooLong,
    QuietForLongEnough,
    IdleFaults,
}

impl Connection<'_> {
    /// Waits until the client says something, or the session is over.
    pub(super) async fn listen(&mut self) -> Step {
        loop {
            match self.news().await? {
                News::Octets(0) => return Err(Ending::Gone),
                News::Octets(_) => {
                    self.heard = Instant::now();
                    return Ok(());
                }
                News::Due => {
                    if self.wire.deliver().await.map_err(|_| Ending::Gone)? == Sent::ReplyToContent {
                        self.replied().await?;
                    }
                }
                News::IdleForTooLong => {
                    self.session.close(self.side.provider.refusal(Refusal::Idle));
                    return Ok(());
                }
                News::QuietForLongEnough => {
                    self.asked = Some(self.heard);
                    if let Some(action) = self.strike(Stage::Idle).await? {
                        let start = self.session.output().len();
                        self.replace(start, &action);
                        return Ok(());
                    }
                }
                News::IdleFaults => self.asked = None,
            }
        }
    }

    async fn news(&mut self) -> Result<News, Ending> {
        let (due, quiet) = (self.wire.due(), self.quiet_until());
        let idle_at = self.heard + self.side.options.limits.idle;
        let is_idle = due.is_none();
        let Self { wire, session, idle, idle_faults, login, .. } = self;
        let receive = wire.stream.receive(|octets| take(session, octets));
        tokio::select! {
            biased;
            octets = receive => octets.map(News::Octets).map_err(|_| Ending::Gone),
            () = until(due) => Ok(News::Due),
            () = until(quiet), if is_idle => Ok(News::QuietForLongEnough),
            Ok(()) = idle_faults.changed(), if login.is_some() => Ok(News::IdleFaults),
            () = elapsed(idle, idle_at), if is_idle => Ok(News::IdleForTooLong),
        }
    }

    /// Until when the connection has to be quiet for a fault of idle ones.
    fn quiet_until(&self) -> Option<Instant> {
        if !self.side.faults.has(Stage::Idle) || self.asked == Some(self.heard) {
            return None;
        }
        if self.session.state_name() != "waiting for a command" {
            return None;
        }
        let login = self.login.as_ref()?;
        let occasion = Occasion { mailbox: Some(&login.mailbox), ..Occasion::default() };
        self.side.faults.quiet(occasion).map(|quiet| self.heard + quiet)
    }
}

fn take(session: &mut ServerSession, octets: &[u8]) -> usize {
    session.receive(octets);
    octets.len()
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// One timer for all the waiting of a connection: set anew only when it goes off too early.
async fn elapsed(timer: &mut Pin<Box<Sleep>>, time: Instant) {
    poll_fn(|context| {
        while timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= time {
                return Poll::Ready(());
            }
            timer.as_mut().reset(time);
        }
        Poll::Pending
    })
    .await;
}
