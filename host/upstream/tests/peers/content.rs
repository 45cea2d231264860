//! The content arrives as it was, in as few writes as can be, and never looks whole when it is not.

use std::time::Duration;

use posthouse_upstream::deliver::{Content, Piece, Streamed, deliver};
use posthouse_upstream::error::{Error, Need};
use posthouse_upstream::verdict::{Clients, Verdict};
use tokio::sync::mpsc;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{Envelope, MESSAGE, Tokens, in_seconds, pool, replies, send, send_content, until};

const STALL: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_small_message_on_a_session_at_hand_leaves_in_one_write() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    let before = provider.seen.reads.lock().unwrap().len();
    send(&pool).await.unwrap();
    let reads = provider.seen.reads.lock().unwrap()[before..].to_vec();
    let expected = "MAIL FROM:<app@example.com> BODY=8BITMIME\r\nRCPT TO:<user@example.org>\r\nBDAT 25 LAST\r\nSubject: test\r\n\r\nHello.\r\n";
    let reads: Vec<_> = reads.iter().map(|read| String::from_utf8_lossy(read)).collect();
    assert_eq!(reads, [expected]);
}

#[tokio::test]
async fn slices_of_a_message_arrive_in_one_piece() {
    let provider = Provider::friendly().await;
    let slices: [&[u8]; 4] = [b"Received: here\r\n", b"Subject: a", b"", b"b\r\n\r\n.\r\n..dots\r\n"];
    send_content(&pool(&provider), &Tokens::default(), Content::Whole(&slices)).await.unwrap();
    assert_eq!(provider.messages(), [String::from_utf8(slices.concat()).unwrap()]);
}

#[tokio::test]
async fn dots_arrive_as_they_were_without_chunking() {
    let provider = Provider::without_chunking(|_| Act::Usual).await;
    let slices: [&[u8]; 3] = [b".first\r\n", b"..\r\n.", b"\r\n\r\n.last\r\n"];
    send_content(&pool(&provider), &Tokens::default(), Content::Whole(&slices)).await.unwrap();
    assert_eq!(provider.messages(), [String::from_utf8(slices.concat()).unwrap()]);
    assert!(provider.lines().contains(&"DATA".to_owned()));
}

fn big() -> Vec<u8> {
    (0..40_000_u32).flat_map(|number| format!(".line {number} of many\r\n").into_bytes()).collect()
}

#[tokio::test]
async fn a_big_message_arrives_whole_with_and_without_chunking() {
    let big = big();
    for provider in [Provider::friendly().await, Provider::without_chunking(|_| Act::Usual).await] {
        send_content(&pool(&provider), &Tokens::default(), Content::Whole(&[&big[..7], &big[7..]])).await.unwrap();
        assert!(provider.messages()[0].as_bytes() == big);
    }
}

#[tokio::test]
async fn streamed_content_arrives_whole_and_is_sent_by_data() {
    let (provider, big) = (Provider::friendly().await, big());
    let (sender, mut body) = mpsc::channel(2);
    let rest = big[100..].to_vec();
    tokio::spawn(async move {
        for part in rest.chunks(10_007) {
            sender.send(Piece::Octets(part.to_vec())).await.unwrap();
        }
        sender.send(Piece::End).await.unwrap();
    });
    let content = Content::Streamed(Streamed { header: &big[..100], body: &mut body, stall: STALL });
    send_content(&pool(&provider), &Tokens::default(), content).await.unwrap();
    assert!(provider.messages()[0].as_bytes() == big);
    assert!(provider.lines().contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn streamed_content_that_is_abandoned_reaches_nobody() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    let (sender, mut body) = mpsc::channel(2);
    sender.send(Piece::Octets(b"half a mess".to_vec())).await.unwrap();
    drop(sender);
    let content = Content::Streamed(Streamed { header: b"Subject: x\r\n\r\n", body: &mut body, stall: STALL });
    let error = send_content(&pool, &Tokens::default(), content).await.unwrap_err();
    assert!(matches!(error, Error::Abandoned), "{error}");
    provider.seen.closed.notified().await;
    assert_eq!((provider.messages().len(), pool.gauges().open), (0, 0));
}

#[tokio::test]
async fn streamed_content_that_stands_still_frees_the_session() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    let (_sender, mut body) = mpsc::channel(2);
    let stall = Duration::from_millis(20);
    let content = Content::Streamed(Streamed { header: b"Subject: x\r\n\r\n", body: &mut body, stall });
    let error = send_content(&pool, &Tokens::default(), content).await.unwrap_err();
    assert!(matches!(error, Error::ContentStalled(_)), "{error}");
    provider.seen.closed.notified().await;
    assert_eq!((provider.messages().len(), pool.gauges().open), (0, 0));
}

