//! Policies on trial: the cases that their authors write, run on the relay's own host.
//!
//! For `posthouse policy test`, `check` and `bench` on an author's machine, and for the relay itself when a policy is brought
//! with its cases. Nothing here touches a tenant's mail, accounts or memory: the world of a case is made of paper.

pub(crate) mod cases;
pub(crate) mod document;
pub(crate) mod expectation;
pub(crate) mod question;
pub(crate) mod realm;
pub(crate) mod runner;
pub(crate) mod seen;
pub(crate) mod world;

use std::path::Path;
use std::time::Duration;

use posthouse_policy::policy::Policy;
use tokio::time::timeout;

use crate::trial::cases::Cases;
use crate::trial::expectation::differences;
use crate::trial::runner::Runner;
use crate::trial::world::World;

/// The custom section of a component that carries its author's cases, so that one digest covers both.
pub(crate) const SECTION: &str = "posthouse-cases";
/// Octets of the text of cases that a relay reads.
const LARGEST: usize = 256 * 1024;
/// Cases that a relay runs.
const MOST: usize = 200;
/// How long they may take, all together.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a policy does not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The cases are none that can be read.
    #[error("its cases cannot be read: {0}")]
    Unreadable(String),
    /// Their text is too large.
    #[error("its cases have {0} octets; a relay reads at most {LARGEST}")]
    TooLarge(usize),
    /// There are too many.
    #[error("it brings {0} cases; a relay runs at most {MOST}")]
    TooMany(usize),
    /// They take too long.
    #[error("its cases take longer than {} s", PATIENCE.as_secs())]
    TooLong,
    /// Some came out otherwise: their names, and how.
    #[error("{} of its cases came out otherwise: {}", .0.len(), .0.join("; "))]
    Otherwise(Vec<String>),
}

/// Runs a policy against the text of its cases; how many there were.
///
/// # Errors
/// Not all of them came out as they say.
pub(crate) async fn passes(policy: Policy, text: &str) -> Result<usize, Failed> {
    if text.len() > LARGEST {
        return Err(Failed::TooLarge(text.len()));
    }
    let cases = Cases::of_text(Path::new(SECTION), text).map_err(Failed::Unreadable)?;
    let count = cases.cases.len();
    if count > MOST {
        return Err(Failed::TooMany(count));
    }
    // What the cases say of limits holds within the tenant's own.
    let (mut world, own) = (World::of_cases(&cases), policy.terms().limits);
    world.limits.cpu = world.limits.cpu.min(own.cpu);
    world.limits.time = world.limits.time.min(own.time);
    world.limits.memory = world.limits.memory.min(own.memory);
    world.limits.share = own.share;
    let mut runner = Runner::new(policy, world);
    let all = async {
        let mut otherwise = Vec::new();
        for case in &cases.cases {
            let case = case.get_ref();
            match runner.run(case).await {
                Ok(ran) => {
                    let differs = differences(&case.expect, &ran.seen);
                    otherwise.extend(differs.first().map(|difference| format!("{}: {difference}", case.name)));
                }
                Err(obstacle) => otherwise.push(format!("{}: {obstacle}", case.name)),
            }
        }
        otherwise
    };
    let otherwise = timeout(PATIENCE, all).await.map_err(|_| Failed::TooLong)?;
    if otherwise.is_empty() { Ok(count) } else { Err(Failed::Otherwise(otherwise)) }
}

/// The text of the cases that a component carries, if it carries some.
pub(crate) fn carried(component: &[u8]) -> Option<&str> {
    posthouse_policy::sections::custom(component, SECTION).and_then(|octets| std::str::from_utf8(octets).ok())
}
