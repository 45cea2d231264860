//! The end: what is in flight finishes, idle sessions hear 421, nothing new is taken.

use std::time::Duration;

use posthouse_simulator::provider::Provider;
use tokio::net::TcpStream;

use crate::post::{Post, send};

#[tokio::test]
async fn what_is_in_flight_finishes_and_idle_sessions_hear_421() {
    let post = Post::new().await;
    let address = post.address();
    let mut idle = post.app().await;
    let mut busy = post.app().await;
    assert!(send(&mut busy, "app@acme.example", &["ann@example.org"], "one\r\n").await.starts_with("250"));
    post.simulator.set_latency(Provider::Gmail, Duration::from_millis(600));
    busy.expect("MAIL FROM:<app@acme.example>", "250").await;
    busy.expect("RCPT TO:<ann@example.org>", "250").await;
    busy.expect("DATA", "354").await;
    busy.send("two\r\n.\r\n").await;
    let Post { relay, simulator } = post;
    let stopping = tokio::spawn(relay.stop());
    idle.hear("421 4.3.2").await;
    assert!(idle.rest().await.is_empty());
    busy.hear("250").await;
    busy.hear("421").await;
    assert_eq!(stopping.await.expect("the relay stops"), 0);
    assert_eq!(simulator.ledger().accepted(), 2);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
