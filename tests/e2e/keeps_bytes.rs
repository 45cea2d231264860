//! What the client sent is what the provider has, octet for octet, but for the trace field.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::post::{Post, Usual, without_received};

/// Lines of any octets but CR and LF, often with dots in front.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let octet = any::<u8>().prop_map(|octet| if matches!(octet, b'\r' | b'\n') { b'.' } else { octet });
    let line = prop_oneof![Just(b".".to_vec()), Just(b"..".to_vec()), Just(Vec::new()), vec(octet, 0..200)];
    vec(line, 0..40).prop_map(|lines| lines.into_iter().flat_map(|line| [&line[..], b"\r\n"].concat()).collect())
}

fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at_start = true;
    for octet in content {
        if at_start && *octet == b'.' {
            out.push(b'.');
        }
        out.push(*octet);
        at_start = *octet == b'\n';
    }
    [&out[..], b".\r\n"].concat()
}

#[test]
fn any_content_arrives_as_it_was_sent_by_data_and_by_bdat() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    // Some contents are larger than the threshold, so that both ways of passing content on are taken.
    let usual = Usual { limits: "stream_threshold = \"64 KiB\"\n", ..Usual::default() };
    let (post, client) = runtime.block_on(async {
        let post = Post::with(&usual).await;
        let client = post.app().await;
        (post, client)
    });
    let client = tokio::sync::Mutex::new(client);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(
        &(content(), vec(1_usize..30_000, 1..6), any::<bool>(), any::<bool>()),
        |(body, cuts, chunked, large)| {
            let filler = if large { b"..filler\r\n".repeat(8_000) } else { Vec::new() };
            let body = [b"Subject: x\r\n\r\n", &body[..], &filler[..], &body[..]].concat();
            runtime.block_on(async {
                let mut client = client.lock().await;
                client.send("MAIL FROM:<app@acme.example> BODY=8BITMIME\r\nRCPT TO:<ann@example.org>\r\n").await;
                client.hear("250").await;
                client.hear("250").await;
                if chunked {
                    let mut rest = &body[..];
                    for cut in &cuts {
                        let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
                        rest = tail;
                        client.send([format!("BDAT {}\r\n", chunk.len()).as_bytes(), chunk].concat()).await;
                        client.hear("250").await;
                    }
                    client.send([format!("BDAT {} LAST\r\n", rest.len()).as_bytes(), rest].concat()).await;
                } else {
                    client.expect("DATA", "354").await;
                    let wire = stuffed(&body);
                    let mut rest = &wire[..];
                    for cut in &cuts {
                        let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                        rest = tail;
                        client.send(piece).await;
                        tokio::task::yield_now().await;
                    }
                    client.send(rest).await;
                }
                client.hear("250").await;
            });
            let messages = post.simulator.ledger().messages();
            post.simulator.ledger().clear();
            prop_assert_eq!(messages.len(), 1);
            prop_assert_eq!(without_received(messages[0].bytes()), &body[..]);
            Ok(())
        },
    );
    outcome.expect("content is kept");
}

#[tokio::test]
async fn an_empty_message_and_one_without_a_last_line_end_are_kept() {
    let post = Post::new().await;
    let mut client = post.app().await;
    client.expect("MAIL FROM:<app@acme.example>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.expect(".", "250").await;
    client.send("MAIL FROM:<app@acme.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT 9 LAST\r\nno newline").await;
    client.hear("250").await;
    client.hear("250").await;
    client.hear("250").await;
    let messages = post.messages(2).await;
    assert_eq!(without_received(messages[0].bytes()), b"");
    assert_eq!(without_received(messages[1].bytes()), b"no newlin");
}

#[tokio::test]
async fn a_large_message_flows_through_whole() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let line = "0123456789 a line of a large message, with a dot at its end.\r\n";
    let body = format!("Subject: large\r\n\r\n{}", line.repeat(80_000));
    client.expect("MAIL FROM:<app@acme.example>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send(body.clone() + ".\r\n").await;
    client.hear("250").await;
    assert!(without_received(post.messages(1).await[0].bytes()) == body.as_bytes());
}

#[tokio::test]
async fn a_large_message_that_is_spoiled_reaches_nobody() {
    let post = Post::new().await;
    let mut client = post.app().await;
    client.expect("MAIL FROM:<app@acme.example>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client
        .send(format!(
            "Subject: large\r\n\r\n{}bare\nnewline\r\n{}.\r\n",
            "line\r\n".repeat(100_000),
            "line\r\n".repeat(1000)
        ))
        .await;
    client.hear("550 5.6.11").await;
    client.expect("NOOP", "250").await;
    assert!(post.is_empty());
}
