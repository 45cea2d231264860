//! `[log]`: what is written to standard output, and how.

use std::fmt;

use crate::config::defaults;
use crate::config::section::Section;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The shape of a line.
    pub format: LogFormat,
    /// From which severity on.
    pub level: Level,
}

/// The shape of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// An object for machines.
    Json,
    /// A line for people.
    Text,
}

/// From which severity on something is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What needs somebody.
    Error,
    /// What may need somebody.
    Warn,
    /// A line for each session and message.
    Info,
    /// Steps within them.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word in the configuration, which is also `tracing`'s.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: defaults::LOG_FORMAT, level: defaults::LOG_LEVEL }
    }
}

/// The `[log]` of the configuration.
pub(super) fn read(root: &Section<'_>) -> Log {
    let Some(section) = root.section("log") else { return Log::default() };
    let default = Log::default();
    let levels =
        [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace].map(|level| (level.as_str(), level));
    let log = Log {
        format: section
            .or("format", default.format, |entry| entry.word(&[("json", LogFormat::Json), ("text", LogFormat::Text)])),
        level: section.or("level", default.level, |entry| entry.word(&levels)),
    };
    section.finish();
    log
}
