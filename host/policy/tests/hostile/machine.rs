//! Harms to the machine: time, memory, stack, traps; and raw results that no bindings make.

use crate::grounds::{FORGER, Grounds, HOSTILE, patient, usual};

const ANYWHERE: &[&str] = &["describe", "settings", "recipient", "message", "outcome"];

#[tokio::test]
async fn what_never_ends_is_ended() {
    let table = &[
        ("loop", "cpu"),
        ("loop-with-host-calls", "cpu"),
        ("loop-with-host-lists", "cpu"),
        ("loop-with-memory-fill", "cpu"),
        ("loop-with-allocations", "cpu"),
    ];
    Grounds::shared().await.table(HOSTILE, ANYWHERE, usual(), table).await;
}

#[tokio::test]
async fn memory_and_stack_have_an_end() {
    let table = &[
        ("grow-memory", "memory"),
        ("grow-memory-and-go-on", "proceed"),
        ("grow-memory-at-once", "proceed"),
        ("allocate", "memory"),
        ("recurse", "stack|trap"),
        ("recurse-without-memory", "stack"),
    ];
    Grounds::shared().await.table(HOSTILE, ANYWHERE, patient(), table).await;
}

#[tokio::test]
async fn a_trap_is_a_failure_of_its_own_call() {
    let table = &[
        ("unreachable", "trap"),
        ("panic", "trap"),
        ("divide-by-zero", "trap"),
        ("out-of-bounds", "trap"),
        ("call-nowhere", "trap"),
    ];
    Grounds::shared().await.table(HOSTILE, ANYWHERE, usual(), table).await;
}

#[tokio::test]
async fn a_handle_that_is_none_is_a_trap() {
    let table = &[
        ("handle-forged", "trap"),
        ("handle-zero", "trap"),
        ("handle-dropped", "trap"),
        ("handle-dropped-twice", "trap"),
        ("handle-kept", "proceed"),
    ];
    let grounds = Grounds::shared().await;
    grounds.table(HOSTILE, &["recipient", "message", "outcome"], usual(), table).await;
    let table = &[("handle-guessed", "trap|instruction"), ("handle-of-another-kind", "trap")];
    grounds.table(HOSTILE, &["message"], usual(), table).await;
}

#[tokio::test]
async fn a_forged_result_is_never_believed() {
    let table = &[
        ("", "proceed"),
        ("honest", "reject no"),
        ("discriminant-3", "trap"),
        ("discriminant-255", "trap"),
        ("text-beyond-memory", "trap"),
        ("text-longer-than-memory", "trap"),
        ("text-wraps-round", "trap"),
        ("text-not-utf8", "trap"),
        ("result-beyond-memory", "trap"),
        ("result-misaligned", "trap"),
        ("result-null", "proceed"),
        ("handles-kept", "proceed"),
        ("trap-afterwards", "trap"),
        ("loop-afterwards", "cpu"),
        ("import-afterwards", "trap"),
    ];
    let grounds = Grounds::shared().await;
    grounds.table(FORGER, &["message"], usual(), table).await;
    grounds.table(FORGER, &["describe"], usual(), &[("bool-2", "proceed"), ("result-7", "trap")]).await;
}
