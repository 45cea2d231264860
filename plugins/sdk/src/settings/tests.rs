//! Settings and what is said of wrong ones.

use std::time::Duration;

use super::Settings;
use crate::Rate;

#[test]
fn values_are_read_as_what_they_mean() {
    let settings = Settings::from([("n", "5"), ("on", "true"), ("t", "5 min"), ("r", "20 per 1 h"), ("l", "a, b,,")]);
    assert_eq!(settings.number_or("n", 1_u32), Ok(5));
    assert_eq!(settings.flag_or("on", false), Ok(true));
    assert_eq!(settings.duration_or("t", Duration::ZERO), Ok(Duration::from_secs(300)));
    assert_eq!(settings.rate("r"), Ok(Some(Rate { count: 20, time: Duration::from_secs(3600) })));
    assert_eq!(settings.list("l"), ["a", "b"]);
}

#[test]
fn what_is_not_there_is_the_default() {
    let settings = Settings::from([]);
    assert_eq!(settings.number_or("n", 7_u8), Ok(7));
    assert_eq!(settings.text_or("t", "x"), "x");
    assert_eq!(settings.rate("r"), Ok(None));
    assert!(settings.list("l").is_empty());
}

#[test]
fn an_error_names_the_key_the_text_and_what_was_expected() {
    let settings = Settings::from([("n", "many"), ("t", "5 minutes")]);
    let said = |error: super::SettingsError| error.to_string();
    assert_eq!(settings.number_or("n", 1_u32).map_err(said), Err("n = \"many\": expected a number".to_owned()));
    assert_eq!(settings.text("absent").map_err(said), Err("absent: missing".to_owned()));
    let wrong = settings.duration_or("t", Duration::ZERO).map_err(said);
    assert_eq!(wrong, Err("t = \"5 minutes\": expected a whole number and ms, s, min, h or d".to_owned()));
}

#[test]
fn a_key_that_nobody_knows_is_refused() {
    let settings = Settings::from([("add.X-Tag", "1"), ("remvoe", "x")]);
    let refused = settings.allow_only(&["add.", "remove"]).map_err(|error| error.to_string());
    assert_eq!(refused, Err("remvoe: unknown; there are add., remove".to_owned()));
    assert_eq!(settings.below("add."), [("X-Tag".to_owned(), "1".to_owned())]);
}
