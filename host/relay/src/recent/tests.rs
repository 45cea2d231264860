//! A minute, told in numbers.

use std::time::Duration;

use tokio::time::Instant;

use super::{Grain, Recent, bucket, end};
use crate::tally::Fate;

fn delivered(milliseconds: u64) -> Fate {
    Fate::Delivered { size: 1, took: Duration::from_millis(milliseconds) }
}

#[test]
fn a_reading_holds_the_last_minute_and_nothing_older() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Fine);
    let at = |seconds| began + Duration::from_secs(seconds);
    for second in 0..90 {
        recent.count(delivered(10), at(second));
    }
    recent.count(Fate::Deferred, at(89));
    recent.count(Fate::Refused, at(89));
    // Slots of two seconds: the one of 88 and 89, and the thirty before it.
    let reading = recent.reading(at(89));
    assert_eq!((reading.delivered, reading.undelivered), (62, 2));
    assert!((reading.per_second - 62.0 / 61.0).abs() < 1e-9, "{reading:?}");
    let reading = recent.reading(at(120));
    assert_eq!(reading.delivered, 30);
    let reading = recent.reading(at(1000));
    assert_eq!((reading.delivered, reading.p50_ms, reading.p95_ms), (0, None, None));
}

#[test]
fn a_slot_that_comes_around_again_begins_with_nothing() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Fine);
    recent.count(delivered(10), began);
    let later = began + Duration::from_secs(64);
    recent.count(delivered(20), later);
    assert_eq!(recent.reading(later).delivered, 1);
}

#[test]
fn quantiles_are_right_to_a_quarter_of_an_octave() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Fine);
    for milliseconds in 1..=1000 {
        recent.count(delivered(milliseconds), began);
    }
    let reading = recent.reading(began);
    let near = |found: Option<f64>, wanted: f64| (found.unwrap() / wanted - 1.0).abs() < 0.05;
    assert!(near(reading.p50_ms, 500.0) && near(reading.p95_ms, 950.0), "{reading:?}");
}

#[test]
fn the_series_has_a_slot_for_each_two_seconds_the_newest_last() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Fine);
    recent.count(delivered(10), began + Duration::from_secs(60));
    recent.count(delivered(10), began + Duration::from_secs(61));
    let series = recent.series(began + Duration::from_secs(62));
    assert_eq!(series.per_second.len(), 30);
    assert_eq!(series.per_second.iter().sum::<f64>(), 1.0);
    assert_eq!(series.per_second.last(), Some(&1.0));
    assert!(series.p95_ms[29] > 9.0 && series.p95_ms[28] == 0.0);
}

#[test]
fn each_latency_lies_within_its_bucket() {
    for micros in [0, 999, 1000, 1249, 1250, 2000, 59_999, 60_000, 100_000_000] {
        let bucket = bucket(Duration::from_micros(micros));
        assert!(micros < end(bucket), "{micros}");
        assert!(bucket == 0 || end(bucket - 1) <= micros, "{micros}");
    }
    assert_eq!(bucket(Duration::from_secs(3600)), super::BUCKETS - 1);
}

#[test]
fn threads_that_count_at_once_lose_nothing_within_a_slot() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Fine);
    recent.count(delivered(1), began);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| recent.count(delivered(5), began)));
        }
    });
    assert_eq!(recent.reading(began).delivered, 4001);
}

#[test]
fn a_coarse_minute_is_a_minute_too() {
    let began = Instant::now();
    let recent = Recent::since(began, Grain::Coarse);
    for second in 0..60 {
        let took = Duration::from_millis(5);
        recent.count(Fate::Delivered { size: 1, took }, began + Duration::from_secs(second));
    }
    assert_eq!(recent.reading(began + Duration::from_secs(59)).delivered, 60);
    // The first ten have left by then, and so have all a minute later.
    assert_eq!(recent.reading(began + Duration::from_secs(75)).delivered, 50);
    assert_eq!(recent.reading(began + Duration::from_secs(130)).delivered, 0);
    assert_eq!(recent.series(began + Duration::from_secs(60)).per_second, [1.0; 6]);
}
