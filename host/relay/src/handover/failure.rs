//! Why a hand-over did not come about. Whatever it is, the old process goes on.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::doors::NotOpened;

/// Why no new process has taken this one's place.
#[derive(Debug, thiserror::Error)]
pub enum NotHandedOver {
    /// The program file is gone.
    #[error("the program file {file} is gone; put one there", file = file.display())]
    Gone {
        /// Where it was when this process was started.
        file: PathBuf,
    },
    /// The program file cannot be run.
    #[error("the program file {file} cannot be started: {source}", file = file.display())]
    NotStarted {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// This process was told to end meanwhile.
    #[error("this process is ending")]
    Ending,
    /// This relay was not started from a program file of its own.
    #[error("this relay is part of another program and cannot be started anew")]
    NoProgram,
    /// The sockets cannot be given away.
    #[error("the listening sockets cannot be handed over: {0}")]
    Sockets(io::Error),
    /// The new process said what is wrong.
    #[error("the new process gave up: {0}")]
    GaveUp(String),
    /// The new process ended without a word.
    #[error("the new process ended ({0}) before it was {1}")]
    Ended(ExitStatus, &'static str),
    /// The new process took too long.
    #[error("the new process was not {step} within {limit:?} and was ended (timeouts.upgrade)")]
    TooSlow {
        /// What it should have been by then.
        step: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// The new process says what nobody of this version says.
    #[error("the new process does not hand over as this one does: {0}")]
    Unintelligible(String),
}

/// Why a new process does not take the old one's place.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenOver {
    /// Standard input is no channel to it.
    #[error("standard input is not the channel of the process before: {0}")]
    NoChannel(io::Error),
    /// The old process is gone, or closed the channel: it does not want to be succeeded any more.
    #[error("the process before ended the hand-over: {0}")]
    Withdrawn(io::Error),
    /// The old process hands over in another way.
    #[error(
        "the process before hands over by version {theirs} of the protocol, this program by {ours}; restart instead"
    )]
    Version {
        /// Of the old process.
        theirs: u32,
        /// Of this one.
        ours: u32,
    },
    /// An address cannot be listened on, although it could be reserved.
    #[error(transparent)]
    Listen(#[from] NotOpened),
    /// The old process says something else than what is due.
    #[error("the process before says {0}, which is not due")]
    Unexpected(String),
}
