//! The replies that no row explains, counted by their shape: what an operator adds to the table.
//!
//! Bounded, and without anything that is about one message: see `shape`. It outlives tables and
//! snapshots.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use posthouse_smtp::reply::{EnhancedCode, Reply};

use super::shape::shape;
use crate::provider::ProviderKind;
use crate::stage::Stage;

/// How many shapes are kept; what comes beyond is only counted.
pub const MOST: usize = 200;

/// Replies that differ in nothing but addresses, hosts, numbers and ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Whose reply.
    pub provider: ProviderKind,
    /// Where it came.
    pub stage: Stage,
    /// Its code.
    pub code: u16,
    /// Its enhanced code.
    pub enhanced: Option<EnhancedCode>,
    /// Its text, with `ADDRESS`, `HOST`, `N` and `ID` for what is about one message and `*` for what was enclosed.
    pub text: String,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.provider.word(), self.stage, self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        write!(f, " {}", self.text)
    }
}

/// The shapes that were seen since the start.
#[derive(Debug)]
pub struct Unlisted {
    tell: fn(&Shape),
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    shapes: HashMap<Shape, u64>,
    unkept: u64,
    /// By provider, stage and code: no more than there are of those.
    codes: HashMap<(ProviderKind, Stage, u16), u64>,
}

impl Unlisted {
    /// Nothing yet; `tell` hears of each new shape that is kept, once.
    pub fn telling(tell: fn(&Shape)) -> Self {
        Self { tell, seen: Mutex::default() }
    }

    /// Notes a reply that no row explains.
    pub(super) fn note(&self, provider: ProviderKind, stage: Stage, reply: &Reply) {
        let (code, enhanced) = (reply.code(), reply.enhanced());
        let shape = Shape { provider, stage, code, enhanced, text: shape(reply.text()) };
        let mut seen = self.seen();
        *seen.codes.entry((provider, stage, code)).or_default() += 1;
        if let Some(count) = seen.shapes.get_mut(&shape) {
            *count += 1;
        } else if seen.shapes.len() < MOST {
            seen.shapes.insert(shape.clone(), 1);
            drop(seen);
            (self.tell)(&shape);
        } else {
            seen.unkept += 1;
        }
    }

    /// The shapes and how often each came, the most frequent first.
    pub fn shapes(&self) -> Vec<(Shape, u64)> {
        let mut shapes: Vec<_> = self.seen().shapes.iter().map(|(shape, count)| (shape.clone(), *count)).collect();
        shapes.sort_by(|(one, ones), (other, others)| others.cmp(ones).then_with(|| one.text.cmp(&other.text)));
        shapes
    }

    /// How many replies had a shape for which there was no room.
    pub fn unkept(&self) -> u64 {
        self.seen().unkept
    }

    /// How many replies came, by provider, stage and code.
    pub fn counts(&self) -> Vec<((ProviderKind, Stage, u16), u64)> {
        self.seen().codes.iter().map(|(of, count)| (*of, *count)).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
