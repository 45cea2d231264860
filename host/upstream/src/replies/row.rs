//! One row of the table: which replies it fits, and which other rows it leaves nothing to.

use std::sync::Arc;

use posthouse_smtp::reply::{EnhancedCode, Reply, Severity};

use super::Treatment;
use crate::meaning::Meaning;
use crate::provider::ProviderKind;
use crate::stage::Stage;

/// It fits where everything that it names fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// None is any.
    pub(super) provider: Option<ProviderKind>,
    pub(super) stages: Vec<Stage>,
    pub(super) code: Option<u16>,
    pub(super) enhanced: Option<Codes>,
    /// One of these fragments, in lower case; none means any text.
    pub(super) text: Vec<String>,
    pub(super) meaning: Meaning,
    pub(super) treatment: Arc<Treatment>,
}

/// Enhanced codes of one class and subject, from the first detail to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) first: EnhancedCode,
    pub(super) last: u16,
}

impl Row {
    pub(super) fn fits(&self, provider: ProviderKind, stage: Stage, reply: &Reply) -> bool {
        matches!(reply.severity(), Severity::Transient | Severity::Permanent)
            && self.provider.is_none_or(|only| only == provider)
            && self.stages.contains(&stage)
            && self.code.is_none_or(|code| code == reply.code())
            && self.enhanced.is_none_or(|codes| reply.enhanced().is_some_and(|code| codes.hold(code)))
            && (self.text.is_empty() || self.text.iter().any(|fragment| contains(reply.text(), fragment)))
    }

    /// Whether whatever fits `other` at this stage fits this row as well.
    pub(super) fn covers(&self, other: &Self, stage: Stage) -> bool {
        let covers_text = |fragment: &String| self.text.iter().any(|shorter| fragment.contains(shorter));
        self.provider.is_none_or(|only| other.provider == Some(only))
            && self.stages.contains(&stage)
            && self.code.is_none_or(|code| other.code == Some(code))
            && self.enhanced.is_none_or(|codes| other.enhanced.is_some_and(|others| codes.cover(others)))
            && (self.text.is_empty() || (!other.text.is_empty() && other.text.iter().all(covers_text)))
    }

    /// The row where its meaning is treated otherwise than `before`; what it says itself stays.
    pub(super) fn retreated(&self, before: &[Arc<Treatment>], now: &[Arc<Treatment>]) -> Self {
        let (before, now) = (&before[self.meaning as usize], &now[self.meaning as usize]);
        let said = &self.treatment;
        let treatment = Treatment {
            row: said.row.clone(),
            queueing: if said.queueing == before.queueing { &now.queueing } else { &said.queueing }.clone(),
            interactive: if said.interactive == before.interactive { &now.interactive } else { &said.interactive }
                .clone(),
            pause: if said.pause == before.pause { now.pause } else { said.pause },
            retry: if said.retry == before.retry { now.retry } else { said.retry },
        };
        Self { treatment: Arc::new(treatment), ..self.clone() }
    }
}

impl Codes {
    fn hold(self, code: EnhancedCode) -> bool {
        (self.first.class, self.first.subject) == (code.class, code.subject)
            && (self.first.detail..=self.last).contains(&code.detail)
    }

    fn cover(self, other: Self) -> bool {
        self.hold(other.first) && self.hold(EnhancedCode { detail: other.last, ..other.first })
    }
}

fn contains(text: &str, fragment: &str) -> bool {
    text.as_bytes().windows(fragment.len()).any(|part| part.eq_ignore_ascii_case(fragment.as_bytes()))
}
