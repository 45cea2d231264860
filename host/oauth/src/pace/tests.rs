//! Turns, by paused time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{AT_ONCE, Pace, Urgency};

/// Who got a turn, and when after the beginning.
type Given = Arc<Mutex<Vec<(Urgency, Duration)>>>;

/// So many requests at once, each of which takes so long; says when each began, and how many there were at a time.
async fn storm(wanted: &[(usize, Urgency)], takes: Duration) -> (Vec<(Urgency, Duration)>, usize) {
    let (pace, given, began) = (Arc::new(Pace::default()), Given::default(), Instant::now());
    let [now, most] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let mut requests = JoinSet::new();
    for urgency in wanted.iter().flat_map(|(count, urgency)| vec![*urgency; *count]) {
        let (pace, given, now, most) = (Arc::clone(&pace), Arc::clone(&given), Arc::clone(&now), Arc::clone(&most));
        requests.spawn(async move {
            let turn = pace.turn("login.example.com", urgency).await;
            given.lock().unwrap().push((urgency, began.elapsed()));
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(takes).await;
            now.fetch_sub(1, Ordering::SeqCst);
            drop(turn);
        });
    }
    requests.join_all().await;
    let given = given.lock().unwrap().clone();
    (given, most.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn six_hundred_requests_at_once_are_a_hundred_a_second() {
    let (given, _) = storm(&[(600, Urgency::Awaited)], Duration::from_millis(100)).await;
    assert_eq!(given.len(), 600);
    for second in 0..7 {
        let within = given.iter().filter(|(_, at)| at.as_secs() == second).count();
        assert!(within <= 100, "{within} in second {second}");
    }
    assert!(given[599].1 < Duration::from_secs(7), "{:?}", given[599]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_slow_has_few_requests_at_a_time() {
    let (given, most) = storm(&[(100, Urgency::Awaited)], Duration::from_secs(3)).await;
    assert_eq!((given.len(), most), (100, AT_ONCE));
}

#[tokio::test(start_paused = true)]
async fn what_a_message_waits_for_goes_before_what_nobody_waits_for() {
    let (given, _) = storm(&[(50, Urgency::Ahead), (50, Urgency::Awaited)], Duration::from_millis(1)).await;
    // The first one stood there alone for a moment.
    let late = given.iter().skip(1).take(49).filter(|(urgency, _)| *urgency == Urgency::Ahead).count();
    assert!(late <= 1, "{given:?}");
}

#[tokio::test(start_paused = true)]
async fn hosts_do_not_wait_for_each_other() {
    let pace = Pace::default();
    let began = Instant::now();
    let mut held = Vec::new();
    for number in 0..100 {
        held.push(pace.turn(&format!("{number}.example.com"), Urgency::Awaited).await);
    }
    assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
}
