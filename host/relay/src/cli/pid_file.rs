//! The pid file: which process relays, and why the last upgrade did not come about.
//!
//! The first line is the process id and nothing else, as other programs expect it. It is replaced whole, so that nobody
//! reads half of it. Which process wrote it last is the one that relays: each writes its own when it begins to accept.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::warn;

/// Its name in the state directory.
const NAME: &str = "posthouse.pid";

/// Where it is, if it is to be anywhere.
#[derive(Debug, Clone)]
pub(super) struct PidFile(Option<PathBuf>);

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) process: u32,
    /// Upgrades that this process has tried and that came to nothing, and what became of the last.
    pub(super) failures: u32,
    pub(super) reason: String,
}

impl PidFile {
    /// The file that was asked for, or the one in the state directory, if there is one.
    pub(super) fn of(asked: Option<&Path>, state_directory: Option<&Path>) -> Self {
        let usual = || state_directory.filter(|path| path.is_dir()).map(|path| path.join(NAME));
        Self(asked.map(Path::to_owned).or_else(usual))
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    /// What it says now, if it is there and says anything.
    pub(super) fn read(&self) -> Option<Told> {
        let text = fs::read_to_string(self.path()?).ok()?;
        let mut lines = text.splitn(3, '\n');
        let process = lines.next()?.trim().parse().ok()?;
        let failures = lines.next().and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0);
        Some(Told { process, failures, reason: lines.next().unwrap_or_default().trim_end().to_owned() })
    }

    /// This process relays.
    pub(super) fn write(&self) {
        self.replace(&format!("{}\n", std::process::id()));
    }

    /// This process relays, and goes on although it was to be succeeded.
    pub(super) fn note(&self, failures: u32, reason: &str) {
        self.replace(&format!("{}\nupgrades that failed: {failures}\n{reason}\n", std::process::id()));
    }

    /// This process does not relay any more; another one's file is left alone.
    pub(super) fn remove(&self) {
        if let Some(path) = self.path()
            && self.read().is_some_and(|told| told.process == std::process::id())
        {
            let _gone = fs::remove_file(path);
        }
    }

    fn replace(&self, text: &str) {
        let Some(path) = self.path() else { return };
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        if let Err(error) = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)) {
            let _gone = fs::remove_file(&beside);
            warn!(%error, file = %path.display(), "the pid file cannot be written; `posthouse upgrade` will need --pid");
        }
    }
}

#[cfg(test)]
mod tests;
