//! From SMTP to HTTP and back while mail flows: nobody's message notices, and the mailbox keeps its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posthouse_relay::control::report::Outcome;
use posthouse_relay::simulation;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use tokio::task::JoinSet;

use super::message;
use crate::files::Files;
use crate::post::{APP, send};

const TO: &[&str] = &["ann@example.org"];
const BOX: &str = "box@acme.example";

/// The tenant with its account at Outlook, with these lines.
fn acme(files: &Files, more: &str) -> String {
    simulation::login("app", &files.hash, &["@acme.example"], "account = \"outlook\"\n")
        + &simulation::account("outlook", &files.mailboxes[1], &format!("{more}messages_per_minute = 10000\n"))
}

#[tokio::test]
async fn an_account_changes_its_transport_while_mail_flows() {
    let files = Files::new().await;
    // What Outlook bears by SMTP; by Graph it would be one more.
    let three = "sessions = 3\n";
    let by_http = simulation::over_http(&files.simulator, Provider::Outlook) + three;
    switch(&files, (&by_http, three), (4, 3), 30).await;
    let report = files.simulator.report(Provider::Outlook, BOX).expect("the mailbox is there");
    assert!(report.highest_submissions <= 3, "{report:?}");
}

/// Each transport's own number of sessions, with which no message by SMTP may be the fourth: neither one of the new
/// configuration beside requests of the old one, nor one of the old beside those of the new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_bears_each_transport_s_sessions_while_it_changes_from_one_to_the_other() {
    let files = Files::new().await;
    let slow = Fault::new(Stage::Content, Action::Proceed).delay(Duration::from_millis(2)).always();
    files.simulator.inject(Provider::Outlook, slow);
    let by_http = simulation::over_http(&files.simulator, Provider::Outlook);
    switch(&files, (&by_http, ""), (16, 40), 20).await;
    let report = files.simulator.report(Provider::Outlook, BOX).expect("the mailbox is there");
    assert_eq!(report.highest_submissions, 4, "by Graph it is used to the full: {report:?}");
}

/// So many clients send while the account changes so many times to HTTP and back, each time after so many messages. Each
/// message is taken, once, and no limit is run into.
async fn switch(files: &Files, (by_http, by_smtp): (&str, &str), (clients, rounds): (usize, usize), each: u64) {
    let report = files.change("tenants/acme.toml", &acme(files, by_smtp)).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    let over = Arc::new(AtomicBool::new(false));
    let mut sending = JoinSet::new();
    for _ in 0..clients {
        let (mut client, over) = (files.client(APP).await, Arc::clone(&over));
        sending.spawn(async move {
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                let reply = send(&mut client, BOX, TO, &message(TO)).await;
                assert!(reply.starts_with("250 "), "{reply}");
                sent += 1;
            }
            sent
        });
    }
    let mut reached = 0;
    for _ in 0..rounds {
        for more in [by_http, by_smtp] {
            files.simulator.ledger().wait_for(reached + each).await;
            let report = files.change("tenants/acme.toml", &acme(files, more)).await;
            assert_eq!(report.outcome, Outcome::Published, "{report}");
            reached = files.simulator.ledger().accepted();
        }
    }
    files.simulator.ledger().wait_for(reached + each).await;
    over.store(true, Ordering::Relaxed);
    let mut sent = 0;
    while let Some(count) = sending.join_next().await {
        sent += count.expect("each message was delivered");
    }
    assert_eq!(files.simulator.ledger().accepted(), sent, "each message once");
    let report = files.simulator.report(Provider::Outlook, BOX).expect("the mailbox is there");
    assert_eq!(report.violations.total(), 0, "{report:?}");
}

#[tokio::test]
async fn a_mailbox_without_smtp_auth_sends_by_graph() {
    let files = Files::new().await;
    files.simulator.disable(Provider::Outlook, BOX).expect("the mailbox is there");
    files.change("tenants/acme.toml", &acme(&files, "")).await;
    let reply = send(&mut files.client(APP).await, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("454 4.7.0 account's login is switched off"), "{reply}");
    let by_http = simulation::over_http(&files.simulator, Provider::Outlook);
    let report = files.change("tenants/acme.toml", &acme(&files, &by_http)).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    let reply = send(&mut files.client(APP).await, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("250 "), "{reply}");
}

#[tokio::test]
async fn the_day_s_recipients_are_the_mailbox_s_by_whatever_transport() {
    let files = Files::new().await;
    let day = "recipients_per_day = 2\n";
    files.change("tenants/acme.toml", &acme(&files, day)).await;
    let mut client = files.client(APP).await;
    for _ in 0..2 {
        assert!(send(&mut client, BOX, TO, &message(TO)).await.starts_with("250 "));
    }
    let by_http = simulation::over_http(&files.simulator, Provider::Outlook) + day;
    let report = files.change("tenants/acme.toml", &acme(&files, &by_http)).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    let reply = send(&mut client, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("45"), "{reply}");
}
