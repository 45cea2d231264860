//! What came of a change, for the log, for operators and for programs.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::config::files::Sources;

/// Who wanted a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The relay began.
    Start,
    /// A file changed.
    Files,
    /// SIGHUP.
    Signal,
    /// The admin API.
    Api,
    /// A program that gave the configuration itself.
    Given,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new generation holds.
    Published,
    /// Everything is as it was; the generation stays.
    Unchanged,
    /// Something is wrong; the old generation stays.
    Refused,
}

/// One reload.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When it was done, in seconds since 1970.
    pub at: u64,
    /// Who wanted it.
    pub cause: Cause,
    /// What came of it.
    pub outcome: Outcome,
    /// The generation that holds now.
    pub generation: u64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What is wrong: file, line, key, reason.
    pub errors: Vec<String>,
    /// What is allowed and unwise.
    pub warnings: Vec<String>,
    /// Policies that were not taken, while the rest was: what decided before goes on deciding.
    pub refused_policies: Vec<String>,
    /// Keys whose change needs a restart.
    pub at_restart: Vec<&'static str>,
}

/// How things stand.
#[derive(Debug, Clone)]
pub struct Status {
    /// The last reload, whatever came of it.
    pub last: Report,
    /// What the configuration is made of, as far as it could be read the last time.
    pub sources: Sources,
}

impl Cause {
    /// As a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Files => "files",
            Self::Signal => "signal",
            Self::Api => "api",
            Self::Given => "given",
        }
    }
}

impl Outcome {
    /// As a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

impl Report {
    /// Of a change that took so long and ended now.
    pub(super) fn new(cause: Cause, outcome: Outcome, generation: u64, took: Duration) -> Self {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let took_ms = (took.as_secs_f64() * 1e5).round() / 100.0;
        let (errors, warnings, refused_policies) = (Vec::new(), Vec::new(), Vec::new());
        Self { at, cause, outcome, generation, took_ms, errors, warnings, refused_policies, at_restart: Vec::new() }
    }

    /// Whether everything was taken.
    pub fn is_good(&self) -> bool {
        self.outcome != Outcome::Refused && self.refused_policies.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [("error", &self.errors), ("policy", &self.refused_policies), ("warning", &self.warnings)];
        for (word, lines) in lines {
            for line in lines {
                writeln!(f, "{word:<8} {line}")?;
            }
        }
        for key in &self.at_restart {
            writeln!(f, "restart  {key} takes effect at the next start")?;
        }
        match self.outcome {
            Outcome::Published => write!(f, "Generation {} holds, after {} ms.", self.generation, self.took_ms),
            Outcome::Unchanged => write!(f, "Nothing has changed; generation {} stays.", self.generation),
            Outcome::Refused => write!(f, "Not taken; generation {} stays.", self.generation),
        }
    }
}
