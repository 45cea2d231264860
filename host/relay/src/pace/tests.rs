//! Messages per minute, as a provider would count them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance, sleep};

use super::{OverPace, Pace};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn no_sixty_seconds_hold_more_than_the_allowance() {
    let pace = Pace::per_minute(Some(5));
    let began = Instant::now();
    let mut seen = Vec::new();
    // Each message takes a while, and the provider counts it at its beginning or at its end.
    for number in 0..40_u64 {
        let place = pace.place(Instant::now() + 120 * SECOND).await.unwrap();
        let at_begin = Instant::now();
        sleep(Duration::from_millis(700 * (number % 4))).await;
        seen.push(if number % 2 == 0 { at_begin } else { Instant::now() });
        drop(place);
    }
    let most = seen.iter().map(|from| seen.iter().filter(|at| *at >= from && **at - *from < 60 * SECOND).count());
    assert_eq!(most.max(), Some(5));
    // Eight bursts of five, seven minutes between them, and the time that the messages took.
    assert!(began.elapsed() < 7 * 63 * SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_would_wait_for_too_long_is_told_at_once_how_long() {
    let pace = Pace::per_minute(Some(2));
    for _ in 0..2 {
        drop(pace.place(Instant::now()).await.unwrap());
    }
    advance(20 * SECOND).await;
    let before = Instant::now();
    let OverPace { wait } = pace.place(before + 30 * SECOND).await.unwrap_err();
    assert_eq!(Instant::now(), before);
    assert!(wait >= 40 * SECOND && wait < 41 * SECOND, "{wait:?}");
    pace.place(before + 41 * SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_count_against_those_who_come_later() {
    let pace = Pace::per_minute(Some(1));
    drop(pace.place(Instant::now()).await.unwrap());
    let first = tokio::spawn({
        let pace = Arc::clone(&pace);
        async move { pace.place(Instant::now() + 90 * SECOND).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(pace.place(Instant::now() + 90 * SECOND).await.is_err());
    assert_eq!(pace.standing(Instant::now()), Some((1, 0)));
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_place_that_was_not_used_is_the_next_ones_at_once() {
    let pace = Pace::per_minute(Some(1));
    let place = pace.place(Instant::now()).await.unwrap();
    let next = tokio::spawn({
        let pace = Arc::clone(&pace);
        async move { pace.place(Instant::now() + 70 * SECOND).await.map(|_| Instant::now()) }
    });
    tokio::task::yield_now().await;
    let before = Instant::now();
    place.give_back();
    assert_eq!(next.await.unwrap().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn another_allowance_holds_at_once_for_those_who_wait() {
    let pace = Pace::per_minute(Some(1));
    drop(pace.place(Instant::now()).await.unwrap());
    let next = tokio::spawn({
        let pace = Arc::clone(&pace);
        async move { pace.place(Instant::now() + 70 * SECOND).await.map(|_| Instant::now()) }
    });
    tokio::task::yield_now().await;
    let before = Instant::now();
    pace.allow(Some(2));
    assert_eq!(next.await.unwrap().unwrap(), before);
    pace.allow(None);
    drop(pace.place(before).await.unwrap());
}

/// Messages that may go now, each over at once.
async fn burst(pace: &Arc<Pace>) -> usize {
    let mut sent = 0;
    while let Ok(place) = pace.place(Instant::now()).await {
        drop(place);
        sent += 1;
    }
    sent
}

fn allowance(pace: &Pace) -> Option<u32> {
    pace.standing(Instant::now()).map(|(per_minute, _)| per_minute)
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_was_too_much_is_halved_at_once_and_what_was_sent_counts() {
    let pace = Pace::per_minute(Some(60));
    assert_eq!(burst(&pace).await, 60);
    advance(SECOND).await;
    assert_eq!(pace.slow_down(Instant::now()), Some(30));
    assert_eq!(burst(&pace).await, 0);
    advance(60 * SECOND).await;
    assert_eq!(burst(&pace).await, 33, "a minute without a refusal has brought a tenth back");
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_was_too_much_is_used_up_for_this_minute() {
    let pace = Pace::per_minute(Some(60));
    drop(pace.place(Instant::now()).await.unwrap());
    assert_eq!(pace.slow_down(Instant::now()), Some(6));
    assert_eq!(burst(&pace).await, 0);
}

#[tokio::test(start_paused = true)]
async fn refusals_that_come_together_lower_the_rate_once() {
    let pace = Pace::per_minute(Some(60));
    burst(&pace).await;
    assert_eq!(pace.slow_down(Instant::now()), Some(30));
    advance(9 * SECOND).await;
    assert_eq!((pace.slow_down(Instant::now()), allowance(&pace)), (None, Some(30)));
    advance(11 * SECOND).await;
    assert_eq!(pace.slow_down(Instant::now()), Some(15));
}

#[tokio::test(start_paused = true)]
async fn quiet_minutes_bring_the_rate_back_slowly_and_no_further_than_configured() {
    let pace = Pace::per_minute(Some(30));
    burst(&pace).await;
    pace.slow_down(Instant::now());
    let mut after = Vec::new();
    for _ in 0..60 {
        after.push(allowance(&pace).unwrap());
        advance(60 * SECOND).await;
    }
    assert_eq!((after[0], after[1], after[5], after[9]), (15, 16, 20, 28));
    let whole = after.iter().position(|allowed| *allowed == 30).unwrap();
    assert!((10..=15).contains(&whole) && after[59] == 30, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_configured_rate_what_was_seen_is_halved_and_forgotten_in_the_end() {
    let pace = Pace::per_minute(None);
    for _ in 0..400 {
        drop(pace.place(Instant::now()).await.unwrap());
    }
    advance(60 * SECOND).await;
    assert_eq!(pace.slow_down(Instant::now()), Some(200));
    advance(9 * 60 * SECOND).await;
    assert_eq!(allowance(&pace), Some(468));
    advance(50 * 60 * SECOND).await;
    assert_eq!(allowance(&pace), None);
}

#[tokio::test(start_paused = true)]
async fn an_account_with_little_mail_is_not_slowed_to_nothing() {
    let pace = Pace::per_minute(Some(30));
    drop(pace.place(Instant::now()).await.unwrap());
    for _ in 0..5 {
        pace.slow_down(Instant::now());
        advance(11 * SECOND).await;
    }
    assert_eq!(allowance(&pace), Some(6));
    let slow = Pace::per_minute(Some(2));
    assert_eq!((slow.slow_down(Instant::now()), allowance(&slow)), (None, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_sent_or_will_send_counts_here() {
    let (old, new) = (Pace::per_minute(Some(4)), Pace::per_minute(Some(4)));
    drop(old.place(Instant::now()).await.unwrap());
    advance(20 * SECOND).await;
    drop(old.place(Instant::now()).await.unwrap());
    let _under_way = old.place(Instant::now()).await.unwrap();
    let (told, mut begun) = old.told(Instant::now());
    new.take_over(Instant::now(), &told);
    assert!(old.told_since(&mut begun).is_none(), "nothing is told twice");
    assert_eq!(burst(&new).await, 1);
    // The first one has left the minute of the provider, a second later that of ours.
    advance(42 * SECOND).await;
    assert_eq!(burst(&new).await, 1);
    // The second one and one of ours; what the old process had under way may have gone out late.
    advance(20 * SECOND).await;
    assert_eq!(burst(&new).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_another_process_has_learned_holds_and_comes_back_as_it_would_there() {
    let (old, new) = (Pace::per_minute(Some(40)), Pace::per_minute(Some(40)));
    for _ in 0..40 {
        drop(old.place(Instant::now()).await.unwrap());
    }
    assert_eq!(old.slow_down(Instant::now()), Some(20));
    advance(30 * SECOND).await;
    let learned = old.slower(Instant::now()).unwrap();
    new.relearn(learned, Instant::now());
    assert_eq!(new.standing(Instant::now()).map(|(rate, _)| rate), Some(20));
    advance(30 * SECOND).await;
    assert_eq!(new.standing(Instant::now()).map(|(rate, _)| rate), Some(22));
    assert_eq!(old.standing(Instant::now()).map(|(rate, _)| rate), Some(22));
    // What holds here is less already.
    let slow = Pace::per_minute(Some(10));
    slow.relearn(learned, Instant::now());
    assert_eq!(slow.standing(Instant::now()).map(|(rate, _)| rate), Some(10));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_process_sends_later_is_told_once() {
    let (old, new) = (Pace::per_minute(Some(4)), Pace::per_minute(Some(4)));
    let (told, mut begun) = old.told(Instant::now());
    assert!(told.is_empty());
    for _ in 0..3 {
        drop(old.place(Instant::now()).await.unwrap());
    }
    new.take_over(Instant::now(), &[old.told_since(&mut begun).unwrap()]);
    assert_eq!(old.told_since(&mut begun), None);
    assert_eq!(burst(&new).await, 1);
}
