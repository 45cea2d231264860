//! Answers that come before the request is whole.

use std::iter::repeat_n;
use std::time::Duration;

use posthouse_upstream::deliver::{Content, Delivered, Piece, Streamed};
use posthouse_upstream::error::Error;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::transport::Transport;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::peer::{Peer, Step};
use super::{BOTH, DELIVERED, STRANGE, good, heard, message_of, say, script, send_big};
use crate::relay::{Tokens, send, send_content, until};

const BIG: usize = 2_500_000;

/// An answer whose words decide, and what the client hears of them.
type Refusal = (&'static str, &'static str, (u16, &'static str));

/// Of the account all but the last, which is of the message.
fn refusals(transport: Transport) -> [Refusal; 3] {
    match transport {
        Transport::Graph => [
            ("403 Forbidden", r#"{"error":{"code":"ErrorAccessDenied","message":"No."}}"#, (454, "login_disabled")),
            ("429 Too Many", r#"{"error":{"code":"ErrorExceededMessageLimit","message":"No."}}"#, (452, "daily_quota")),
            ("400 Bad", r#"{"error":{"code":"ErrorMimeContentInvalid","message":"No."}}"#, (554, "refused")),
        ],
        _ => [
            (
                "403 Forbidden",
                r#"{"error":{"code":403,"message":"Slower.","errors":[{"reason":"userRateLimitExceeded"}]}}"#,
                (451, "server_busy"),
            ),
            ("400 Bad", r#"{"error":{"code":400,"message":"Mail service not enabled"}}"#, (454, "login_disabled")),
            (
                "400 Bad",
                r#"{"error":{"code":400,"message":"Bad.","errors":[{"reason":"invalidArgument"}]}}"#,
                (554, "refused"),
            ),
        ],
    }
}

fn chunk(part: &str) -> String {
    format!("{:x}\r\n{part}\r\n", part.len())
}

/// A big message that is still on its way from the client, and goes on coming.
async fn send_streamed(pool: &Pool) -> Result<Delivered, Error> {
    let (sender, mut body) = mpsc::channel(1);
    tokio::spawn(async move { while sender.send(Piece::Octets(message_of(100_000))).await.is_ok() {} });
    let stall = Duration::from_secs(10);
    let content = Content::Streamed(Streamed { header: b"Subject: test\r\n\r\n", body: &mut body, stall });
    send_content(pool, &Tokens::default(), content).await
}

/// What is heard of a message that is answered so before it is whole, be it all there or not.
async fn answered(transport: Transport, segments: &[String]) -> [(u16, &'static str); 2] {
    let mut steps = vec![Step::Head];
    for segment in segments {
        steps.extend([say(segment), Step::Pause]);
    }
    steps.push(Step::Bell);
    let mut told = [(0, ""); 2];
    for (told, is_streamed) in told.iter_mut().zip([false, true]) {
        let peer = Peer::start(script(transport, &steps)).await;
        let pool = peer.pool(transport);
        let sent = if is_streamed { send_streamed(&pool).await } else { send_big(&pool, BIG).await };
        *told = heard(&sent);
        assert_eq!(pool.logins_paused().is_some(), told.1 == "login_disabled", "{sent:?}");
        assert_eq!((peer.whole(), pool.gauges().open), (vec![0], 0));
    }
    told
}

#[tokio::test]
async fn the_words_of_an_early_refusal_are_read_to_their_end_however_they_come() {
    for transport in BOTH {
        for (status, words, expected) in refusals(transport) {
            let (first, rest) = words.split_at(20);
            let chunked = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n");
            let framed = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", words.len());
            let one = chunk(words);
            let end = "0\r\n\r\n";
            for segments in [
                vec![format!("{chunked}{one}{end}")],
                vec![format!("{chunked}{one}"), end.to_owned()],
                vec![chunked.clone(), format!("{one}{end}")],
                vec![chunked.clone(), chunk(first), chunk(rest), end.to_owned()],
                vec![format!("{framed}{words}")],
                vec![framed.clone(), words.to_owned()],
                vec![format!("{framed}{first}"), rest.to_owned()],
            ] {
                let told = answered(transport, &segments).await;
                assert_eq!(told, [expected; 2], "{transport:?}: {segments:?}");
            }
        }
    }
}

/// What the words that came say of the account holds; without them nobody knows whose fault it is.
#[tokio::test]
async fn an_early_refusal_that_breaks_off_is_never_the_message_s_fault() {
    for transport in BOTH {
        for (status, words, whole) in refusals(transport) {
            let shortest = words.find("Error").or(words.find("\"message\":")).unwrap_or_default();
            for (cut, expected) in [(0, (451, "deferred")), (shortest, (451, "deferred")), (words.len() - 2, whole)] {
                let expected = match (expected, status) {
                    ((451, "deferred"), "429 Too Many") => (451, "server_busy"),
                    ((554, "refused"), _) => (451, "deferred"),
                    (expected, _) => expected,
                };
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", words.len());
                let steps = [Step::Head, say(head + &words[..cut]), Step::Pause, Step::Close];
                let peer = Peer::start(script(transport, &steps)).await;
                let pool = peer.pool(transport);
                assert_eq!(heard(&send_big(&pool, BIG).await), expected, "{transport:?}: {}", &words[..cut]);
                assert_eq!((peer.whole(), pool.gauges().open), (vec![0], 0));
            }
        }
    }
}

#[tokio::test]
async fn an_early_refusal_is_heard_and_the_rest_is_not_sent() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
    for transport in BOTH {
        let peer = Peer::start(script(transport, &[Step::Head, say(refusal), Step::Bell])).await;
        let pool = peer.pool(transport);
        assert_eq!(heard(&send_big(&pool, BIG).await), (552, "refused"), "{transport:?}");
        peer.ring();
        until(|| peer.has_ended(1)).await;
        assert_eq!((peer.whole(), pool.gauges().open), (vec![0], 0));
        assert_eq!(heard(&send(&pool).await), DELIVERED);
        assert_eq!(peer.whole(), [0, 1]);
    }
}

#[tokio::test]
async fn an_early_success_is_none() {
    for transport in BOTH {
        for read_on in [false, true] {
            let mut steps = vec![Step::Head, say(good(transport))];
            if !read_on {
                steps.push(Step::Bell);
            }
            let peer = Peer::start(script(transport, &steps)).await;
            let pool = peer.pool(transport);
            assert_eq!(heard(&send_big(&pool, BIG).await), STRANGE, "{transport:?}");
            peer.ring();
            until(|| peer.has_ended(1)).await;
            assert_eq!((peer.whole(), pool.gauges().open), (vec![0], 0));
            assert_eq!(heard(&send(&pool).await), DELIVERED);
            assert_eq!(peer.whole(), [0, 1]);
        }
        // Nor is it listened to.
        let endless = "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n";
        let peer = Peer::start(script(transport, &[Step::Head, say(endless), Step::Bell])).await;
        let asked = Instant::now();
        assert_eq!(heard(&send_big(&peer.pool(transport), BIG).await), STRANGE);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

/// However far the request has come when its answer does: a client that hears 250 has left every octet with the system,
/// which brings it to a peer that reads on. Between the two are the buffers of HTTP, which is where the end is of some of
/// these messages.
#[tokio::test]
async fn a_success_is_believed_only_behind_the_last_octet() {
    let transport = Transport::GmailApi;
    let (mut octets, mut delivered, mut strange) = (0, 0, 0);
    while strange < 3 {
        octets += 200_000;
        // The system has taken what it takes by then.
        let mut steps = vec![Step::Head];
        steps.extend(repeat_n(Step::Pause, 8));
        steps.extend([say(good(transport)), Step::Bell]);
        let peer = Peer::start(script(transport, &steps)).await;
        let pool = peer.pool(transport);
        let told = heard(&send_big(&pool, octets).await);
        until(|| pool.gauges().open == 0 || told == DELIVERED).await;
        drop(pool);
        peer.ring();
        until(|| peer.has_ended(1)).await;
        let expected = if peer.whole() == [1] { DELIVERED } else { STRANGE };
        assert_eq!(told, expected, "{octets} octets");
        delivered += u32::from(told == DELIVERED);
        strange += u32::from(told == STRANGE);
    }
    assert!(delivered > 0, "what was small has left before its answer came");
}

#[tokio::test]
async fn a_refusal_that_breaks_off_does_not_show_the_login_to_be_good() {
    let transport = Transport::Graph;
    let [(status, words, expected), ..] = refusals(transport);
    let peer = Peer::start(move |connection| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", words.len());
        match connection {
            1 => vec![Step::Request, say(head + words)],
            2 => vec![Step::Request, say(head), Step::Pause, Step::Close],
            _ => vec![Step::Request, say(good(transport))],
        }
    })
    .await;
    let pool = peer.pool(transport);
    assert_eq!(heard(&send(&pool).await), expected);
    until(|| peer.has_ended(1)).await;
    for (expected, is_closed) in [((451, "deferred"), true), (DELIVERED, false)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_mins(10)).await;
        tokio::time::resume();
        assert_eq!(heard(&send(&pool).await), expected);
        assert_eq!(pool.logins_paused().is_some(), is_closed, "after {expected:?}");
    }
}
