//! The live trace: who hears what, and what nobody hears.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use posthouse_relay::config::token::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::http::{Ask, PATIENCE, connect};
use super::operated::{ACME, GLOBEX, OPERATOR, Operated, acme};
use crate::post::{APP, send};
use crate::wire::Wire;

/// A stream of events that is open.
struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    async fn open(address: SocketAddr, token: &str) -> Self {
        let mut stream = connect(address, Ipv4Addr::LOCALHOST).await;
        stream.write_all(Ask::get("/v1/trace").token(token).octets().as_bytes()).await.expect("it reads");
        let mut events = Self { stream, heard: String::new() };
        events.until(": listening").await;
        assert!(
            events.heard.starts_with("HTTP/1.1 200") && events.heard.contains("text/event-stream"),
            "{}",
            events.heard
        );
        events
    }

    /// Reads until this was heard.
    async fn until(&mut self, wanted: &str) {
        let waited = timeout(PATIENCE, async {
            while !self.heard.contains(wanted) {
                assert!(self.read().await, "{wanted} is not heard: {}", self.heard);
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{wanted} is not heard: {}", self.heard));
    }

    /// Whether something was read, and not the end.
    async fn read(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        let read = self.stream.read(&mut piece).await.unwrap_or(0);
        self.heard.push_str(&String::from_utf8_lossy(&piece[..read]));
        read > 0
    }

    fn names(&self) -> Vec<&str> {
        self.heard.lines().filter_map(|line| line.strip_prefix("event: ")).collect()
    }

    fn field(&self, event: &str, key: &str) -> serde_json::Value {
        let line = format!("event: {event}\ndata: ");
        let data = self.heard.split_once(&line).unwrap_or_else(|| panic!("no {event} in {}", self.heard)).1;
        let data: serde_json::Value = serde_json::from_str(data.lines().next().expect("a line")).expect("JSON");
        data[key].clone()
    }
}

#[tokio::test]
async fn a_session_is_followed_from_its_begin_to_its_end_without_anything_private() {
    let relay = Operated::new().await;
    let mut all = Events::open(relay.address, OPERATOR).await;
    let mut own = Events::open(relay.address, ACME).await;
    let mut others = Events::open(relay.address, GLOBEX).await;
    let mut client = relay.files.client(APP).await;
    let message = "Subject: confidential matter\r\n\r\nthe body of it\r\n";
    let heard = send(&mut client, "ann.private@acme.example", &["bob.hidden@example.org"], message).await;
    assert!(heard.starts_with("250 "), "{heard}");
    client.expect("MAIL FROM:<me@elsewhere.example>", "553").await;
    client.expect("QUIT", "221").await;
    all.until("event: session_ended").await;
    own.until("event: session_ended").await;
    let steps = ["login_accepted", "mail", "content", "decided", "delivered", "mail_refused", "session_ended"];
    assert_eq!(all.names(), [&["session_begun"], &steps[..]].concat());
    // Before its login the session is nobody's.
    assert_eq!(own.names(), steps);
    assert_eq!((all.field("delivered", "tenant"), all.field("delivered", "account")), ("acme".into(), "gmail".into()));
    assert_eq!((all.field("delivered", "generation"), all.field("mail", "generation")), (2.into(), 2.into()));
    assert_eq!((all.field("delivered", "recipients"), all.field("decided", "carrier")), (1.into(), "route all".into()));
    assert_eq!(all.field("delivered", "transaction"), all.field("mail", "transaction"));
    assert_eq!(
        (all.field("mail_refused", "reply"), all.field("session_ended", "transactions")),
        ("553 5.7.1".into(), 1.into())
    );
    assert!(
        all.field("mail", "sender").as_str().is_some_and(|sender| sender.ends_with("..@acme.example")),
        "{}",
        all.heard
    );
    assert!(all.field("delivered", "took_ms").as_f64().is_some_and(|took| took > 0.0), "{}", all.heard);
    for private in [
        "ann.private",
        "bob.hidden",
        "confidential",
        "the body",
        "secret",
        "example.org",
        OPERATOR,
        &relay.files.mailboxes[0].refresh_token,
    ] {
        assert!(!all.heard.contains(private), "{private} is told: {}", all.heard);
    }
    // The neighbour hears its own mail, and that is the first that it hears.
    let mut other = relay.files.client(crate::post::OTHER).await;
    assert!(send(&mut other, "me@globex.example", &["ann@example.org"], message).await.starts_with("250 "));
    others.until("event: delivered").await;
    assert!(!others.heard.contains("acme") && others.names()[0] == "login_accepted", "{}", others.heard);
}

#[tokio::test]
async fn a_wrong_login_is_told_without_what_was_typed() {
    let relay = Operated::new().await;
    let mut all = Events::open(relay.address, OPERATOR).await;
    let mut own = Events::open(relay.address, ACME).await;
    let mut stranger = Wire::connect(relay.files.address()).await;
    stranger.hear("220 ").await;
    stranger.expect("EHLO client.example.com", "250").await;
    // hunter2 in the place of the name; then `app` with a wrong password.
    stranger.expect("AUTH PLAIN AGh1bnRlcjIAaHVudGVyMg==", "535").await;
    stranger.expect("AUTH PLAIN AGFwcABodW50ZXIy", "535").await;
    all.until("\"login\":\"app\"").await;
    own.until("event: login_refused").await;
    assert!(
        !all.heard.contains("hunter2") && all.names().iter().filter(|name| **name == "login_refused").count() == 2,
        "{}",
        all.heard
    );
    assert_eq!((own.names(), own.field("login_refused", "reply")), (vec!["login_refused"], "535 5.7.8".into()));
}

#[tokio::test]
async fn what_is_not_delivered_is_told_with_its_reason() {
    let relay = Operated::new().await;
    let mut own = Events::open(relay.address, ACME).await;
    relay.pause("/v1/tenants/acme", OPERATOR).await.done();
    let mut client = relay.files.client(APP).await;
    client.expect("MAIL FROM:<me@acme.example>", "451").await;
    own.until("event: mail_refused").await;
    assert_eq!(
        (own.field("mail_refused", "reply"), own.field("mail_refused", "generation")),
        ("451 4.3.2".into(), 3.into())
    );
    relay.post("/v1/tenants/acme/resume", OPERATOR).await.done();
    let bad = acme(&relay.files).replace(&relay.files.mailboxes[0].refresh_token, "revoked");
    relay.files.change("tenants/acme.toml", &bad.replace("[\"gmail\", \"outlook\"]", "[\"gmail\"]")).await;
    send(&mut client, "me@acme.example", &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await;
    own.until("event: deferred").await;
    assert_eq!(
        (own.field("deferred", "reason"), own.field("deferred", "account")),
        ("no_login".into(), "gmail".into())
    );
}

#[tokio::test]
async fn a_token_that_is_taken_away_hears_nothing_more() {
    let relay = Operated::new().await;
    let mut own = Events::open(relay.address, ACME).await;
    let mut all = Events::open(relay.address, OPERATOR).await;
    let hash = Digest::of(ACME.as_bytes()).to_string();
    let other = Digest::of(b"another").to_string();
    let report = relay.files.change("tenants/acme.toml", &acme(&relay.files).replace(&hash, &other)).await;
    assert!(report.is_good(), "{report}");
    let ended = timeout(PATIENCE, async { while own.read().await {} }).await;
    assert!(ended.is_ok(), "the stream ends");
    let _client = relay.files.client(APP).await;
    all.until("event: login_accepted").await;
    assert!(!own.heard.contains("login_accepted"), "{}", own.heard);
}

#[tokio::test]
async fn listeners_are_bounded_and_leave_no_trace() {
    let relay = Operated::new().await;
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Events::open(relay.address, ACME).await);
    }
    relay.get("/v1/trace", OPERATOR).await.refused(503);
    drop(open);
    let again = timeout(PATIENCE, async {
        // Whoever is gone is noticed when something is to be told, at the latest with the next heartbeat.
        while relay.get("/v1/trace", OPERATOR).await.status != 200 {
            tokio::task::yield_now().await;
        }
    });
    again.await.expect("places come back");
}

#[tokio::test]
async fn a_slow_reader_loses_events_and_is_told_how_many() {
    // More than the system's buffers hold. Each session has these mails, and begins, logs in and ends.
    const SESSIONS: usize = 500;
    const MAILS: usize = 45;
    let relay = Operated::new().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(relay.address).await.expect("the admin address is there");
    stream.write_all(Ask::get("/v1/trace").token(OPERATOR).octets().as_bytes()).await.expect("it reads");
    let mut slow = Events { stream, heard: String::new() };
    slow.until(": listening").await;
    // Nobody who sends mail waits for it.
    for _ in 0..SESSIONS {
        let mut client = relay.files.client(APP).await;
        client.send("MAIL FROM:<me@acme.example>\r\nRSET\r\n".repeat(MAILS)).await;
        for _ in 0..2 * MAILS {
            client.hear("250 ").await;
        }
        client.expect("QUIT", "221").await;
    }
    // All of it is sent: what is not here in a moment does not come.
    while timeout(Duration::from_secs(1), slow.read()).await.is_ok_and(|is_more| is_more) {}
    let number = |line: &str| {
        let number = line.strip_prefix("data: {\"event\":\"lost\",\"lost\":")?.strip_suffix('}')?;
        number.parse::<usize>().ok()
    };
    let lost: usize = slow.heard.lines().filter_map(number).sum();
    let heard = slow.names().into_iter().filter(|name| *name != "lost").count();
    assert_eq!(heard + lost, (MAILS + 3) * SESSIONS, "{heard} heard, {lost} lost");
    assert!(heard > 256 && lost > 1_000, "{heard} heard, {lost} lost");
}
