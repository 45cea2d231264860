//! The new process, as the old one that has started it sees it.
//!
//! It decides nothing: `control` says when which step is due. Whoever gives it up ends it first, so that there are
//! never two that accept.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tracing::{error, info};

use super::failure::NotHandedOver;
use super::message::{Channel, Message, VERSION};
use super::program::Program;
use super::shares::Shares;
use super::sockets;

/// How long the new process may leave the sockets untaken once there is no room for more of them in the channel.
const UNTAKEN: Duration = Duration::from_secs(10);
/// How long a process may take to be gone that has closed the channel.
const LAST_BREATH: Duration = Duration::from_secs(1);
/// How often the old process looks whether it needs less than before.
const LOOK: Duration = Duration::from_millis(50);

/// The process that takes this one's place.
#[derive(Debug)]
pub struct Successor {
    process: Child,
    channel: Channel,
    shares: Shares,
    /// When its last step is due, and how long it had.
    due: (Instant, Duration),
}

impl Successor {
    /// Starts it and sends it the sockets. It has `limit` to become ready.
    pub(crate) async fn start(
        program: &Program,
        listening: Vec<(String, OwnedFd)>,
        started: u32,
        limit: Duration,
    ) -> Result<Self, NotHandedOver> {
        let due = (Instant::now() + limit, limit);
        let (here, there) = UnixStream::pair().map_err(NotHandedOver::Sockets)?;
        here.set_write_timeout(Some(UNTAKEN)).map_err(NotHandedOver::Sockets)?;
        let process = program.start(there.into())?;
        info!(process = process.id(), program = %program.file.display(), "a new process is to take over");
        let sent = tokio::task::spawn_blocking(move || sockets::send(&here, &listening).map(|()| here)).await;
        let channel = sent.expect("sending sockets does not panic").and_then(Channel::new);
        let mut successor = match channel {
            Ok(channel) => Self { process, channel, shares: Shares::default(), due },
            Err(error) => return Err(without_channel(process, error).await),
        };
        successor.tell(&Message::Hello { version: VERSION, started }).await;
        Ok(successor)
    }

    /// Its process id, as long as it is there.
    pub fn process(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for this step of it.
    pub(crate) async fn heard(&mut self, expected: &Message, step: &'static str) -> Result<(), NotHandedOver> {
        let (due, limit) = self.due;
        match timeout_at(due, self.channel.hear()).await {
            Ok(Ok(message)) if message == *expected => Ok(()),
            Ok(Ok(Message::GaveUp { reason })) => Err(NotHandedOver::GaveUp(reason)),
            Ok(Ok(other)) => Err(NotHandedOver::Unintelligible(format!("{other:?}"))),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(NotHandedOver::Unintelligible(error.to_string()))
            }
            Ok(Err(error)) => Err(self.ended(step, error).await),
            Err(_) => Err(NotHandedOver::TooSlow { step, limit }),
        }
    }

    /// Gives it another time for what is left.
    pub(crate) fn within(&mut self, limit: Duration) {
        self.due = (Instant::now() + limit, limit);
    }

    /// Says it. One that does not listen any more is noticed when its next step is waited for.
    pub(crate) async fn tell(&mut self, message: &Message) {
        let _gone = self.channel.say(message).await;
    }

    /// Leaves the mailboxes' sessions to it, but for these.
    pub(crate) fn keep(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// Ends it, whatever it does.
    pub(crate) async fn end(mut self) -> Shares {
        if let Err(error) = self.process.kill().await {
            error!(%error, "the new process cannot be ended");
        }
        self.shares
    }

    /// Tells it what this process needs no more and what it learns, until this process has drained.
    pub(crate) async fn endow(mut self, mut drained: oneshot::Receiver<()>) {
        self.tell(&Message::Main).await;
        let mut looks = interval(LOOK);
        let mut has_drained = false;
        while !has_drained {
            tokio::select! {
                _ = looks.tick() => {}
                _ = &mut drained => has_drained = true,
                ended = self.process.wait() => {
                    error!(?ended, "the new process has ended while this one drains: nobody accepts; start it again");
                    return;
                }
            }
            if self.shares.shrink() {
                let left = self.shares.told();
                self.tell(&Message::Shares { left }).await;
            }
        }
    }

    /// It has closed the channel, or broken it.
    async fn ended(&mut self, step: &'static str, error: io::Error) -> NotHandedOver {
        match timeout(LAST_BREATH, self.process.wait()).await {
            Ok(Ok(status)) => NotHandedOver::Ended(status, step),
            _ => NotHandedOver::Sockets(error),
        }
    }
}

/// Nothing can be sent: a program that ended at once says more by its status.
async fn without_channel(mut process: Child, error: io::Error) -> NotHandedOver {
    match timeout(LAST_BREATH, process.wait()).await {
        Ok(Ok(status)) => NotHandedOver::Ended(status, "prepared"),
        _ => {
            let _killed = process.kill().await;
            NotHandedOver::Sockets(error)
        }
    }
}
