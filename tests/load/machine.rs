//! What the machine itself does to latencies: time that its host gives to others, and work that is not always as fast.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

/// The time of all processors so far, in ticks (`/proc/stat`, proc(5)).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    all: u64,
    stolen: u64,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; what guests of this machine take is in `user` already.
        Self { all: ticks.iter().take(8).sum(), stolen: ticks.get(7).copied().unwrap_or(0) }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn stolen_since(self, before: Self) -> f64 {
        self.stolen.saturating_sub(before.stolen) as f64 / self.all.saturating_sub(before.all).max(1) as f64
    }
}

/// How long a piece of work took that is always the same, each time that it was done.
#[derive(Debug, Default)]
pub(crate) struct Evenness {
    micros: Vec<f64>,
}

impl Evenness {
    /// Does the work for two seconds, at the pace of the load's messages.
    pub(crate) fn look(&mut self) {
        for _ in 0..800 {
            thread::sleep(Duration::from_micros(2_400));
            let began = Instant::now();
            let _ =
                black_box((0..50_000_u64).fold(1_u64, |last, next| {
                    black_box(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(next))
                }));
            self.micros.push(began.elapsed().as_secs_f64() * 1e6);
        }
        self.micros.sort_by(f64::total_cmp);
    }

    /// The median and the 99th percentile, in milliseconds.
    pub(crate) fn millis(&self) -> (f64, f64) {
        let at =
            |hundredth: usize| self.micros.get(self.micros.len() * hundredth / 100).copied().unwrap_or(0.0) / 1000.0;
        (at(50), at(99))
    }

    /// Whether a hundredth says something of a program on it.
    pub(crate) fn is_even(&self) -> bool {
        let (median, last_hundredth) = self.millis();
        last_hundredth <= 2.0 * median
    }
}
