//! Durations and sizes with their units, as an operator writes them.

use std::time::Duration;

/// `300 ms`, `90 s`, `5 min`, `2 h`, `1 d`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

/// `512 B`, `64 KiB`, `35 MiB`, `1 GiB`; also `kB`, `MB`, `GB` in thousands.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(bytes)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

/// A duration as it would be written.
pub(super) fn shown_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let fits = |unit: u128| milliseconds >= unit && milliseconds.is_multiple_of(unit);
    match () {
        () if fits(3_600_000) => format!("{} h", milliseconds / 3_600_000),
        () if fits(60_000) => format!("{} min", milliseconds / 60_000),
        () if fits(1_000) => format!("{} s", milliseconds / 1_000),
        () => format!("{milliseconds} ms"),
    }
}

/// A size as it would be written.
pub(super) fn shown_size(bytes: u64) -> String {
    let fits = |unit: u64| bytes >= unit && bytes.is_multiple_of(unit);
    match () {
        () if fits(1 << 30) => format!("{} GiB", bytes >> 30),
        () if fits(1 << 20) => format!("{} MiB", bytes >> 20),
        () if fits(1 << 10) => format!("{} KiB", bytes >> 10),
        () => format!("{bytes} B"),
    }
}
