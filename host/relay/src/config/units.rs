//! Durations and sizes as people write them: a whole number and its unit.

use std::time::Duration;

const DURATIONS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Units that people try, and the one that is meant.
const DURATION_SLIPS: [(&str, &str); 14] = [
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "min"),
    ("mins", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hour", "h"),
    ("hours", "h"),
    ("days", "d"),
];
const SIZE_SLIPS: [(&str, &str); 10] = [
    ("bytes", "B"),
    ("b", "B"),
    ("k", "KiB"),
    ("kb", "KiB"),
    ("kib", "KiB"),
    ("m", "MiB"),
    ("mb", "MiB"),
    ("mib", "MiB"),
    ("g", "GiB"),
    ("gb", "GiB"),
];

/// A text that is no quantity, and what was perhaps meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoQuantity {
    /// What would be right.
    pub(crate) meant: Option<String>,
}

/// `300 ms`, `90 s`, `5 min`, `2 h`, `1 d`.
pub(crate) fn duration(text: &str) -> Result<Duration, NoQuantity> {
    quantity(text, &DURATIONS, &DURATION_SLIPS).map(Duration::from_millis)
}

/// `512 B`, `64 KiB`, `35 MiB`, `2 GiB`, in octets.
pub(crate) fn size(text: &str) -> Result<u64, NoQuantity> {
    quantity(text, &SIZES, &SIZE_SLIPS)
}

/// A duration with the largest unit that leaves a whole number.
pub(crate) fn duration_text(duration: Duration) -> String {
    text(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATIONS)
}

/// A size with the largest unit that leaves a whole number.
pub(super) fn size_text(size: u64) -> String {
    text(size, &SIZES)
}

fn quantity(text: &str, units: &[(&str, u64)], slips: &[(&str, &str)]) -> Result<u64, NoQuantity> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| NoQuantity { meant: None })?;
    let unit = unit.trim_start_matches(' ');
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => number.checked_mul(*factor).ok_or(NoQuantity { meant: None }),
        None => Err(NoQuantity { meant: meant_unit(unit, units, slips).map(|unit| format!("{number} {unit}")) }),
    }
}

fn meant_unit<'u>(unit: &str, units: &[(&'u str, u64)], slips: &[(&str, &'u str)]) -> Option<&'u str> {
    let exact = units.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(unit));
    exact.or_else(|| slips.iter().find(|(slip, _)| slip.eq_ignore_ascii_case(unit)).map(|(_, meant)| *meant))
}

fn text(number: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| number != 0 && number.is_multiple_of(*factor);
    let (unit, factor) = units.iter().rev().find(fits).unwrap_or(&units[0]);
    format!("{} {unit}", number / factor)
}

#[cfg(test)]
mod tests;
