//! Policies that edit header blocks: what they ask for is there, and every other octet as it was.

use crate::post::{Post, Usual, bytes, guest, scripted, send, without_received};

const FROM: &str = "app@acme.example";
const TO: &[&str] = &["ann@example.org"];

#[tokio::test]
async fn edits_are_made_and_all_other_octets_are_kept() {
    let policy = scripted(
        "message = \"add-header X-Tag: blue; prepend-header X-Top: 1; replace-header Subject: new; remove-header X-Internal\"",
    );
    let post = Post::deciding(&policy).await;
    let mut client = post.app().await;
    let sent = "X-Odd : kept \t\r\nSubject: old\r\n\tfolded\r\nX-Internal: a\r\nTo: ann@example.org\r\nx-internal: b\r\n\r\n\
                body \t \r\n.\r\n..\r\nSubject: in the body\r\n";
    assert!(send(&mut client, FROM, TO, &sent.replace("\r\n.", "\r\n..")).await.starts_with("250 "));
    let message = &post.messages(1).await[0];
    let expected = "X-Top: 1\r\nX-Odd : kept \t\r\nSubject: new\r\nTo: ann@example.org\r\nX-Tag: blue\r\n\r\n\
                    body \t \r\n.\r\n..\r\nSubject: in the body\r\n";
    assert_eq!(String::from_utf8_lossy(without_received(bytes(message))), expected);
}

#[tokio::test]
async fn a_policy_sees_session_envelope_and_header() {
    let policy = scripted(
        "message = \"echo client; echo helo; echo tls; echo login; echo sender; echo recipients; echo size; echo subject; \
         echo header-count; echo accounts; echo routes\"",
    );
    let post = Post::deciding(&policy).await;
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{FROM}> SIZE=1000"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("RCPT TO:<ben@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send("Subject: =?utf-8?q?as_it_is?=\r\n folded\r\n\r\nbody\r\n.\r\n").await;
    client.hear("250 ").await;
    let content = String::from_utf8_lossy(bytes(&post.messages(1).await[0])).replace("\r\n ", " ");
    for line in [
        "X-client: 127.0.0.1\r\n",
        "X-helo: client.example.com\r\n",
        "X-tls: false\r\n",
        "X-login: app\r\n",
        "X-sender: app@acme.example\r\n",
        "X-recipients: ann@example.org ben@example.org\r\n",
        "X-size: 1000\r\n",
        "X-subject: =?utf-8?q?as_it_is?= folded\r\n",
        "X-header-count: 1\r\n",
        "X-accounts: gmail=mail@acme.example=gmail outlook=box@acme.example=outlook\r\n",
        "X-routes: all\r\n",
    ] {
        assert!(content.contains(line), "{line}{content}");
    }
}

