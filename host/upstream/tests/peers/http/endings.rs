//! Connections that end before a request, within it and after it, in every way in which they can.

use std::time::Duration;

use posthouse_net::connector::Connector;
use posthouse_upstream::deliver::{Content, Piece, Streamed};
use posthouse_upstream::pool::Pool;
use posthouse_upstream::transport::Transport;
use tokio::sync::mpsc;

use super::peer::{Peer, Step};
use super::{AMBIGUOUS, BOTH, DELIVERED, LOST, good, heard, message_of, say, script, send_big, told, two};
use crate::relay::{Tokens, send, send_content, until};
use crate::tls::certificate;

const BIG: usize = 2_000_000;

#[tokio::test]
async fn an_end_that_is_seen_before_a_request_costs_nothing() {
    for transport in BOTH {
        for end in [Step::Close, Step::Reset] {
            let steps = [Step::Request, say(good(transport)), Step::Bell, end.clone()];
            let peer = Peer::start(script(transport, &steps)).await;
            let pool = peer.pool(transport);
            assert_eq!(heard(&send(&pool).await), DELIVERED);
            peer.at_bell(1).await;
            peer.ring();
            until(|| pool.gauges().open == 0).await;
            assert_eq!(heard(&send(&pool).await), DELIVERED);
            assert_eq!((peer.whole(), pool.gauges().retries), (vec![1, 1], 0), "{transport:?}, {end:?}");
        }
    }
}

