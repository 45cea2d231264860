//! The ledger, by what is counted and kept.

use std::sync::Arc;
use std::time::Duration;

use super::{Content, Entry, Ledger};
use crate::gathered::Gathered;
use crate::options::Keep;
use crate::provider::Provider;

fn entry(connection: u64, keep: Keep) -> Entry {
    let mut content = Gathered::nothing(keep);
    content.take(&mut b"A: b\r\n\r\n".to_vec());
    content.take(&mut b"text\r\n".to_vec());
    Entry {
        provider: Provider::Gmail,
        mailbox: Arc::from("box@example.com"),
        reverse_path: "box@example.com".to_owned(),
        recipients: vec!["a@example.org".to_owned(), "b@example.org".to_owned()],
        content,
        connection,
        index: 1,
    }
}

#[test]
fn messages_of_all_shards_come_in_the_order_of_their_acceptance() {
    let ledger = Ledger::new(Keep::Whole);
    for connection in [90, 3, 41, 7, 90, 2] {
        ledger.record(entry(connection, Keep::Whole));
    }
    let connections: Vec<u64> = ledger.messages().iter().map(|message| message.connection).collect();
    assert_eq!(connections, [90, 3, 41, 7, 90, 2]);
    assert_eq!(ledger.messages()[0].text(), "A: b\r\n\r\ntext\r\n");
    assert_eq!(ledger.messages_to("B@example.org").len(), 6);
    ledger.clear();
    assert_eq!((ledger.accepted(), ledger.messages().len()), (0, 0));
}

#[test]
fn a_digest_is_what_is_left_where_contents_are_not_kept() {
    let ledger = Ledger::new(Keep::Digest);
    ledger.record(entry(1, Keep::Digest));
    let digest = crate::digest::digest(b"A: b\r\n\r\ntext\r\n");
    let body = crate::digest::digest(b"text\r\n");
    assert_eq!(ledger.messages()[0].content, Content::Digest { octets: 14, digest, body });
}

#[test]
fn counting_keeps_nothing_and_counts_all() {
    let ledger = Ledger::new(Keep::Count);
    ledger.record(entry(1, Keep::Count));
    let counters = ledger.counters(Provider::Gmail);
    assert_eq!((counters.messages, counters.recipients, counters.octets), (1, 2, 14));
    assert_eq!((ledger.accepted(), ledger.messages().len()), (1, 0));
    assert_eq!(ledger.counters(Provider::Outlook).messages, 0);
}

#[tokio::test]
async fn who_waits_for_messages_is_woken_by_the_last_of_them() {
    let ledger = Arc::new(Ledger::new(Keep::Whole));
    let waiting = tokio::spawn({
        let ledger = Arc::clone(&ledger);
        async move { ledger.wait_for(2).await.len() }
    });
    tokio::task::yield_now().await;
    ledger.record(entry(1, Keep::Whole));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    ledger.record(entry(2, Keep::Whole));
    let messages = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert_eq!(messages, 2);
}
