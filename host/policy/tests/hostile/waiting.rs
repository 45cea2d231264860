//! Calls that wait: for a turn, for a place. It is nobody's failure, and nobody else's either.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::limits::{self, Limits};
use posthouse_policy::meter::thread_time;
use posthouse_policy::policy::{Policy, Terms};
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

/// The share's burst is used up before the processor time is, and a hundredth of a core gives no more in time.
fn starved(time: Duration) -> Limits {
    Limits { cpu: limits::CPU_MOST, time, share: 1, ..usual() }
}

#[tokio::test]
async fn a_call_that_was_kept_waiting_is_not_its_policys_failure() {
    let engine = engine();
    let first = Arc::new(load(&engine, HOSTILE, &[("do", "loop")], starved(limits::TIME_MOST)).await);
    let terms = Terms { tenant: Arc::clone(&first.terms().tenant), limits: brief(), ..first.terms().clone() };
    let policy = first.on(terms);
    // The first call of the tenant has its turns from now on, and none of the others gets one.
    let mut held = JoinSet::new();
    held.spawn(async move { ask(&first, "message").await.end });
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..6 {
        assert_eq!(ask(&policy, "message").await.end, "waited");
    }
    assert!(!policy.is_resting(), "waiting for others is no reason to rest");
    held.shutdown().await;
}

/// What a call of these limits has not done in time was not for lack of processor time.
fn brief() -> Limits {
    Limits { cpu: limits::CPU_MOST, time: Duration::from_millis(200), ..usual() }
}

#[tokio::test]
async fn a_policy_that_uses_up_its_share_call_by_call_rests() {
    let policy = load(&engine(), HOSTILE, &[("do", "loop")], starved(Duration::from_millis(600))).await;
    // The first calls use up the burst, and say nothing; on a machine that is busy with other tests there are many.
    let mut asked = 0;
    while !policy.is_resting() {
        let end = ask(&policy, "message").await.end;
        assert!(end == "overdrawn" || end == "waited", "{end}");
        asked += 1;
        assert!(asked <= 60, "it is asked again and again");
    }
    assert_eq!(ask(&policy, "message").await.end, "resting");
}

#[tokio::test]
async fn a_policy_that_was_slow_holds_no_worker_any_more() {
    let policy = load(&engine(), HOSTILE, &[("do", "loop")], usual()).await;
    assert_eq!(ask(&policy, "message").await.end, "cpu");
    let mut next = std::pin::pin!(ask(&policy, "message"));
    let before = thread_time();
    let polled = std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await;
    let held = Duration::from_nanos(thread_time() - before);
    assert!(polled.is_pending() && held < limits::TICK, "this thread ran the guest for {held:?}");
    assert_eq!(next.await.end, "cpu");
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
    let limits = starved(Duration::from_secs(3));
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
    assert!(ends.iter().all(|end| end == "waited" || end == "overdrawn"), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tenant_cannot_take_all_places() {
    let engine = engine();
    let limits = starved(Duration::from_secs(3));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_tenants_whose_calls_wait_leave_places_for_others() {
    let engine = engine();
    let mut waiting = JoinSet::new();
    for _ in 0..12 {
        let looping = Arc::new(load(&engine, HOSTILE, &[("do", "loop")], starved(Duration::from_secs(4))).await);
        for _ in 0..limits::CALLS_PER_TENANT {
            let looping = Arc::clone(&looping);
            waiting.spawn(async move { ask(&looping, "message").await.end });
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let brief = Limits { time: Duration::from_secs(1), ..usual() };
    let neighbour = load(&engine, HOSTILE, &[], brief).await;
    assert_eq!(ask(&neighbour, "message").await.end, "proceed");
    waiting.shutdown().await;
}
