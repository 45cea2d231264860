//! The bars, and whether each was cleared: ratios in one run, and figures that hold on any machine.

use crate::report::say;

/// Which bars there are is said where they are checked.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    missed: usize,
    checked: usize,
}

impl Bars {
    pub(crate) fn at_most(&mut self, what: &str, value: f64, bar: f64) {
        self.check(value <= bar, &format!("{what}: {value:.2} (bar: at most {bar})"));
    }

    pub(crate) fn at_least(&mut self, what: &str, value: f64, bar: f64) {
        self.check(value >= bar, &format!("{what}: {value:.2} (bar: at least {bar})"));
    }

    pub(crate) fn holds(&mut self, what: &str, holds: bool) {
        self.check(holds, what);
    }

    fn check(&mut self, cleared: bool, line: &str) {
        self.checked += 1;
        self.missed += usize::from(!cleared);
        say(&format!("  {} {line}", if cleared { "ok  " } else { "MISS" }));
    }

    /// Prints the count; whether all were cleared.
    pub(crate) fn all_cleared(&self) -> bool {
        say(&format!("\n{} passed, {} failed", self.checked - self.missed, self.missed));
        self.missed == 0
    }
}
