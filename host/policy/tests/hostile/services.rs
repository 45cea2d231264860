//! Harms to what the host offers: the log, the counters, the memory of a tenant, the message.

use crate::grounds::{Grounds, HOSTILE, Seen, patient};

const ANYWHERE: &[&str] = &["describe", "settings", "recipient", "message", "outcome"];

async fn seen(harm: &str) -> Seen {
    Grounds::shared().await.suffer(HOSTILE, "message", &[("do", harm), ("needs-body", "true")], patient()).await
}

#[tokio::test]
async fn services_can_be_asked_too_much_of_anywhere() {
    let table = &[
        ("log-bomb", "proceed"),
        ("log-huge", "trap"),
        ("log-control", "proceed"),
        ("counters-bomb", "proceed"),
        ("counters-bad-names", "trap"),
        ("counters-overflow", "proceed"),
        ("key-value-bomb", "proceed"),
        ("key-value-huge-value", "trap"),
        ("key-value-huge-key", "trap"),
        ("key-value-huge-question", "trap"),
        ("key-value-for-ever", "proceed"),
        ("key-value-no-time", "proceed"),
        ("key-value-overflow", "proceed"),
        ("key-value-not-a-number", "proceed"),
        ("leak-write", "proceed"),
    ];
    Grounds::shared().await.table(HOSTILE, ANYWHERE, patient(), table).await;
}

#[tokio::test]
async fn the_message_can_be_read_so_often_and_no_further() {
    let table = &[
        ("read-headers-over-budget", "cpu"),
        ("read-body-beyond", "proceed"),
        ("read-header-beyond", "proceed"),
        ("read-header-huge-name", "trap"),
    ];
    Grounds::shared().await.table(HOSTILE, &["message"], patient(), table).await;
    let seen = seen("read-body-over-budget").await;
    assert_eq!((seen.end.as_str(), seen.lines), ("proceed", vec!["read-body: budget".to_owned()]));
}

#[tokio::test]
async fn a_log_is_not_forged() {
    let seen = seen("log-control").await;
    assert_eq!(seen.lines.len(), 1, "{:?}", seen.lines);
    assert!(seen.lines[0].starts_with(r"a\r\nb\u{0}c\u{1b}[31md\u{7f}e\u{85}f\u{2028}g\u{202e}h "), "{:?}", seen.lines);
}

#[tokio::test]
async fn counters_are_few_and_well_named() {
    let names = seen("counters-bomb").await.tenant;
    assert_eq!((names.counters.counts().len(), names.counters.dropped()), (32, 99_968));
    assert_eq!(seen("counters-bad-names").await.tenant.counters.counts(), []);
    assert_eq!(seen("counters-overflow").await.tenant.counters.counts(), [("overflow".to_owned(), u64::MAX)]);
}

#[tokio::test]
async fn the_key_value_memory_says_what_it_does_not_take() {
    for (harm, lines) in [
        ("key-value-bomb", &["key-value: full after 249"][..]),
        ("key-value-for-ever", &["key-value: written"]),
        ("key-value-no-time", &["key-value: written"]),
        ("key-value-overflow", &["key-value: written", "key-value: written"]),
        ("key-value-not-a-number", &["key-value: written", "key-value: not-a-number"]),
    ] {
        assert_eq!(seen(harm).await.lines, lines, "{harm}");
    }
}
