//! What is answered to a whole request: believed where it is whole and the interface's own, and never in doubt tried again.

use std::time::Duration;

use posthouse_upstream::transport::Transport;
use tokio::time::Instant;

use super::peer::{Peer, Step};
use super::{AMBIGUOUS, BOTH, DELIVERED, STRANGE, good, heard, say, script, told};
use crate::relay::{send, send_by, until};

/// The second message went the same way as the first, or by a connection of its own.
const KEPT: [usize; 1] = [2];
const LEFT: [usize; 2] = [1, 1];

#[tokio::test]
async fn a_success_that_is_cut_anywhere_is_ambiguous() {
    for transport in BOTH {
        let good = good(transport);
        for cut in 0..good.len() {
            for end in [Step::Close, Step::Reset] {
                let steps = [Step::Request, say(&good[..cut]), Step::Pause, end.clone()];
                let told = told(transport, &steps).await;
                assert_eq!(told, (AMBIGUOUS, LEFT.into()), "{transport:?}, cut at {cut} by {end:?}");
            }
        }
        let whole = told(transport, &[Step::Request, say(&good), Step::Pause, Step::Close]).await;
        assert_eq!(whole, (DELIVERED, LEFT.into()), "{transport:?}");
    }
}

/// Whether it is the message's or the account's, only the words say.
#[tokio::test]
async fn a_refusal_stands_by_its_head_and_is_final_only_where_its_words_are_whole() {
    let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 31\r\n\r\n{\"error\":{\"message\":\"no such\"}}";
    let head = refusal.len() - 31;
    for transport in BOTH {
        for cut in 0..refusal.len() {
            let steps = [Step::Request, say(&refusal[..cut]), Step::Pause, Step::Close];
            let expected = if cut < head { AMBIGUOUS } else { (451, "deferred") };
            assert_eq!(told(transport, &steps).await, (expected, LEFT.into()), "{transport:?}, cut at {cut}");
        }
        let whole = told(transport, &[Step::Request, say(refusal)]).await;
        assert_eq!(whole, ((554, "refused"), KEPT.into()), "{transport:?}");
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let garbage: [&[u8]; 20] = [
        b"220 smtp.example.com ESMTP\r\n",
        b"250 2.0.0 OK\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"{\"id\":\"m-01\"}\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 2\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2002 OK\r\n\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 002 Low\r\n\r\n",
        b"HTTP/9.9 202 Accepted\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nno field\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nname\0: x\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        // HTTP/2's settings, and TLS's alert to who speaks in the clear.
        b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64",
        b"\x15\x03\x03\0\x02\x02\x46",
        b"\xff\xfe\xfd\r\n\r\n",
    ];
    for transport in BOTH {
        for garbage in garbage {
            let steps = [Step::Request, say(garbage), Step::Pause, Step::Close];
            let shown = String::from_utf8_lossy(garbage);
            assert_eq!(told(transport, &steps).await, (AMBIGUOUS, LEFT.into()), "{transport:?}: {shown:?}");
        }
    }
}

#[tokio::test]
async fn who_is_not_the_interface_is_not_believed_and_not_spoken_to_again() {
    for transport in BOTH {
        let other = if transport == Transport::Graph { "200 OK" } else { "202 Accepted" };
        for status in [other, "204 No Content", "206 Partial", "301 Moved", "307 Elsewhere", "600 What", "999 What"] {
            let answer = format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n");
            let told = told(transport, &[Step::Request, say(answer)]).await;
            assert_eq!(told, (STRANGE, LEFT.into()), "{transport:?}: {status}");
        }
        let upgrade = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
        let told = told(transport, &[Step::Request, say(upgrade)]).await;
        assert_eq!(told, (STRANGE, LEFT.into()), "{transport:?}: 101");
    }
    for page in ["<html>Welcome</html>", "{\"name\":\"m-01\"}", "{\"id\":1}", "{\"id\":\"m-01\"", ""] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
        let told = told(Transport::GmailApi, &[Step::Request, say(answer)]).await;
        assert_eq!(told, (STRANGE, LEFT.into()), "{page}");
    }
}

#[tokio::test]
async fn an_answer_may_be_framed_in_every_way_of_http() {
    let body = "{\"id\":\"m-01\"}";
    for transport in BOTH {
        let status = if transport == Transport::Graph { "202 Accepted" } else { "200 OK" };
        let one = format!("HTTP/1.1 {status}\r\n");
        let chunked = format!("{one}transfer-encoding: chunked\r\n\r\n");
        for (answer, rest) in [
            (format!("{one}content-length: 13\r\n\r\n{body}"), ""),
            (format!("{chunked}d\r\n{body}\r\n0\r\n\r\n"), ""),
            (format!("{chunked}0000d;name=\"value\"\r\n{body}\r\n0\r\ntrailer: x\r\n\r\n"), ""),
            (format!("{chunked}3\r\n{{\"i\r\n"), "a\r\nd\":\"m-01\"}\r\n0\r\n\r\n"),
            (format!("{one}content-length: 13\r\n\r\n{{"), "\"id\":\"m-01\"}"),
        ] {
            let told = told(transport, &[Step::Request, say(&answer), Step::Pause, say(rest)]).await;
            assert_eq!(told, (DELIVERED, KEPT.into()), "{transport:?}: {answer}{rest}");
        }
        // Whoever says so, or leaves the end of the connection to be the answer's, is done with it.
        for answer in [
            format!("{one}connection: close\r\ncontent-length: 13\r\n\r\n{body}"),
            format!("HTTP/1.0 {status}\r\ncontent-length: 13\r\n\r\n{body}"),
            format!("{one}\r\n{body}"),
            format!("HTTP/1.0 {status}\r\n\r\n{body}"),
        ] {
            let told = told(transport, &[Step::Request, say(&answer), Step::Pause, Step::Close]).await;
            assert_eq!(told, (DELIVERED, LEFT.into()), "{transport:?}: {answer}");
        }
    }
}

/// Without a length, a body is what comes until the end, and that does not come: by then only the status is known, which is
/// all that Graph says.
#[tokio::test]
async fn an_answer_without_an_end_is_waited_for_until_the_deadline() {
    for transport in BOTH {
        let answer =
            if transport == Transport::Graph { "HTTP/1.1 202 Accepted\r\n\r\n" } else { "HTTP/1.1 200 OK\r\n\r\n{" };
        let peer = Peer::start(script(transport, &[Step::Request, say(answer), Step::Bell])).await;
        let (pool, asked) = (peer.pool(transport), Instant::now());
        let first = send_by(&pool, asked + Duration::from_millis(300)).await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        assert_eq!(heard(&first), if transport == Transport::Graph { DELIVERED } else { AMBIGUOUS });
        assert_eq!(heard(&send(&pool).await), DELIVERED);
        assert_eq!(peer.whole(), LEFT);
    }
}

#[tokio::test]
async fn interim_answers_are_waited_through() {
    let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    for transport in BOTH {
        let before = told(transport, &[Step::Head, say(go_on), say(hints), Step::Request, say(good(transport))]).await;
        assert_eq!(before, (DELIVERED, KEPT.into()), "{transport:?}");
        let behind = [go_on.as_bytes(), hints.as_bytes(), go_on.as_bytes(), &good(transport)].concat();
        let behind = told(transport, &[Step::Request, say(behind)]).await;
        assert_eq!(behind, (DELIVERED, KEPT.into()), "{transport:?}");
        let alone = told(transport, &[Step::Request, say(go_on), Step::Pause, Step::Close]).await;
        assert_eq!(alone, (AMBIGUOUS, LEFT.into()), "{transport:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let fields = "x: y\r\n".repeat(500);
    let field = format!("x: {}\r\n", "y".repeat(1_000_000));
    let body = "y".repeat(100_000);
    for transport in BOTH {
        let status = if transport == Transport::Graph { "202 Accepted" } else { "200 OK" };
        for head in [&fields, &field] {
            let answer = format!("HTTP/1.1 {status}\r\n{head}content-length: 0\r\n\r\n");
            let told = told(transport, &[Step::Request, say(answer)]).await;
            assert_eq!(told, (AMBIGUOUS, LEFT.into()), "{transport:?}");
        }
        let long = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 100000\r\n\r\n{body}");
        let told_long = told(transport, &[Step::Request, say(long(status))]).await;
        let expected = if transport == Transport::Graph { DELIVERED } else { AMBIGUOUS };
        assert_eq!(told_long, (expected, LEFT.into()), "{transport:?}");
        let refused = told(transport, &[Step::Request, say(long("400 Bad Request"))]).await;
        assert_eq!(refused, ((451, "deferred"), LEFT.into()), "{transport:?}");
    }
}

/// Were it taken for the next message's, that would be refused or lost.
#[tokio::test]
async fn a_second_answer_is_nobody_s() {
    let seconds: [&[u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"id\":\"m-02\"}",
        b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n",
        b"x",
    ];
    for transport in BOTH {
        for second in seconds {
            let shown = String::from_utf8_lossy(second);
            let at_once = [&good(transport), second].concat();
            let told = told(transport, &[Step::Request, say(at_once)]).await;
            assert_eq!(told, (DELIVERED, LEFT.into()), "{transport:?}, at once: {shown}");
            // Later, on a connection that lies idle.
            let steps = [Step::Request, say(good(transport)), Step::Bell, say(second)];
            let peer = Peer::start(script(transport, &steps)).await;
            let pool = peer.pool(transport);
            assert_eq!(heard(&send(&pool).await), DELIVERED);
            peer.at_bell(1).await;
            peer.ring();
            until(|| pool.gauges().open == 0).await;
            assert_eq!(heard(&send(&pool).await), DELIVERED, "{transport:?}, later: {shown}");
            assert_eq!((peer.whole(), pool.gauges().retries), (LEFT.into(), 0));
        }
    }
}
