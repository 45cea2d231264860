//! Durations and rates as the relay's own configuration writes them: a whole number and its unit.

use std::time::Duration;

use crate::Rate;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// `300 ms`, `90 s`, `5 min`, `2 h`, `1 d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    number.parse::<u64>().ok()?.checked_mul(*factor).map(Duration::from_millis)
}

/// `20 per 1 h`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (count, time) = text.split_once(" per ")?;
    Some(Rate { count: count.trim().parse().ok()?, time: duration(time.trim())? })
}