#[tokio::test]
async fn a_stream_is_not_read_faster_than_the_provider_takes_it() {
    // The provider says 354 and then reads nothing.
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Data => Act::SayAndStall("354 Go ahead"),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let (sender, mut body) = mpsc::channel(1);
    let delivery = tokio::spawn(async move {
        let content = Content::Streamed(Streamed { header: b"Subject: x\r\n\r\n", body: &mut body, stall: STALL });
        send_content(&pool, &Tokens::default(), content).await.map(|_| ())
    });
    let mut accepted = 0;
    while let Ok(taken) =
        tokio::time::timeout(Duration::from_millis(300), sender.send(Piece::Octets(vec![b'x'; 64 * 1024]))).await
    {
        taken.unwrap();
        accepted += 1;
        assert!(accepted < 1000, "64 MB were taken and are nowhere");
    }
    delivery.abort();
}

#[tokio::test]
async fn a_reply_in_the_middle_of_the_content_is_taken_and_the_session_dropped() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Data => Act::SayAndClose("354 Go ahead\r\n552 5.3.4 Too big, I stop here"),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let (sender, mut body) = mpsc::channel(1);
    let pump = tokio::spawn(async move { while sender.send(Piece::Octets(vec![b'x'; 64 * 1024])).await.is_ok() {} });
    let content = Content::Streamed(Streamed { header: b"Subject: x\r\n\r\n", body: &mut body, stall: STALL });
    let error = send_content(&pool, &Tokens::default(), content).await.unwrap_err();
    assert!(!error.is_ambiguous(), "{error}");
    assert_eq!((provider.messages().len(), pool.gauges().open), (0, 0));
    drop(body);
    pump.await.unwrap();
}

#[tokio::test]
async fn a_refused_content_passes_with_its_code_and_the_session_stays() {
    let provider = Provider::with(|moment: &Moment| match (moment.at, moment.message) {
        (At::Content, 1) => Act::Say("550 5.7.1 Looks like spam"),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let error = send(&pool).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "550 5.7.1 provider refused: Looks like spam");
    assert!(matches!(error.verdict(Clients::Queueing), Verdict::Refuse { .. }));
    assert!(send(&pool).await.unwrap().reused);
    assert_eq!((provider.connections(), provider.messages().len()), (1, 1));
}

#[tokio::test]
async fn what_the_provider_does_not_offer_is_not_tried() {
    let provider = Provider::without_chunking(|_| Act::Usual).await;
    let pool = pool(&provider);
    let mut envelope = Envelope::to(&["user@example.org"]);
    envelope.smtputf8 = true;
    let content = Content::Whole(&[MESSAGE]);
    let sent = deliver(&pool, &Tokens::default(), &replies(), &envelope.transaction(), content, in_seconds(10)).await;
    assert!(matches!(sent.unwrap_err(), Error::NotOffered(Need::SmtpUtf8)));
    assert!(!provider.lines().iter().any(|line| line.starts_with("MAIL")));
    until(|| pool.gauges().idle == 1).await;
}

#[tokio::test]
async fn a_message_that_is_too_big_for_the_provider_is_not_sent() {
    let provider = Provider::friendly().await;
    let mut envelope = Envelope::to(&["user@example.org"]);
    envelope.size = Some(1_000_001);
    let content = Content::Whole(&[MESSAGE]);
    let sent =
        deliver(&pool(&provider), &Tokens::default(), &replies(), &envelope.transaction(), content, in_seconds(10))
            .await;
    let error = sent.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 552);
    assert!(!provider.lines().iter().any(|line| line.starts_with("MAIL")));
}
