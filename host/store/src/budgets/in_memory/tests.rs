//! Counts in memory: what they let through, and for how long.

use super::{InMemory, NotTaken};
use crate::budgets::{BUCKET, WINDOW};

const NOW: u64 = 1_800_000_000;

#[test]
fn no_more_is_taken_than_the_limit_and_what_is_given_back_can_be_taken_again() {
    let budgets = InMemory::default();
    budgets.take_within("k", 7, 10, NOW).unwrap();
    let full = budgets.take_within("k", 4, 10, NOW).unwrap_err();
    assert!(matches!(full, NotTaken::Full { frees_at: Some(at) } if at == NOW + WINDOW + BUCKET), "{full:?}");
    budgets.give_back("k", 1, NOW);
    budgets.take_within("k", 4, 10, NOW).unwrap();
    assert_eq!((budgets.used_by("k", NOW), budgets.used_by("other", NOW)), (10, 0));
    let never = budgets.take_within("k", 11, 10, NOW).unwrap_err();
    assert!(matches!(never, NotTaken::Full { frees_at: None }), "{never:?}");
    assert_eq!(budgets.frees_at("k", 1, 10, NOW), Some(NOW + WINDOW + BUCKET));
}

#[test]
fn what_has_left_the_window_does_not_count() {
    let budgets = InMemory::default();
    budgets.take_within("k", 10, 10, NOW).unwrap();
    budgets.take_within("k", 10, 10, NOW + WINDOW + BUCKET).unwrap();
    assert_eq!(budgets.used_by("k", NOW + WINDOW + BUCKET), 10);
}
