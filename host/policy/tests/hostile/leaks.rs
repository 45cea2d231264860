//! A call's memory is nobody else's: neither the next call's in the same slot, nor the next tenant's.

use crate::grounds::{Grounds, HOSTILE, ask, patient, terms};

const CLEAN: &str = "reject new memory: 0 octets not zero; pattern: 0 times";

#[tokio::test]
async fn nothing_of_a_call_is_found_by_the_next_in_its_slot() {
    let grounds = Grounds::shared().await;
    let load = async |harm| grounds.load(HOSTILE, terms(&[("do", harm)], patient())).await.expect("it is taken");
    let (writes, scans) = (load("leak-write").await, load("leak-scan").await);
    for round in 0..200 {
        assert_eq!(ask(&writes, "message").await.end, "proceed", "round {round}");
        assert_eq!(ask(&scans, "message").await.end, CLEAN, "round {round}");
    }
}

#[tokio::test]
async fn nor_by_calls_that_run_at_the_same_time() {
    let grounds = Grounds::shared().await;
    let load = async |harm| grounds.load(HOSTILE, terms(&[("do", harm)], patient())).await.expect("it is taken");
    let (writes, scans) = (load("leak-write").await, load("leak-scan").await);
    for _ in 0..20 {
        let (_, one, _, two) = tokio::join!(
            ask(&writes, "message"),
            ask(&scans, "message"),
            ask(&writes, "message"),
            ask(&scans, "message")
        );
        assert_eq!((one.end.as_str(), two.end.as_str()), (CLEAN, CLEAN));
    }
}
