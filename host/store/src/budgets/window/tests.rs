//! The rolling window against a list of what was taken.

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Change, Window, bucket_of, end_of};
use crate::budgets::{BUCKET, WINDOW};

const DAY: u64 = 1_700_000_000;

/// What was taken, one by one: where it counts, and how much is left of it.
#[derive(Default)]
struct Model(Vec<(u64, u64)>);

impl Model {
    fn at(&mut self, now: u64) {
        self.0.iter_mut().for_each(|(bucket, _)| *bucket = bucket_of(now).min(*bucket));
        self.0.retain(|(bucket, count)| end_of(*bucket) > now && *count > 0);
    }

    fn used(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    fn give_back(&mut self, recipients: u64, taken_at: u64) {
        let Some(newest) = self.0.iter().map(|(bucket, _)| *bucket).max() else { return };
        let bucket = bucket_of(taken_at).min(newest);
        let mut left = recipients;
        for (_, count) in self.0.iter_mut().filter(|(at, _)| *at == bucket) {
            let part = left.min(*count);
            (*count, left) = (*count - part, left - part);
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    /// By asking at every moment at which anything can change.
    fn frees_at(&self, need: u64, limit: u64, now: u64) -> Option<u64> {
        let mut moments: Vec<u64> = self.0.iter().map(|(bucket, _)| end_of(*bucket)).chain([now]).collect();
        moments.sort_unstable();
        moments.into_iter().filter(|moment| *moment >= now).find(|moment| {
            let used: u64 = self.0.iter().filter(|(at, _)| end_of(*at) > *moment).map(|(_, count)| count).sum();
            used + need <= limit
        })
    }
}

fn take(window: &mut Window, recipients: u64, now: u64) {
    for change in window.put_back(now) {
        window.apply(change);
    }
    window.expire(now);
    window.apply(Change { bucket: bucket_of(now), by: i64::try_from(recipients).unwrap() });
}

/// Mostly forward, in steps around a bucket and around the window; sometimes the clock is put back.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..900_i64, 2 => 0..30_000_i64, 1 => 86_000..88_000_i64, 1 => -90_000..0_i64]
}

proptest! {
    #[test]
    fn it_counts_as_the_list_does(
        steps in proptest::collection::vec((step(), 1..50_u64, any::<bool>(), 0..4_usize), 1..120),
        limit in 1..400_u64,
    ) {
        let (mut window, mut model, mut now, mut taken) = (Window::default(), Model::default(), DAY, Vec::new());
        for (by, recipients, give_back, which) in steps {
            now = now.saturating_add_signed(by);
            if give_back && !taken.is_empty() {
                let (count, at) = taken[taken.len().saturating_sub(1 + which)];
                if let Some(change) = window.returned(count, at) {
                    window.apply(change);
                }
                model.give_back(count, at);
                // A moment that is asked for moves nothing: what is compared is of the next taking.
            }
            take(&mut window, recipients, now);
            model.at(now);
            model.0.push((bucket_of(now), recipients));
            taken.push((recipients, now));
            prop_assert_eq!(window.used(now), model.used());
            prop_assert_eq!(window.total(), model.used());
            for need in [1, recipients, limit, limit + 1] {
                prop_assert_eq!(window.frees_at(need, limit, now), model.frees_at(need, limit, now));
            }
        }
    }

    #[test]
    fn no_24_hours_hold_more_than_the_limit_and_none_much_less(
        steps in proptest::collection::vec((0..4000_u64, 1..30_u64), 1..300),
        limit in 30..300_u64,
    ) {
        let (mut window, mut now) = (Window::default(), DAY);
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for (by, recipients) in steps {
            now += by;
            window.expire(now);
            let since = |from: u64| taken.iter().filter(|(at, _)| *at > from).map(|(_, count)| count).sum::<u64>();
            if window.total() + recipients <= limit {
                prop_assert!(since(now - WINDOW) + recipients <= limit);
                take(&mut window, recipients, now);
                taken.push((now, recipients));
            } else {
                // It is refused only for what was taken in the window and one bucket.
                prop_assert!(since(now - WINDOW - BUCKET) + recipients > limit);
                let frees_at = window.frees_at(recipients, limit, now).unwrap();
                prop_assert!(now < frees_at && frees_at <= now + WINDOW + BUCKET);
            }
        }
    }
}

#[test]
fn the_last_second_of_a_bucket_keeps_the_window() {
    let mut window = Window::default();
    take(&mut window, 5, BUCKET * 1000 + BUCKET - 1);
    let end = BUCKET * 1000 + BUCKET + WINDOW;
    assert_eq!((window.used(end - 1), window.used(end)), (5, 0));
    assert_eq!(window.frees_at(1, 5, end - 1), Some(end));
    assert_eq!(window.frees_at(6, 5, end), None);
}
