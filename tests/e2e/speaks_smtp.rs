//! The front door: pipelining, AUTH, STARTTLS, who may send as whom, and what is never let in.

use crate::post::{APP, OTHER, Post, Usual, send, without_received};
use crate::wire::Wire;

#[tokio::test]
async fn a_whole_session_in_one_write_and_octet_by_octet_hear_the_same() {
    let post = Post::new().await;
    let session = format!(
        "EHLO x\r\nAUTH PLAIN {APP}\r\nMAIL FROM:<app@acme.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n\
         Subject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<app@acme.example>\r\nRCPT TO:<ben@example.org>\r\nBDAT 5 LAST\r\nhi\r\n\nNOOP\r\nQUIT\r\n"
    )
    .replace("hi\r\n\n", "hi!\r\n");
    let mut whole = post.client().await;
    whole.send(&session).await;
    let whole = String::from_utf8(whole.rest().await).expect("replies are text");
    let mut single = post.client().await;
    for octet in session.as_bytes() {
        single.send([*octet]).await;
    }
    let single = String::from_utf8(single.rest().await).expect("replies are text");
    let codes = |text: &str| text.lines().map(|line| line[..4].to_owned()).collect::<Vec<_>>();
    assert_eq!(codes(&whole), codes(&single));
    let messages = post.messages(4).await;
    assert_eq!(without_received(messages[0].bytes()), without_received(messages[2].bytes()));
    assert_eq!(without_received(messages[1].bytes()), b"hi!\r\n");
}

#[tokio::test]
async fn every_way_of_saying_the_password_is_understood() {
    let post = Post::new().await;
    for lines in [vec!["AUTH PLAIN", APP], vec!["AUTH LOGIN", "YXBw", "c2VjcmV0"], vec!["AUTH LOGIN YXBw", "c2VjcmV0"]]
    {
        let mut client = post.client().await;
        client.expect("EHLO x", "250").await;
        let (last, first) = lines.split_last().expect("lines");
        for line in first {
            client.expect(line, "334 ").await;
        }
        client.expect(last, "235 2.7.0").await;
    }
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    assert_eq!(client.ask("AUTH LOGIN").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.ask("YXBw").await, "334 UGFzc3dvcmQ6\r\n");
    client.expect("*", "501").await;
}

