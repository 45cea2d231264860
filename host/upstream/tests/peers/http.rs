//! Deliveries to providers of raw octets that are asked over HTTP: what the client hears of every way in which a request can
//! end, that nobody gets a message twice, and that a connection which was left in the middle is not used again.

mod answers;
mod early;
mod endings;
mod peer;

use posthouse_upstream::deliver::{Content, Delivered};
use posthouse_upstream::error::Error;
use posthouse_upstream::transport::Transport;
use posthouse_upstream::verdict::Clients;

use self::peer::{Peer, Step};
use crate::relay::{MESSAGE, Tokens, send, send_content, until};

const BOTH: [Transport; 2] = [Transport::Graph, Transport::GmailApi];
/// Nobody knows whether it was delivered.
const AMBIGUOUS: (u16, &str) = (451, "ambiguous");
const DELIVERED: (u16, &str) = (250, "delivered");
/// No provider says this.
const STRANGE: (u16, &str) = (451, "not_the_interface");
const LOST: (u16, &str) = (451, "connection_lost");

/// What a provider answers that has taken a message.
fn good(transport: Transport) -> Vec<u8> {
    let answer = match transport {
        Transport::Graph => "HTTP/1.1 202 Accepted\r\nrequest-id: r-01\r\ncontent-length: 0\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"id\":\"m-01\"}",
    };
    answer.into()
}

fn say(octets: impl AsRef<[u8]>) -> Step {
    Step::Say(octets.as_ref().to_vec())
}

/// What the client hears, and how that is counted.
fn heard(sent: &Result<Delivered, Error>) -> (u16, &'static str) {
    match sent {
        Ok(delivered) => (delivered.verdict().reply().code(), "delivered"),
        Err(error) => (error.verdict(Clients::Queueing).reply().code(), error.reason()),
    }
}

/// What became of two messages of which the first one met with this on the first connection: what the client heard of it,
/// and the whole requests on each connection. The second one is always delivered.
async fn told(transport: Transport, first: &[Step]) -> ((u16, &'static str), Vec<usize>) {
    let peer = Peer::start(script(transport, first)).await;
    two(&peer, transport, first).await
}

/// A friendly peer, but for what it does first.
fn script(transport: Transport, first: &[Step]) -> impl Fn(usize) -> Vec<Step> + Send + Sync + 'static {
    let first = first.to_vec();
    move |connection| {
        let mut steps = if connection == 1 { first.clone() } else { Vec::new() };
        steps.extend([Step::Request, say(good(transport))]);
        steps
    }
}

/// The same to a peer of which this is the script.
async fn two(peer: &Peer, transport: Transport, script: &[Step]) -> ((u16, &'static str), Vec<usize>) {
    let pool = peer.pool(transport);
    let first = heard(&send(&pool).await);
    assert_eq!(peer.connections().len(), 1, "it is not sent again: {first:?}");
    if matches!(script.last(), Some(Step::Close | Step::Cut | Step::Reset)) {
        // What is written into an end that was not seen yet is ambiguous: `endings` has that.
        until(|| pool.gauges().open == 0).await;
    }
    let second = send(&pool).await;
    assert_eq!(heard(&second), DELIVERED, "after {first:?}: {second:?}");
    for connection in peer.connections() {
        for request in connection.requests() {
            assert!(!request.is_whole || ends_with_message(transport, &request.body), "a message as it was sent");
        }
    }
    (first, peer.whole())
}

/// Whether the body of a request is the message, but for the recipients in its header.
fn ends_with_message(transport: Transport, body: &[u8]) -> bool {
    match transport {
        // `Hello.` in base64 at any of its three places.
        Transport::Graph => [&b"SGVsbG8"[..], b"hlbGxv", b"IZWxsb"].iter().any(|sought| contains(body, sought)),
        _ => body.ends_with(MESSAGE),
    }
}

fn contains(octets: &[u8], sought: &[u8]) -> bool {
    octets.windows(sought.len()).any(|window| window == sought)
}

/// A message of so many octets.
fn message_of(octets: usize) -> Vec<u8> {
    let mut message = MESSAGE.to_vec();
    while message.len() < octets {
        message.extend_from_slice(b"a line of forty octets, of which many go\r\n");
    }
    message
}

async fn send_big(pool: &posthouse_upstream::pool::Pool, octets: usize) -> Result<Delivered, Error> {
    send_content(pool, &Tokens::default(), Content::Whole(&[&message_of(octets)])).await
}