#[tokio::test]
async fn a_message_that_flows_through_is_decided_on_by_its_header() {
    let policy = scripted("message = \"add-header X-Tag: blue; echo has-whole-body; echo body-size\"");
    let post =
        Post::with(&Usual { policy: &policy, limits: "stream_threshold = \"64 KiB\"\n", ..Usual::default() }).await;
    let mut client = post.app().await;
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(30_000);
    let reply = send(&mut client, FROM, TO, &format!("Subject: large\r\n\r\n{body}")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let content = String::from_utf8(bytes(&post.messages(1).await[0]).to_vec()).expect("what was sent is US-ASCII");
    let (header, rest) = content.split_once("\r\n\r\n").expect("there is a body");
    assert!(header.contains("X-Tag: blue") && header.contains("X-has-whole-body: false"), "{header}");
    assert_eq!(rest, body);
}

#[tokio::test]
async fn a_policy_that_needs_the_body_has_it_read_further() {
    let policy = guest("body-reader", "body = \"2 MiB\"\ncpu = \"500 ms\"", "");
    let post =
        Post::with(&Usual { policy: &policy, limits: "stream_threshold = \"64 KiB\"\n", ..Usual::default() }).await;
    let mut client = post.app().await;
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(20_000);
    let reply = send(&mut client, FROM, TO, &format!("Subject: large\r\n\r\n{body}")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let content = String::from_utf8_lossy(bytes(&post.messages(1).await[0])).into_owned();
    assert!(content.contains(&format!("{}", body.len())), "{}", &content[..1000]);
}

#[tokio::test]
async fn fields_under_a_signature_are_edited_unless_the_tenant_forbids_it() {
    let signed = "DKIM-Signature: v=1; d=acme.example; h=from:subject; b=AAAA\r\nFrom: app@acme.example\r\n\
                  Subject: signed\r\n\r\nbody\r\n";
    let settings = "message = \"echo is-signed Subject; replace-header Subject: other\"";
    let post = Post::deciding(&scripted(settings)).await;
    assert!(send(&mut post.app().await, FROM, TO, signed).await.starts_with("250 "));
    let content = String::from_utf8_lossy(bytes(&post.messages(1).await[0])).into_owned();
    assert!(content.contains("X-is-signed: true\r\n") && content.contains("Subject: other\r\n"), "{content}");

    let post = Post::deciding(&guest("scripted", "signed_fields = \"refuse\"", settings)).await;
    let mut client = post.app().await;
    assert!(send(&mut client, FROM, TO, signed).await.starts_with("451 4.7.1 "));
    assert!(send(&mut client, FROM, TO, "Subject: unsigned\r\n\r\nbody\r\n").await.starts_with("250 "));
    post.messages(1).await;
}

#[tokio::test]
async fn the_reference_policy_for_headers_does_what_its_readme_says() {
    let file = format!("{}/../plugins/prebuilt/header-hygiene.wasm", env!("CARGO_MANIFEST_DIR"));
    let settings =
        "remove = \"X-Internal\"\n\"add.X-Relay\" = \"posthouse\"\nlist-unsubscribe = \"<https://acme.example/u>\"";
    let post = Post::deciding(&format!("[policy]\nfile = \"{file}\"\n[policy.settings]\n{settings}\n")).await;
    let sent = "X-Internal: 1\r\nSubject: hi\r\n\r\nbody\r\n";
    assert!(send(&mut post.app().await, FROM, TO, sent).await.starts_with("250 "));
    let message = &post.messages(1).await[0];
    let expected = "Subject: hi\r\nX-Relay: posthouse\r\nList-Unsubscribe: <https://acme.example/u>\r\n\
                    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nbody\r\n";
    assert_eq!(String::from_utf8_lossy(without_received(bytes(message))), expected);
}

#[tokio::test]
async fn a_body_cannot_go_on_with_a_field_of_the_policys() {
    let post = Post::deciding(&scripted("message = \"add-header X-Ok: yes\"")).await;
    assert!(send(&mut post.app().await, FROM, TO, " , admin\r\nbody\r\n").await.starts_with("250 "));
    let message = &post.messages(1).await[0];
    assert_eq!(String::from_utf8_lossy(without_received(bytes(message))), "X-Ok: yes\r\n\r\n , admin\r\nbody\r\n");
}

#[tokio::test]
async fn a_header_block_beyond_all_measure_is_no_policys() {
    let post = Post::deciding(&scripted("message = \"remove-header X\"")).await;
    let mut client = post.app().await;
    for header in ["a:\r\n".repeat(3000), format!("Subject: {}\r\n", "long \r\n ".repeat(40_000))] {
        assert!(send(&mut client, FROM, TO, &format!("{header}\r\nbody\r\n")).await.starts_with("552 5.3.4 "));
    }
    assert!(post.is_empty());
    assert!(send(&mut client, FROM, TO, "Subject: usual\r\n\r\nbody\r\n").await.starts_with("250 "));
}

#[tokio::test]
async fn so_many_edits_are_made_and_not_one_more() {
    for (edits, heard) in [(256, "250 "), (257, "451 4.7.1 ")] {
        let post = Post::deciding(&scripted(&format!("message = \"{}\"", "remove-header X; ".repeat(edits)))).await;
        assert!(send(&mut post.app().await, FROM, TO, "Subject: hi\r\n\r\nbody\r\n").await.starts_with(heard));
    }
}
