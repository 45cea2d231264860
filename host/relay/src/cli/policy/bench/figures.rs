//! What was measured, and what it says.

use std::time::Duration;

/// Durations of calls.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Nanoseconds of wall time, a call each.
    calls: Vec<u64>,
    wall: Duration,
    cpu: Duration,
}

impl Figures {
    pub(super) fn note(&mut self, wall: Duration, cpu: Duration) {
        self.calls.push(u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX));
        self.wall += wall;
        self.cpu += cpu;
    }

    /// In the order that percentiles are read from.
    pub(super) fn sorted(mut self) -> Self {
        self.calls.sort_unstable();
        self
    }

    pub(super) fn count(&self) -> usize {
        self.calls.len()
    }

    /// All calls together.
    pub(super) fn wall(&self) -> Duration {
        self.wall
    }

    /// The least duration, in microseconds, that this many of a hundred calls do not exceed.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.calls.len() as f64).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "a rank is at most the number of calls")]
        #[expect(clippy::cast_sign_loss, reason = "a rank is never negative")]
        let index = (rank as usize).clamp(1, self.calls.len().max(1)) - 1;
        self.calls.get(index).map_or(0.0, |nanoseconds| *nanoseconds as f64 / 1e3)
    }

    /// Microseconds of processor time a call.
    pub(super) fn cpu(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.calls.len().max(1) as f64
    }

    pub(super) fn per_second(&self) -> f64 {
        self.calls.len() as f64 / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Figures;

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let mut figures = Figures::default();
        for microseconds in (1..=200).rev() {
            figures.note(Duration::from_micros(microseconds), Duration::from_micros(3));
        }
        let figures = figures.sorted();
        assert_eq!([50.0, 90.0, 99.0, 100.0].map(|percent| figures.percentile(percent)), [100.0, 180.0, 198.0, 200.0]);
        assert!((figures.cpu() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn of_no_calls_everything_is_nothing() {
        assert_eq!((Figures::default().percentile(99.0), Figures::default().cpu()), (0.0, 0.0));
    }
}
