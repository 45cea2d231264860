//! The way to the webhook: under TLS only to whom the configured roots vouch for, and again while nobody listens.

use std::time::Duration;

use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::{Certificate, Simulator};
use tokio::net::TcpSocket;

use super::receiver::Receiver;
use super::{give_consent, until_state};
use crate::admin::operated::{Operated, admin};
use crate::post::{APP, send};

const BOX: &str = "mail@acme.example";

/// A certificate for `localhost`, and the root that vouches for it: no other test's relay trusts that.
async fn identity() -> (Certificate, String) {
    let authority = Simulator::start(Options::new(Vec::new())).await.expect("loopback has free ports");
    let certificate = authority.issue_certificate("localhost").expect("localhost can stand in a certificate");
    (certificate, authority.ca_pem())
}

/// Sends the relay's alerts to this URL, with these lines.
async fn tell(relay: &Operated, url: &str, more: &str) {
    let alerts = format!("[alerts]\nwebhook = \"{url}\"\ntoken = \"bearer-token\"\n{more}");
    let main = relay.files.main_file(&(admin("") + &alerts));
    let report = relay.files.change("posthouse.toml", &main).await;
    assert!(report.is_good(), "{report}");
}

/// Takes the account's consent away, which a message finds out.
async fn revoke(relay: &Operated) {
    relay.files.simulator.revoke(Provider::Gmail, BOX).expect("a mailbox");
    let mut client = relay.files.client(APP).await;
    let reply = send(&mut client, BOX, &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await;
    assert!(reply.starts_with("454 4.7.0"), "{reply}");
    until_state(relay, "gmail", "needs_consent").await;
}

async fn consent(relay: &Operated) {
    relay.files.simulator.consent(Provider::Gmail, BOX).expect("a mailbox");
    give_consent(relay, "gmail", &format!("refresh-{BOX}")).await.done();
}

/// What was told so far, by event, once there were so many requests.
async fn events(receiver: &Receiver, count: usize) -> Vec<String> {
    let requests = receiver.requests(count).await;
    let events = requests.iter().flat_map(|request| request.alerts());
    events.map(|alert| alert["event"].as_str().expect("a word").to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_under_tls_is_told_whom_the_configured_roots_vouch_for_and_nobody_else() {
    let ((certificate, root), (_, other_root)) = (identity().await, identity().await);
    let receiver = Receiver::secured(&certificate).await;
    let relay = Operated::new().await;
    let url = format!("https://localhost:{}/hook", receiver.address.port());
    relay.files.write("roots.pem", &other_root);
    tell(&relay, &url, "ca_file = \"roots.pem\"\n").await;
    revoke(&relay).await;
    // Tried, and tried again: a certificate that nobody vouches for is no answer.
    receiver.distrusted(2).await;
    assert!(receiver.so_far().is_empty(), "{:?}", receiver.so_far());
    // The system's roots vouch for it no more than those do.
    tell(&relay, &url, "").await;
    receiver.distrusted(3).await;
    assert!(receiver.so_far().is_empty(), "{:?}", receiver.so_far());
    relay.files.write("roots.pem", &root);
    tell(&relay, &url, "ca_file = \"roots.pem\"\n").await;
    assert_eq!(events(&receiver, 1).await, ["needs_consent"]);
    assert!(receiver.so_far()[0].head.contains("authorization: bearer bearer-token"));
    consent(&relay).await;
    assert_eq!(events(&receiver, 2).await, ["needs_consent", "healed"], "each of them once");
}

#[tokio::test]
async fn an_alert_that_nobody_listened_for_comes_once_when_somebody_does() {
    // The port is ours from now on, and refuses connections until it listens.
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback has free ports");
    let address = socket.local_addr().expect("it is bound");
    let relay = Operated::new().await;
    tell(&relay, &format!("http://{address}/hook"), "").await;
    revoke(&relay).await;
    // Nothing can be seen of a connection that is refused. It is tried at once, after 1 s, and after 2 s more.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let receiver = Receiver::on(socket.listen(16).expect("it is bound"), None);
    assert_eq!(events(&receiver, 1).await, ["needs_consent"]);
    consent(&relay).await;
    assert_eq!(events(&receiver, 2).await, ["needs_consent", "healed"], "each of them once");
}
