//! Budgets, by what counts after another opening, a fold that was cut off, and a crowd.

use super::{BUCKET, NotTaken, Refused, WINDOW, Wanted};
use crate::scratch::Scratch;

const NOW: u64 = 1_700_000_400; // A bucket begins with it.

#[test]
fn what_was_taken_and_given_back_counts_after_a_restart() {
    let scratch = Scratch::new();
    for fold in [false, true] {
        let store = scratch.store();
        let before = store.budgets().used_by("acme/one", NOW);
        store.budgets().take("acme/one", 10, NOW).unwrap();
        store.budgets().give_back("acme/one", 4, NOW).unwrap();
        store.budgets().give_back("nobody", 4, NOW).unwrap();
        store.budgets().take("acme/two", 1, NOW + 1000).unwrap();
        store.budgets().sync().unwrap();
        if fold {
            assert_eq!(store.budgets().fold(NOW + 1000).unwrap(), 2);
            assert_eq!(store.budgets().fold(NOW + 1000).unwrap(), 0);
        }
        drop(store);
        let store = scratch.store();
        assert_eq!(store.budgets().used_by("acme/one", NOW), before + 6);
        let mut used = store.budgets().used(NOW + WINDOW + BUCKET);
        used.sort();
        assert_eq!(used, [("acme/two".to_owned(), before / 6 + 1)]);
    }
}

#[test]
fn a_limit_is_kept_and_says_when_there_is_place() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let budgets = store.budgets();
    budgets.take_within("k", 60, 100, NOW).unwrap();
    budgets.take_within("k", 40, 100, NOW + BUCKET).unwrap();
    let free = NOW + BUCKET + WINDOW;
    let full = |recipients| match budgets.take_within("k", recipients, 100, NOW + 2 * BUCKET) {
        Err(NotTaken::Full { frees_at }) => frees_at,
        other => panic!("{other:?}"),
    };
    assert_eq!((full(1), full(61), full(101)), (Some(free), Some(free + BUCKET), None));
    assert_eq!(budgets.frees_at("k", 1, 100, NOW + 2 * BUCKET), Some(free));
    assert_eq!(budgets.frees_at("new", 1, 100, NOW), Some(NOW));
    assert_eq!(budgets.frees_at("new", 101, 100, NOW), None);
    assert!(matches!(budgets.take_within("new", 101, 100, NOW), Err(NotTaken::Full { frees_at: None })));
    budgets.take_within("k", 60, 100, free).unwrap();
    assert_eq!(budgets.used_by("k", free), 100);
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_does_not_block_for_years() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.budgets().take("k", 5, NOW + 1_000_000_000).unwrap();
    store.budgets().take("k", 1, NOW).unwrap();
    assert_eq!(store.budgets().used_by("k", NOW), 6);
    // The first one counts as taken now: there it is given back, and after a restart as well.
    store.budgets().give_back("k", 2, NOW + 1_000_000_000).unwrap();
    drop(store);
    let store = scratch.store();
    assert_eq!(store.budgets().used_by("k", NOW), 4);
    assert_eq!(store.budgets().used_by("k", NOW + BUCKET + WINDOW), 0);
}

#[test]
fn a_fold_that_did_not_get_to_empty_its_journal_counts_nothing_twice() {
    let scratch = Scratch::new();
    let journal = scratch.0.join("budgets-0.journal");
    let store = scratch.store();
    store.budgets().take("k", 5, NOW).unwrap();
    let unfolded = std::fs::read(&journal).unwrap();
    store.budgets().fold(NOW).unwrap();
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), 8);
    store.budgets().take("k", 3, NOW).unwrap();
    drop(store);
    // As a process leaves it that died between the two.
    std::fs::write(&journal, unfolded).unwrap();
    for _ in 0..3 {
        let store = scratch.store();
        assert_eq!(store.budgets().used_by("k", NOW), 8);
        store.budgets().fold(NOW).unwrap();
        assert_eq!(store.budgets().used_by("k", NOW), 8);
    }
    let store = scratch.store();
    store.budgets().take("k", 1, NOW).unwrap();
    drop(store);
    assert_eq!(scratch.store().budgets().used_by("k", NOW), 9);
}

#[test]
fn what_has_left_the_window_leaves_the_files() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.budgets().take("old", 5, NOW).unwrap();
    store.budgets().fold(NOW).unwrap();
    store.budgets().take("new", 1, NOW + 2 * WINDOW).unwrap();
    store.budgets().fold(NOW + 2 * WINDOW).unwrap();
    drop(store);
    // Asked at the old time: it is gone, not only out of sight.
    assert_eq!(scratch.store().budgets().used_by("old", NOW), 0);
}

#[test]
fn a_crowd_takes_the_limit_and_not_one_more() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let taken: u64 = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| (0..400).filter(|_| store.budgets().take_within("k", 1, 1000, NOW).is_ok()).count())
            })
            .collect();
        scope.spawn(|| (0..20).map(|_| store.budgets().fold(NOW).unwrap()).sum::<usize>());
        crowd.into_iter().map(|one| one.join().unwrap() as u64).sum()
    });
    assert_eq!((taken, store.budgets().used_by("k", NOW)), (1000, 1000));
    drop(store);
    assert_eq!(scratch.store().budgets().used_by("k", NOW), 1000);
}

#[test]
fn of_several_keys_all_are_taken_or_none() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let budgets = store.budgets();
    let wanted = |count| [("a", 10), ("b", 5)].map(|(key, limit)| Wanted { key, count, limit });
    budgets.take_all(&wanted(3), NOW).unwrap();
    let refused = budgets.take_all(&wanted(3), NOW).unwrap_err();
    assert!(matches!(refused, Refused { index: 1, why: NotTaken::Full { frees_at: Some(_) } }), "{refused:?}");
    assert_eq!((budgets.used_by("a", NOW), budgets.used_by("b", NOW)), (3, 3));
    drop(store);
    let again = scratch.store();
    assert_eq!((again.budgets().used_by("a", NOW), again.budgets().used_by("b", NOW)), (3, 3));
}
