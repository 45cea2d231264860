//! Upgrades while many clients send: nobody is refused, nothing is lost, nothing is doubled.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_simulator::provider::Provider;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::post::APP;
use crate::processes::{Host, end, ended, text};

/// Clients of the mailbox that may have 10 sessions, and of the one that may have 3.
const CLIENTS: [(&str, usize); 2] = [("app@acme.example", 24), ("box@acme.example", 8)];
const UPGRADES: usize = 5;

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    /// Replies 421 between two messages.
    closed: AtomicUsize,
    sent: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_upgrades_under_load_lose_double_and_refuse_nothing() {
    let anywhere = "127.0.0.1:0".parse().expect("an address");
    let host = Host::new(anywhere, Some(anywhere), "").await;
    host.simulator.set_latency(Provider::Gmail, Duration::from_millis(10));
    host.simulator.set_latency(Provider::Outlook, Duration::from_millis(10));
    let service = host.start().await;
    let address = service.address();
    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for (from, count) in CLIENTS {
        (0..count).for_each(|number| drop(clients.spawn(client(address, from, number, Arc::clone(&seen)))));
    }
    let mut processes = vec![service.process];
    for upgrade in 1..=UPGRADES {
        let sent = seen.sent.load(Ordering::SeqCst);
        while seen.sent.load(Ordering::SeqCst) < sent + 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let output = host.upgrade(&[]).await;
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(service.address(), address, "the port stays");
        let process = host.pid();
        assert!(!processes.contains(&process), "upgrade {upgrade} has another process");
        processes.push(process);
    }
    seen.stop.store(true, Ordering::SeqCst);
    let sent: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    for old in &processes[..UPGRADES] {
        let status = ended(*old).await;
        assert!(status.success(), "process {old}: {status:?}");
    }
    end(processes[UPGRADES]).await;
    let mut copies: HashMap<String, usize> = HashMap::new();
    for message in host.simulator.ledger().messages() {
        let text = message.text();
        let id = text.split("Subject: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default();
        *copies.entry(id.to_owned()).or_default() += 1;
    }
    assert!(sent.iter().all(|id| copies.get(id) == Some(&1)), "each 250 has one copy");
    assert_eq!(copies.len(), sent.len(), "and nothing else has any");
    assert!(seen.closed.load(Ordering::SeqCst) > 0, "sessions were told to come again");
    sessions_are_told_apart(&service.said());
}

/// Sends one message after the other until it is told to stop; the ids of those that were taken. Whatever is not as
/// it should be ends the test.
async fn client(address: SocketAddr, from: &'static str, number: usize, seen: Arc<Seen>) -> Vec<String> {
    let mut sent = Vec::new();
    while !seen.stop.load(Ordering::SeqCst) {
        let stream = TcpStream::connect(address).await.expect("nobody is refused");
        let mut stream = BufReader::new(stream);
        if !converse(&mut stream, from, number, &seen, &mut sent).await {
            seen.closed.fetch_add(1, Ordering::SeqCst);
        }
    }
    sent
}

/// One connection; whether it was the client that ended it.
async fn converse(
    stream: &mut BufReader<TcpStream>,
    from: &str,
    number: usize,
    seen: &Seen,
    sent: &mut Vec<String>,
) -> bool {
    assert_eq!(reply(stream).await, "220");
    for (line, expected) in [("EHLO client.example.com".to_owned(), "250"), (format!("AUTH PLAIN {APP}"), "235")] {
        match ask(stream, &line).await.as_str() {
            "421" => return false,
            other => assert_eq!(other, expected, "{line}"),
        }
    }
    while !seen.stop.load(Ordering::SeqCst) {
        let id = format!("{from}-{number}-{}", sent.len());
        for (line, expected) in [
            (format!("MAIL FROM:<{from}>"), "250"),
            ("RCPT TO:<ann@example.org>".to_owned(), "250"),
            ("DATA".to_owned(), "354"),
        ] {
            match ask(stream, &line).await.as_str() {
                // No content was begun: the message is the client's still.
                "421" => return false,
                other => assert_eq!(other, expected, "{line}"),
            }
        }
        // In two pieces, so that upgrades fall into contents as well.
        stream.write_all(format!("Subject: {id}\r\n").as_bytes()).await.expect("a content is read to its end");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let ends = ask(stream, "\r\nbody\r\n.").await;
        assert_eq!(ends, "250", "{id}");
        sent.push(id);
        seen.sent.fetch_add(1, Ordering::SeqCst);
    }
    true
}

async fn ask(stream: &mut BufReader<TcpStream>, line: &str) -> String {
    // A session that has been told to come again does not read any more, and its 421 is there all the same.
    let _closed = stream.write_all(format!("{line}\r\n").as_bytes()).await;
    reply(stream).await
}

/// The code of the next reply.
async fn reply(stream: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a reply comes before the end");
        assert!(!line.is_empty(), "the connection ended without a reply");
        if line.as_bytes().get(3) != Some(&b'-') {
            return line.chars().take(3).collect();
        }
    }
}

/// No two processes gave a session the same id.
fn sessions_are_told_apart(said: &[String]) {
    let mut ids = HashMap::new();
    for line in said.iter().filter(|line| line.contains("\"message\":\"session begun\"")) {
        let id =
            line.split("\"session\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a session has an id");
        assert_eq!(ids.insert(id.to_owned(), line), None, "{line}");
    }
    assert!(ids.len() > CLIENTS.iter().map(|(_, count)| count).sum(), "there were sessions");
}
