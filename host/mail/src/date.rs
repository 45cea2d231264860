//! The date-time of RFC 5322 3.3, from a clock reading that somebody else took.

use std::fmt;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, shown as `Mon, 23 Nov 2026 14:02:10 +0000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    unix_seconds: u64,
}

impl Date {
    /// The moment this many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_seconds(unix_seconds: u64) -> Self {
        Self { unix_seconds }
    }

    /// The same moment as RFC 3339 writes it: `2026-11-23T14:02:10Z`.
    pub fn rfc3339(self) -> String {
        let (days, second) = (self.unix_seconds / 86_400, self.unix_seconds % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.unix_seconds / 86_400, self.unix_seconds % 86_400);
        let (year, month, day) = civil(days);
        let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{weekday}, {day} {} {year} {hour:02}:{minute:02}:{second:02} +0000", MONTHS[month])
    }
}

/// Year, month (0 is January) and day of the month, from days since the epoch. Years are counted
/// from March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = usize::try_from((from_march + 2) % 12).unwrap_or(0);
    (era * 400 + year_of_era + u64::from(month < 2), month, day)
}

#[cfg(test)]
mod tests;
