//! Numbers and moments as people read them.

use std::fmt::Display;

use serde_json::Value;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span of time, in its largest unit.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => counted(seconds / DAY, "day"),
    }
}

/// How long ago a moment is, both in seconds since 1970.
pub(super) fn ago(now: u64, at: u64) -> String {
    format!("{} ago", span(now.saturating_sub(at)))
}

/// The time of day, in UTC.
pub(super) fn time_of_day(now: u64) -> String {
    let second = now % DAY;
    format!("{:02}:{:02}:{:02} UTC", second / HOUR, second / MINUTE % 60, second % 60)
}

/// `1 message`, `2 messages`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A count, its thousands apart.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Octets, in the largest unit that leaves a digit before the point.
pub(super) fn octets(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) if count >= 10 * size => format!("{} {unit}", count / size),
        Some((size, unit)) => format!("{}.{} {unit}", count / size, count % size * 10 / size),
        None => format!("{count} B"),
    }
}

/// A rate or a latency with about three digits.
pub(super) fn figure(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 10.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

/// A latency of the API; a dash where there is none.
pub(super) fn latency(milliseconds: &Value) -> String {
    match milliseconds.as_f64() {
        Some(long) if long >= 1000.0 => format!("{}\u{a0}s", figure(long / 1000.0)),
        Some(short) if short >= 1.0 => format!("{}\u{a0}ms", figure(short)),
        // Below its first bucket's end a latency is not known.
        Some(_) => "under 1\u{a0}ms".to_owned(),
        None => "\u{2013}".to_owned(),
    }
}

/// A name of the API, such as `needs_consent`, as words.
pub(super) fn spaced(name: &Value) -> String {
    text(name).replace('_', " ")
}

/// A text of the API; empty where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number of the API; 0 where there is none.
pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// A list of the API.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One of many, where that is known.
pub(super) fn of(some: impl Display, all: impl Display) -> String {
    format!("{some} of {all}")
}