/// A second message after an end that the relay, whose thread is kept busy, does not come to see before.
async fn after_an_unseen(transport: Transport, end: Step) -> ((u16, &'static str), Vec<usize>, u64) {
    let steps = [Step::Request, say(good(transport)), Step::Bell, end];
    let peer = Peer::on_a_thread(script(transport, &steps));
    let pool = peer.pool(transport);
    assert_eq!(heard(&send(&pool).await), DELIVERED);
    peer.at_bell(1).await;
    peer.ring();
    while !peer.has_ended(1) {
        std::thread::yield_now();
    }
    let second = heard(&send(&pool).await);
    (second, peer.whole(), pool.gauges().retries)
}

#[tokio::test]
async fn a_request_of_which_no_octet_left_is_begun_anew_once() {
    for transport in BOTH {
        for end in [Step::Reset, Step::Cut] {
            let told = after_an_unseen(transport, end.clone()).await;
            assert_eq!(told, (DELIVERED, vec![1, 1], 1), "{transport:?}, {end:?}");
        }
    }
}

/// The peer has read some of it, and by its end nobody knows how much.
#[tokio::test]
async fn a_whole_request_that_was_written_into_an_end_is_ambiguous() {
    for transport in BOTH {
        for end in [Step::Close, Step::Cut, Step::Reset] {
            for before in [&[][..], &[Step::Request, say(good(transport))]] {
                let behind = before.len() / 2;
                let steps = [before, &[Step::More, end.clone()]].concat();
                let peer = Peer::start(script(transport, &steps)).await;
                let pool = peer.pool(transport);
                for _ in 0..behind {
                    assert_eq!(heard(&send(&pool).await), DELIVERED);
                }
                assert_eq!(heard(&send(&pool).await), AMBIGUOUS, "{transport:?}, {end:?} behind {behind}");
                assert_eq!((peer.connections().len(), pool.gauges().retries, pool.gauges().open), (1, 0, 0));
                assert_eq!(heard(&send(&pool).await), DELIVERED);
                assert_eq!(peer.whole()[1], 1);
            }
        }
    }
}

/// Nobody has it, and the client is the one who sends it again.
#[tokio::test]
async fn a_request_that_breaks_off_within_is_nobody_s_and_not_begun_anew() {
    for transport in BOTH {
        for end in [Step::Close, Step::Cut, Step::Reset] {
            for octets in [1, 300, 100_000] {
                let peer = Peer::start(script(transport, &[Step::Octets(octets), end.clone()])).await;
                let pool = peer.pool(transport);
                assert_eq!(heard(&send_big(&pool, BIG).await), LOST, "{transport:?}, {end:?} after {octets}");
                assert_eq!((peer.whole(), pool.gauges().retries), (vec![0], 0));
                assert_eq!(heard(&send(&pool).await), DELIVERED);
                assert_eq!(peer.whole(), [0, 1]);
            }
            // The same on a connection that has carried a message.
            let steps = [Step::Request, say(good(transport)), Step::Octets(100_000), end.clone()];
            let peer = Peer::start(script(transport, &steps)).await;
            let pool = peer.pool(transport);
            assert_eq!(heard(&send(&pool).await), DELIVERED);
            assert_eq!(heard(&send_big(&pool, BIG).await), LOST, "{transport:?}, {end:?}");
            assert_eq!((peer.whole(), pool.gauges().retries), (vec![1], 0));
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_ended_at_once_is_not_dialled_again() {
    for transport in BOTH {
        for end in [Step::Close, Step::Reset] {
            let ((code, reason), whole) = told(transport, std::slice::from_ref(&end)).await;
            assert!(code == 451 && ["ambiguous", "connection_lost"].contains(&reason), "{code} {reason}");
            assert_eq!(whole, [0, 1], "{transport:?}, {end:?}");
        }
    }
}

/// A message that is still on its way from the client, so that the request says no length.
async fn send_streamed(pool: &Pool, pieces: &[Piece]) -> (u16, &'static str) {
    let (sender, mut body) = mpsc::channel(pieces.len());
    for piece in pieces {
        let piece = match piece {
            Piece::Octets(octets) => Piece::Octets(octets.clone()),
            Piece::End => Piece::End,
        };
        sender.try_send(piece).unwrap();
    }
    drop(sender);
    let stall = Duration::from_secs(10);
    let content = Content::Streamed(Streamed { header: b"Subject: test\r\n\r\n", body: &mut body, stall });
    heard(&send_content(pool, &Tokens::default(), content).await)
}

#[tokio::test]
async fn a_message_whose_length_is_not_known_ends_where_its_client_says_so() {
    let hello = || Piece::Octets(b"Hello.\r\n".to_vec());
    for transport in BOTH {
        let peer = Peer::start(script(transport, &[Step::Request, Step::Cut])).await;
        let pool = peer.pool(transport);
        assert_eq!(send_streamed(&pool, &[hello(), Piece::End]).await, AMBIGUOUS);
        assert_eq!((peer.whole(), pool.gauges().retries), (vec![1], 0));
        assert_eq!(send_streamed(&pool, &[hello(), hello(), Piece::End]).await, DELIVERED);
        // Half of one is broken off, and never looks whole.
        let half = Piece::Octets(message_of(300_000));
        assert_eq!(send_streamed(&pool, &[half]).await, (451, "abandoned"));
        until(|| peer.has_ended(2)).await;
        assert_eq!((peer.whole(), pool.gauges().open), (vec![1, 1], 0));
        assert!(peer.connections()[1].requests().iter().any(|request| !request.is_whole));
    }
}

/// Under TLS an end that is not TLS's own may be anybody's: what is framed is whole without it, and what is not may be
/// cut off.
#[tokio::test]
async fn an_end_that_is_not_tls_s_own_ends_no_answer() {
    let (acceptor, trust) = certificate("smtp.example.com");
    let connector = Connector::new(&trust).unwrap();
    for transport in BOTH {
        let status = if transport == Transport::Graph { "202 Accepted" } else { "200 OK" };
        let open = format!("HTTP/1.1 {status}\r\n\r\n{{\"id\":\"m-01\"}}");
        let framed = good(transport);
        let by_its_end = if transport == Transport::Graph { DELIVERED } else { AMBIGUOUS };
        for (answer, end, expected) in [
            (&framed[..], Step::Cut, DELIVERED),
            (&framed[..], Step::Close, DELIVERED),
            (open.as_bytes(), Step::Close, DELIVERED),
            (open.as_bytes(), Step::Cut, by_its_end),
            (&open.as_bytes()[..open.len() - 6], Step::Cut, by_its_end),
            (&framed[..20], Step::Cut, AMBIGUOUS),
            (&framed[..20], Step::Close, AMBIGUOUS),
            (b"", Step::Cut, AMBIGUOUS),
        ] {
            let steps = [Step::Request, say(answer), Step::Pause, end.clone()];
            let peer = Peer::with_tls((acceptor.clone(), connector.clone()), script(transport, &steps)).await;
            let shown = String::from_utf8_lossy(answer);
            let told = two(&peer, transport, &steps).await;
            assert_eq!(told, (expected, vec![1, 1]), "{transport:?}, {end:?}: {shown}");
        }
    }
}
