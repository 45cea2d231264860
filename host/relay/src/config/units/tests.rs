//! Quantities as people write them.

use std::time::Duration;

use super::{duration, duration_text, size, size_text};

fn meant_duration(text: &str) -> Option<String> {
    duration(text).err().and_then(|fault| fault.meant)
}

fn meant_size(text: &str) -> Option<String> {
    size(text).err().and_then(|fault| fault.meant)
}

#[test]
fn a_duration_is_a_number_and_its_unit() {
    assert_eq!(duration("300 ms"), Ok(Duration::from_millis(300)));
    assert_eq!(duration("90 s"), Ok(Duration::from_secs(90)));
    assert_eq!(duration("5min"), Ok(Duration::from_secs(300)));
    assert_eq!(duration("2 h"), Ok(Duration::from_secs(7_200)));
    assert_eq!(duration("1 d"), Ok(Duration::from_secs(86_400)));
}

#[test]
fn a_size_is_a_number_and_its_unit() {
    assert_eq!(size("512 B"), Ok(512));
    assert_eq!(size("64 KiB"), Ok(65_536));
    assert_eq!(size("35MiB"), Ok(36_700_160));
    assert_eq!(size("2 GiB"), Ok(2_147_483_648));
}

#[test]
fn what_is_neither_says_what_was_meant_where_that_is_clear() {
    assert_eq!(meant_duration("5 minutes").as_deref(), Some("5 min"));
    assert_eq!(meant_duration("5 m").as_deref(), Some("5 min"));
    assert_eq!(meant_duration("5 S").as_deref(), Some("5 s"));
    assert_eq!(meant_duration("5 fortnights"), None);
    assert_eq!(meant_size("35 MB").as_deref(), Some("35 MiB"));
    assert_eq!(meant_size("35 M").as_deref(), Some("35 MiB"));
    for text in ["", "s", "-5 s", "1.5 h", "5  s ", "99999999999999999999 s", "99999999999999999 d", "5"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn quantities_are_written_with_the_largest_unit_that_fits() {
    assert_eq!(duration_text(Duration::from_secs(300)), "5 min");
    assert_eq!(duration_text(Duration::from_millis(1_500)), "1500 ms");
    assert_eq!(duration_text(Duration::ZERO), "0 ms");
    assert_eq!(size_text(36_700_160), "35 MiB");
    assert_eq!(size_text(1_000), "1000 B");
    assert_eq!(duration(&duration_text(Duration::from_secs(90))), Ok(Duration::from_secs(90)));
}
