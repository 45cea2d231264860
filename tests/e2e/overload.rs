//! An Outlook mailbox with its real limits, and three times as much mail as they allow: the provider sees no more than it
//! bears, and nothing less, and every client hears the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_simulator::limits::Limits;
use posthouse_simulator::provider::Provider;
use tokio::time::{Instant, sleep};

use crate::post::{Post, Usual, send};

/// Exchange Online: 30 messages in any minute.
const PER_MINUTE: usize = 30;
/// Two bursts of a minute's messages, and a little for the second one to arrive.
const RUN: Duration = Duration::from_secs(70);
const CLIENTS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlook_under_three_times_its_load_sees_neither_too_much_nor_too_little() {
    // (Clients here wait 20 s for a reply.)
    let timeouts = "session_wait = \"15 s\"\n";
    let usual = Usual { login: "account = \"outlook\"\n", timeouts, ..Usual::default() };
    let post = Post::simulating(&usual, |options| {
        options.outlook.limits = Limits::of(Provider::Outlook);
        options.outlook.latency = Duration::from_millis(50);
    })
    .await;
    let (offered, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (mut client, offered) = (post.app().await, Arc::clone(&offered));
        clients.push(tokio::spawn(async move {
            let mut accepted = 0_usize;
            while began.elapsed() < RUN {
                offered.fetch_add(1, Ordering::Relaxed);
                let reply =
                    send(&mut client, "app@acme.example", &["ann@example.org"], "Subject: x\r\n\r\nx\r\n").await;
                if reply.starts_with("250 ") {
                    accepted += 1;
                    continue;
                }
                let has_time = reply.contains("; the next message may go in ") && reply.contains(" s, at 20");
                assert!(reply.starts_with("451 4.7.1 the mailbox's rate is used up") && has_time, "{reply}");
                // A queue would try again later; this one only keeps from spinning.
                sleep(Duration::from_millis(500)).await;
            }
            accepted
        }));
    }
    let mut accepted = 0;
    for client in clients {
        accepted += client.await.expect("every client hears 250, or 451 and when");
    }
    let report = post.simulator.report(Provider::Outlook, "box@acme.example").expect("there is such a mailbox");
    let violations = &report.violations;
    assert_eq!((violations.submissions, violations.connections, violations.rate), (0, 0, 0), "{report:?}");
    assert_eq!(report.messages, accepted as u64, "each 250 is a message at the provider, and no other is");
    // In a run of a minute and some seconds the limits allow two minutes' messages.
    let (took, allowed) = (began.elapsed(), 2 * PER_MINUTE);
    assert!(accepted * 100 >= allowed * 95, "{accepted} of {allowed} in {took:?}");
    let offered = offered.load(Ordering::Relaxed);
    assert!(offered >= 3 * accepted, "{offered} were offered");
}
