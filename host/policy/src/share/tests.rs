//! The arithmetic of shares.

use super::*;

#[test]
fn a_burst_is_free_and_what_follows_costs_its_share() {
    let (share, now) = (Share::new(), Instant::now());
    assert_eq!(share.charge(SHARE_BURST, 25, now), Duration::ZERO);
    assert_eq!(share.charge(Duration::from_millis(1), 25, now), Duration::from_millis(4));
    let later = now + Duration::from_millis(4);
    assert_eq!(share.charge(Duration::from_millis(1), 25, later), Duration::from_millis(4));
}

#[test]
fn all_of_a_core_never_waits_at_its_own_pace() {
    let (share, mut now) = (Share::new(), Instant::now());
    for _ in 0..10_000 {
        assert_eq!(share.charge(TICK, 100, now), Duration::ZERO);
        now += TICK;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_alone_has_one_turn_after_the_other() {
    let (share, slow) = (Share::new(), Arc::new(Semaphore::new(1)));
    let mut turn = None;
    for _ in 0..10 {
        let next = share.turn(turn, TICK, 100, &slow, &OWED);
        turn = Some(tokio::time::timeout(Duration::from_secs(5), next).await.expect("nobody else wants the core"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_slow_call_of_a_tenant_waits_for_the_first_and_another_tenant_does_not() {
    let (share, other, slow) = (Share::new(), Share::new(), Arc::new(Semaphore::new(2)));
    let first = share.turn(None, TICK, 100, &slow, &OWED).await;
    let second = share.turn(None, TICK, 100, &slow, &OWED);
    assert!(tokio::time::timeout(Duration::from_secs(5), second).await.is_err());
    let others = other.turn(None, TICK, 100, &slow, &OWED);
    assert!(tokio::time::timeout(Duration::from_secs(5), others).await.is_ok());
    drop(first);
    share.turn(None, TICK, 100, &slow, &OWED).await;
}

const TICK: Duration = crate::limits::TICK;
/// What is owed is the meter's to look at.
static OWED: AtomicU64 = AtomicU64::new(0);
