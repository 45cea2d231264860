//! The provider's limits are kept before it has to say so.

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use std::time::Duration;
use tokio::task::JoinSet;

use super::{BOX, message, post};
use crate::post::send;

const TO: &[&str] = &["ann@example.org"];

#[tokio::test]
async fn no_more_requests_than_four_are_under_way_at_a_time() {
    let post = post(Provider::Outlook, "messages_per_minute = 10000\n").await;
    let slow = Fault::new(Stage::Content, Action::Proceed).delay(Duration::from_millis(50)).always();
    post.simulator.inject(Provider::Outlook, slow);
    let mut clients = JoinSet::new();
    for _ in 0..24 {
        let mut client = post.app().await;
        clients.spawn(async move { send(&mut client, BOX, TO, &message(TO)).await });
    }
    while let Some(reply) = clients.join_next().await {
        let reply = reply.expect("a client is answered");
        assert!(reply.starts_with("250 "), "{reply}");
    }
    post.messages(24).await;
    let report = post.simulator.report(Provider::Outlook, BOX).expect("the mailbox is there");
    assert_eq!((report.highest_submissions, report.violations.total()), (4, 0));
    assert_eq!(post.simulator.ledger().counters(Provider::Outlook).connections, 4);
}

#[tokio::test]
async fn the_rate_and_the_day_are_those_of_the_mailbox() {
    let post = post(Provider::Outlook, "messages_per_minute = 2\n").await;
    let mut client = post.app().await;
    for _ in 0..2 {
        assert!(send(&mut client, BOX, TO, &message(TO)).await.starts_with("250 "));
    }
    let reply = send(&mut client, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("451 4.7.1 "), "{reply}");
    post.messages(2).await;
    let post = super::post(Provider::Gmail, "recipients_per_day = 2\n").await;
    let two = ["ann@example.org", "bob@example.net"];
    let mut client = post.app().await;
    assert!(send(&mut client, BOX, &two, &message(&two)).await.starts_with("250 "));
    let reply = send(&mut client, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("45"), "{reply}");
    post.messages(1).await;
}
