//! Answers that come before the request is whole.

use std::iter::repeat_n;

use posthouse_upstream::transport::Transport;

use super::peer::{Peer, Step};
use super::{BOTH, DELIVERED, STRANGE, good, heard, say, script, send_big};
use crate::relay::{send, until};

const BIG: usize = 2_500_000;

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