#[tokio::test]
async fn without_the_right_password_nothing_goes_through() {
    let post = Post::new().await;
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    // Wrong password, unknown login, and one login acting as another: the same answer.
    client.expect("AUTH PLAIN AGFwcAB3cm9uZw==", "535 5.7.8").await;
    client.expect("AUTH PLAIN b3RoZXIAYXBwAHNlY3JldA==", "535 5.7.8").await;
    client.expect("MAIL FROM:<app@acme.example>", "530 5.7.0").await;
    client.expect("AUTH PLAIN AG5vYm9keQBzZWNyZXQ=", "421 4.7.0").await;
    assert!(client.rest().await.is_empty());
    let mut client = post.client().await;
    client.expect("HELO x", "250").await;
    client.expect("MAIL FROM:<app@acme.example>", "530 5.7.0").await;
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_login_sends_as_its_own_senders_only() {
    let post = Post::new().await;
    let mut client = post.app().await;
    for foreign in ["x@globex.example", "app@acme.example.org", "app@sub.acme.example", "mail@globex.example"] {
        client.expect(&format!("MAIL FROM:<{foreign}>"), "553 5.7.1").await;
    }
    client.expect("MAIL FROM:<App@ACME.example>", "250").await;
    client.expect("RSET", "250").await;
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    client.expect(&format!("AUTH PLAIN {OTHER}"), "235").await;
    client.expect("MAIL FROM:<app@acme.example>", "553 5.7.1").await;
}

#[tokio::test]
async fn starttls_protects_the_password_and_begins_anew() {
    let post = Post::new().await;
    let address = post.relay.address("submission").expect("a submission listener");
    let mut client = Wire::connect(address).await;
    client.hear("220").await;
    let offers = client.expect("EHLO x", "250").await;
    assert!(offers.contains("STARTTLS") && !offers.contains("AUTH"), "{offers}");
    client.expect(&format!("AUTH PLAIN {APP}"), "538 5.7.11").await;
    client.expect("STARTTLS", "220").await;
    let mut client = client.secured(&post.simulator.ca_pem()).await;
    client.expect(&format!("AUTH PLAIN {APP}"), "503").await;
    let offers = client.expect("EHLO x", "250").await;
    assert!(!offers.contains("STARTTLS") && offers.contains("AUTH PLAIN LOGIN"), "{offers}");
    client.expect(&format!("AUTH PLAIN {APP}"), "235").await;
    assert!(send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await.starts_with("250"));
    assert!(post.messages(1).await[0].text().contains("with ESMTPSA id"));
}

#[tokio::test]
async fn nothing_can_be_injected_before_the_handshake() {
    let post = Post::new().await;
    let mut client = Wire::connect(post.relay.address("submission").expect("a submission listener")).await;
    client.hear("220").await;
    client.send("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<app@acme.example>\r\n").await;
    client.hear("250").await;
    client.hear("554").await;
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn no_newline_trick_smuggles_a_second_message() {
    let post = Post::new().await;
    let hidden = "MAIL FROM:<app@acme.example>\r\nRCPT TO:<smuggled@example.org>\r\nDATA\r\nsmuggled\r\n";
    for trick in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n", "\r\n.\r\r\n"] {
        let mut client = post.app().await;
        client.expect("MAIL FROM:<app@acme.example>", "250").await;
        client.expect("RCPT TO:<ann@example.org>", "250").await;
        client.expect("DATA", "354").await;
        client.send(format!("visible{trick}{hidden}.\r\n")).await;
        client.hear("550 5.6.11").await;
        client.expect("NOOP", "250").await;
    }
    // By BDAT the final dot is content like any other.
    let mut client = post.app().await;
    let content = format!("a\r\n.\r\n{hidden}");
    client
        .send(format!(
            "MAIL FROM:<app@acme.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT {} LAST\r\n{content}",
            content.len()
        ))
        .await;
    for _ in 0..3 {
        client.hear("250").await;
    }
    let messages = post.messages(1).await;
    assert_eq!(without_received(messages[0].bytes()), content.as_bytes());
    client.send("MAIL FROM:<app@acme.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT 3\r\na\nb").await;
    client.hear("250").await;
    client.hear("250").await;
    client.hear("550 5.6.11").await;
    assert_eq!(post.simulator.ledger().accepted(), 1);
}

/// The list of 12,000 fields takes more than all of the content memory, and the content itself a fifth of it.
#[tokio::test]
async fn the_list_of_a_messages_fields_counts_as_content_memory() {
    let limits = "stream_threshold = \"64 KiB\"\ncontent_memory = \"256 KiB\"\n";
    let post = Post::with(&Usual { limits, ..Usual::default() }).await;
    let mut client = post.app().await;
    for (fields, reply) in [(12_000, "451 4.3.1"), (100, "250")] {
        client.expect("MAIL FROM:<app@acme.example>", "250").await;
        client.expect("RCPT TO:<a@example.org>", "250").await;
        client.expect("DATA", "354").await;
        client.send("a:\r\n".repeat(fields) + "\r\nbody\r\n.\r\n").await;
        client.hear(reply).await;
    }
    assert_eq!(post.simulator.ledger().accepted(), 1);
}

#[tokio::test]
async fn the_bounds_of_a_session_hold() {
    let limits = "message_size = \"64 KiB\"\nrecipients = 2\nerrors_per_session = 3\nstream_threshold = \"64 KiB\"\n";
    let post = Post::with(&Usual { limits, ..Usual::default() }).await;
    let mut client = post.app().await;
    client.expect("MAIL FROM:<app@acme.example> SIZE=65537", "552 5.3.4").await;
    client.expect("MAIL FROM:<app@acme.example>", "250").await;
    client.expect("RCPT TO:<a@example.org>", "250").await;
    client.expect("RCPT TO:<b@example.org>", "250").await;
    client.expect("RCPT TO:<c@example.org>", "452 4.5.3").await;
    client.expect("DATA", "354").await;
    client.send("x".repeat(70_000) + "\r\n.\r\n").await;
    client.hear("552 5.3.4").await;
    client.expect("BOGUS", "500").await;
    client.expect("BOGUS", "421 4.7.0").await;
    assert!(client.rest().await.is_empty());
    assert!(post.is_empty());
}
