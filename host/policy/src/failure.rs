//! How a policy fails: each way has a name, and none has a consequence but for its own message.

use std::time::Duration;

/// Why a call came to no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Policy: it ran too long.
    #[error("it used more than its {limit:?} of processor time")]
    Cpu {
        /// What it may use.
        limit: Duration,
    },
    /// Policy: it took too long, waiting for its turns included.
    #[error("it was not done within {limit:?}")]
    Time {
        /// What it may take.
        limit: Duration,
    },
    /// Policy: it wanted more memory.
    #[error("it asked for more than its {} KiB of memory", limit / 1024)]
    Memory {
        /// What it may have.
        limit: usize,
    },
    /// Policy: it recursed too deep.
    #[error("it used up its stack")]
    Stack,
    /// Policy: it trapped.
    #[error("it trapped: {0}")]
    Trap(String),
    /// Policy: it gave an instruction that cannot be followed.
    #[error("an instruction cannot be followed: {0}")]
    Instruction(String),
    /// Policy: it answered what nobody can be told.
    #[error("its answer cannot be used: {0}")]
    Answer(String),
    /// Policy: it has failed so much that it is not asked for a while.
    #[error("it is not asked for {:.1} s after many failures", wait.as_secs_f64())]
    Resting {
        /// Until it is tried again.
        wait: Duration,
        /// What it rests after.
        cause: Cause,
    },
    /// Tenant: this call needs more of a core than the tenant's share has, again and again.
    #[error(
        "it was not done within {limit:?}, and waited most of it for the tenant's share of a core, which it uses up"
    )]
    Overdrawn {
        /// What it may take.
        limit: Duration,
    },
    /// Tenant: its slow calls have used its share, or others' were before it.
    #[error("it was still waiting for its turns after {limit:?}: slow calls have used the tenant's share of a core")]
    Waited {
        /// What it may take.
        limit: Duration,
    },
    /// Us: all places for calls are taken.
    #[error("all places for policy calls are taken")]
    Busy,
}

/// What a policy rests after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It has failed.
    Failures,
    /// It was not done for lack of its share, which is overload.
    Overdrafts,
}

impl Failure {
    /// The word by which metrics and logs tell the causes apart.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Cpu { .. } => "cpu",
            Self::Time { .. } => "time",
            Self::Memory { .. } => "memory",
            Self::Stack => "stack",
            Self::Trap(_) => "trap",
            Self::Instruction(_) => "instruction",
            Self::Answer(_) => "answer",
            Self::Resting { .. } => "resting",
            Self::Overdrawn { .. } => "overdrawn",
            Self::Waited { .. } => "waited",
            Self::Busy => "busy",
        }
    }

    /// Whether it is for lack of room or time that others have, so that the answer is to come again.
    pub fn is_overload(&self) -> bool {
        match self {
            Self::Overdrawn { .. } | Self::Waited { .. } | Self::Busy => true,
            Self::Resting { cause, .. } => *cause == Cause::Overdrafts,
            Self::Cpu { .. } | Self::Time { .. } | Self::Memory { .. } | Self::Stack => false,
            Self::Trap(_) | Self::Instruction(_) | Self::Answer(_) => false,
        }
    }

    /// Whether the policy itself is to blame, so that the breaker counts it.
    pub fn is_the_policys(&self) -> bool {
        !matches!(self, Self::Resting { .. } | Self::Waited { .. } | Self::Busy)
    }
}

/// Why a policy is not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Author: the file is no component that can be a policy.
    #[error("{0}")]
    Unfit(String),
    /// Author: it could not be compiled within the worker's limits.
    #[error("it cannot be compiled: {0}")]
    Uncompilable(String),
    /// Author: it fails when it is asked to describe itself.
    #[error("it cannot be asked what it is: {0}")]
    Undescribed(Failure),
    /// Author: what it says of itself cannot be used.
    #[error("its description cannot be used: {0}")]
    Description(String),
    /// Tenant: the policy does not take its settings.
    #[error("it does not take these settings: {0}")]
    Settings(String),
    /// Operator: the compile worker cannot be used.
    #[error("the compile worker {program} cannot be used: {reason}")]
    Worker {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
    },
    /// Operator: the cache of compiled code cannot be used.
    #[error("the code cache {path}: {reason}")]
    Cache {
        /// The file or directory.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// Us: the engine cannot be set up.
    #[error("the policy engine cannot be set up: {0}")]
    Engine(String),
}
