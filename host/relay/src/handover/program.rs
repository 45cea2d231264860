//! The program file that a process was started from, and how: to be started anew when the file has been replaced.
//!
//! Not `/proc/self/exe`, which goes on being the file that was replaced.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::SUCCESSOR_OF;
use super::failure::NotHandedOver;

/// A program file and the arguments it was started with.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is, by the name it was started by: links are followed when it is started, not before.
    pub file: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// Of this process; none where the system does not tell. To be called before the working directory changes.
    pub fn of_this_process() -> Option<Self> {
        let mut arguments = std::env::args_os();
        let named = arguments.next().map(PathBuf::from).and_then(|name| found(&name));
        let file = named.or_else(|| std::env::current_exe().ok())?;
        Some(Self { file, arguments: arguments.collect() })
    }

    /// Starts it, to take this process's place; `channel` is its standard input.
    pub(crate) fn start(&self, channel: OwnedFd) -> Result<Child, NotHandedOver> {
        if !self.file.exists() {
            return Err(NotHandedOver::Gone { file: self.file.clone() });
        }
        let mut command = Command::new(&self.file);
        command.args(&self.arguments).stdin(Stdio::from(channel));
        command.env(SUCCESSOR_OF, std::process::id().to_string());
        // They speak of this process and its descriptors.
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID"] {
            command.env_remove(name);
        }
        command.spawn().map_err(|source| NotHandedOver::NotStarted { file: self.file.clone(), source })
    }
}

/// The file of this name, as a shell finds it.
fn found(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return std::path::absolute(name).ok().filter(|file| file.is_file());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
