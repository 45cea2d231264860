//! The old process, as the new one that takes its place sees it.
//!
//! The steps consume each other, so that none is left out: [`Predecessor`], [`Waiting`], [`Taking`], [`Following`].

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use super::failure::NotTakenOver;
use super::message::{Channel, Message, VERSION};
use super::shares::{Left, leave, leave_nothing};
use super::{SUCCESSOR_OF, sockets};
use crate::account;
use crate::doors::Staying;
use crate::front::Front;
use crate::inherited::{Inherited, NotInherited};
use crate::relay::Beginnings;

/// How long the old process may take to hand over the sockets: it sends them at once.
const SOCKETS: Duration = Duration::from_secs(10);
/// More than a first line is long.
const LINE: usize = 1024;

/// The process whose place this one is to take.
#[derive(Debug)]
pub struct Predecessor {
    stream: UnixStream,
    started: u32,
    sockets: Vec<(String, TcpListener)>,
}

/// It has been told that this process is prepared, and has let go of what only one can hold.
#[derive(Debug)]
pub struct Waiting {
    channel: Channel,
}

/// It accepts no more.
#[derive(Debug)]
pub struct Taking {
    channel: Channel,
    pub(crate) left: Left,
}

/// It drains.
#[derive(Debug)]
pub struct Following {
    channel: Channel,
}

/// What is left to tell it if this process cannot do it.
#[derive(Debug)]
pub struct LastWord(UnixStream);

impl Predecessor {
    /// The process that has started this one to take its place, if that is so; with what it hands over. To be called
    /// before there is a runtime.
    ///
    /// # Errors
    /// It does not hand over what is expected.
    pub fn of_this_process() -> Result<Option<Self>, NotTakenOver> {
        let parent = std::os::unix::process::parent_id().to_string();
        if std::env::var(SUCCESSOR_OF).ok() != Some(parent) {
            return Ok(None);
        }
        let stream = io::stdin().as_fd().try_clone_to_owned().map_err(NotTakenOver::NoChannel)?;
        let stream = UnixStream::from(stream);
        stream.set_read_timeout(Some(SOCKETS)).map_err(NotTakenOver::NoChannel)?;
        let sockets = sockets::receive(&stream).map_err(NotTakenOver::NoChannel)?;
        match first_line(&stream).map_err(NotTakenOver::Withdrawn)? {
            Message::Hello { version: VERSION, started } => Ok(Some(Self { stream, started, sockets })),
            Message::Hello { version, .. } => Err(NotTakenOver::Version { theirs: version, ours: VERSION }),
            other => Err(NotTakenOver::Unexpected(format!("{other:?}"))),
        }
    }

    /// What is told should this process fail.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn last_word(&self) -> io::Result<LastWord> {
        self.stream.try_clone().map(LastWord)
    }

    /// What it hands over: its sockets, and where its session ids began.
    ///
    /// # Errors
    /// The system does not know the sockets.
    pub fn beginnings(&mut self) -> Result<Beginnings, NotInherited> {
        let inherited = Inherited::from_predecessor(std::mem::take(&mut self.sockets))?;
        Ok(Beginnings { inherited, started_before: Some(self.started) })
    }

    /// Says that everything is good so far, and waits until it has let go of what only one process can hold.
    ///
    /// # Errors
    /// It does not want to be succeeded any more.
    pub async fn prepared(self) -> Result<Waiting, NotTakenOver> {
        self.stream.set_read_timeout(None).map_err(NotTakenOver::NoChannel)?;
        let mut channel = Channel::new(self.stream).map_err(NotTakenOver::NoChannel)?;
        channel.say(&Message::Prepared).await.map_err(NotTakenOver::Withdrawn)?;
        match channel.hear().await.map_err(NotTakenOver::Withdrawn)? {
            Message::Released => Ok(Waiting { channel }),
            other => Err(NotTakenOver::Unexpected(format!("{other:?}"))),
        }
    }
}

impl Waiting {
    /// Says that nothing is missing, and waits until it accepts no more.
    ///
    /// # Errors
    /// It does not want to be succeeded any more.
    pub async fn ready(mut self) -> Result<Taking, NotTakenOver> {
        self.channel.say(&Message::Ready).await.map_err(NotTakenOver::Withdrawn)?;
        match self.channel.hear().await.map_err(NotTakenOver::Withdrawn)? {
            Message::Yours { left } => Ok(Taking { channel: self.channel, left }),
            other => Err(NotTakenOver::Unexpected(format!("{other:?}"))),
        }
    }
}

impl Taking {
    /// Says that this process accepts.
    ///
    /// # Errors
    /// The old process is gone.
    pub(crate) async fn open(mut self) -> Result<Following, NotTakenOver> {
        self.channel.say(&Message::Open).await.map_err(NotTakenOver::Withdrawn)?;
        Ok(Following { channel: self.channel })
    }
}

impl Following {
    /// Takes what it needs no more, until it is gone. `main` hears when the service manager knows this process; by then
    /// the old one has closed the sockets that stay.
    pub(crate) async fn follow(mut self, front: Arc<Front>, (main, staying): (oneshot::Sender<()>, Staying)) {
        let mut main = Some((main, staying));
        loop {
            match self.channel.hear().await {
                Ok(Message::Main) => {
                    if let Some((main, _staying)) = main.take() {
                        let _nobody_waits = main.send(());
                    }
                    forget_logins(&front).await;
                }
                Ok(Message::Shares { left }) => leave(&front, &left),
                Ok(other) => warn!(?other, "the process before says what is not due"),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    warn!(%error, "the process before says what is not understood");
                }
                Err(_) => break,
            }
        }
        leave_nothing(&front);
        if main.is_some() {
            forget_logins(&front).await;
        }
        info!("the process before has ended");
    }
}

/// The process before takes nothing back any more: what it would look for is of no use to anybody.
async fn forget_logins(front: &Front) {
    let Some(store) = front.snapshots.current().store().cloned() else { return };
    if let Ok(Err(error)) = spawn_blocking(move || account::forget_logins(&store)).await {
        error!(%error, "consents that were kept by their accounts' ids are found by them still");
    }
}

impl LastWord {
    /// Says why this process cannot take over.
    pub fn give_up(mut self, reason: &str) {
        // It may not want to know any more; the status says the rest.
        let _gone = self.0.write_all(&Message::GaveUp { reason: reason.to_owned() }.line());
    }
}

/// Octet by octet, since what follows is for another reader.
fn first_line(mut stream: &UnixStream) -> io::Result<Message> {
    let mut line = Vec::new();
    let mut octet = [0];
    while line.last() != Some(&b'\n') {
        if line.len() == LINE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.read_exact(&mut octet)?;
        line.push(octet[0]);
    }
    Ok(serde_json::from_slice(&line)?)
}

#[cfg(test)]
mod tests;
