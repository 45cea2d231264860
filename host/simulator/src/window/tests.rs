//! Windows of time, by what still fits.

use std::time::Duration;

use tokio::time::Instant;

use super::Window;

#[test]
fn the_third_of_two_a_minute_waits_until_the_first_is_a_minute_old() {
    let start = Instant::now();
    let second = |seconds: u64| start + Duration::from_secs(seconds);
    let mut window = Window::per_minute(2);
    assert_eq!(window.slot(second(0)), second(0));
    assert_eq!(window.slot(second(10)), second(10));
    assert_eq!(window.slot(second(20)), second(60));
    assert_eq!(window.slot(second(20)), second(70));
    assert_eq!(window.slot(second(20)), second(120));
    assert_eq!(window.slot(second(300)), second(300));
}

#[test]
fn a_refused_event_does_not_count() {
    let start = Instant::now();
    let mut window = Window::per_minute(1);
    assert!(window.admits(start));
    assert!(!window.admits(start + Duration::from_secs(59)));
    assert!(window.admits(start + Duration::from_secs(60)));
}
