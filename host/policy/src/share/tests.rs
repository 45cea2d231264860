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

const TICK: Duration = crate::limits::TICK;
