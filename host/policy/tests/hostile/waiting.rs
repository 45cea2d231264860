//! Calls that wait: for a turn, for a place. It is nobody's failure, and nobody else's either.

use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::limits::{self, Limits};
use posthouse_policy::policy::Policy;
use tokio::task::JoinSet;

use crate::files::module;
use crate::grounds::{Grounds, HOSTILE, ask, terms, usual};
use crate::realm::inquiry;

/// An engine of this test's own: what waits here is nothing to other tests.
fn engine() -> Arc<Engine> {
    Engine::new(Mode::Fast, limits::MEMORY_MOST).expect("the machine has room for an engine")
}

async fn load(engine: &Arc<Engine>, file: &[u8], settings: &[(&str, &str)], limits: Limits) -> Policy {
    let compiler = &Grounds::shared().await.compiler;
    Policy::load(engine, compiler, file, terms(settings, limits), inquiry()).await.expect("it is taken")
}

#[tokio::test]
async fn a_call_that_was_kept_waiting_is_not_its_policys_failure() {
    // The share's burst is used up before the processor time is, and a hundredth of a core gives no more in time.
    let limits = Limits { cpu: limits::CPU_MOST, time: Duration::from_millis(600), share: 1, ..usual() };
    let policy = load(&engine(), HOSTILE, &[("do", "loop")], limits).await;
    for _ in 0..6 {
        assert_eq!(ask(&policy, "message").await.end, "waited");
    }
    assert!(!policy.is_resting(), "waiting is no reason to rest");
}

#[tokio::test]
async fn a_call_that_only_loops_is_its_policys_failure() {
    let policy = load(&engine(), HOSTILE, &[("do", "loop")], usual()).await;
    for _ in 0..5 {
        assert_eq!(ask(&policy, "message").await.end, "cpu");
    }
    assert!(policy.is_resting());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_of_waiting_calls_leave_some_for_others() {
    let engine = engine();
    let tables = "(table 1 funcref)".repeat(12);
    let looping = module(2, &tables, "(loop $again br $again)");
    let limits = Limits { cpu: limits::CPU_MOST, time: Duration::from_secs(3), share: 1, ..usual() };
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let policy = Arc::new(load(&engine, &looping, &[], limits).await);
        for _ in 0..limits::CALLS_PER_TENANT {
            let policy = Arc::clone(&policy);
            waiting.spawn(async move { ask(&policy, "message").await.end });
        }
    }
    // Well beyond the burst of each: all of them have their instances now, and wait.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let neighbour = load(&engine, HOSTILE, &[], usual()).await;
    assert_eq!(ask(&neighbour, "message").await.end, "proceed");
    // There was a place, with tables, for each of them.
    let ends = waiting.join_all().await;
    assert!(ends.iter().all(|end| end == "waited"), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tenant_cannot_take_all_places() {
    let engine = engine();
    let limits = Limits { cpu: limits::CPU_MOST, time: Duration::from_secs(3), share: 1, ..usual() };
    let looping = Arc::new(load(&engine, HOSTILE, &[("do", "loop")], limits).await);
    let mut waiting = JoinSet::new();
    for _ in 0..limits::CALLS + 8 {
        let looping = Arc::clone(&looping);
        waiting.spawn(async move { ask(&looping, "message").await.end });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let brief = Limits { time: Duration::from_secs(1), ..usual() };
    let neighbour = load(&engine, HOSTILE, &[], brief).await;
    assert_eq!(ask(&neighbour, "message").await.end, "proceed");
    waiting.shutdown().await;
}
