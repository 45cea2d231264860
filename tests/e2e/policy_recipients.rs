//! Policies that answer recipients, and that change envelopes.

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;

use crate::post::{Post, Usual, bytes, scripted, send};

const FROM: &str = "app@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";

#[tokio::test]
async fn each_recipient_gets_the_policys_answer() {
    let post = Post::deciding(&scripted("recipient = \"if recipient bad; reject 5.1.1 not here\"")).await;
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<good@example.org>", "250").await;
    assert_eq!(client.ask("RCPT TO:<bad@example.org>").await, "550 5.1.1 not here\r\n");
    client.expect("RCPT TO:<fine@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send(format!("{MAIL}.\r\n")).await;
    client.hear("250 ").await;
    assert_eq!(post.messages(1).await[0].recipients, ["good@example.org", "fine@example.org"]);
}

#[tokio::test]
async fn a_limit_per_recipient_is_kept_over_sessions() {
    let post = Post::deciding(&scripted("recipient = \"reject-after 2 sent\"")).await;
    for _ in 0..2 {
        assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("250 "));
    }
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    assert_eq!(client.ask("RCPT TO:<ann@example.org>").await, "550 5.7.1 no more\r\n");
    post.messages(2).await;
}

#[tokio::test]
async fn what_a_tenant_remembers_no_other_tenant_sees() {
    let policy = scripted("message = \"remember secret acme-only; echo remembered secret\"");
    let other = scripted("message = \"echo remembered secret\"");
    let post = Post::with(&Usual { policy: &policy, other_policy: &other, ..Usual::default() }).await;
    assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("250 "));
    assert!(send(&mut post.other().await, "me@globex.example", TO, MAIL).await.starts_with("250 "));
    let messages = post.messages(2).await;
    let says = |index: usize, text: &str| String::from_utf8_lossy(bytes(&messages[index])).contains(text);
    assert!(says(0, "X-remembered: acme-only\r\n"));
    assert!(says(1, "X-remembered: none\r\n"));
}

#[tokio::test]
async fn sender_and_recipients_are_rewritten_within_the_tenants_own() {
    let policy = scripted(
        "message = \"set-sender mail@acme.example; set-recipient 1 test@example.org; add-recipient archive@acme.example\"",
    );
    let post = Post::deciding(&policy).await;
    assert!(send(&mut post.app().await, FROM, &["ann@example.org", "ben@example.org"], MAIL).await.starts_with("250 "));
    let message = &post.messages(1).await[0];
    assert_eq!(message.reverse_path, "mail@acme.example");
    assert_eq!(message.recipients, ["ann@example.org", "test@example.org", "archive@acme.example"]);
}

#[tokio::test]
async fn two_recipients_that_become_one_get_one_message() {
    let policy = scripted("message = \"set-recipient 0 test@example.org; set-recipient 1 test@example.org\"");
    let post = Post::deciding(&policy).await;
    assert!(send(&mut post.app().await, FROM, &["ann@example.org", "ben@example.org"], MAIL).await.starts_with("250 "));
    assert_eq!(post.messages(1).await[0].recipients, ["test@example.org"]);
}

#[tokio::test]
async fn a_recipient_that_was_refused_comes_alone_and_hears_its_own_accounts_answer() {
    let post = Post::deciding(&scripted("message = \"set-recipient 1 unknown@example.org\"")).await;
    let mut client = post.app().await;
    let both = ["ann@example.org", "ben@example.org"];
    assert!(send(&mut client, FROM, &both, MAIL).await.starts_with("451 "), "nobody gets it");
    assert!(post.is_empty());
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("RCPT TO:<ben@example.org>", "452 4.5.3 ").await;
    client.expect("RSET", "250").await;
    // The one who was refused first takes no company either.
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<ben@example.org>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "452 4.5.3 ").await;
}

#[tokio::test]
async fn one_accounts_refusal_is_no_refusal_by_another() {
    let post =
        Post::deciding(&scripted("message = \"use-accounts outlook; if subject first; use-accounts gmail\"")).await;
    let mut client = post.app().await;
    let refusal = Action::Reply("550 5.1.1 not at this provider".to_owned());
    post.simulator.inject(Provider::Gmail, Fault::new(Stage::Recipient, refusal));
    let both = ["ann@example.org", "ben@example.org"];
    let first = "Subject: first\r\n\r\nbody\r\n";
    assert!(send(&mut client, FROM, &both, first).await.starts_with("451 "), "nobody gets it");
    // The policy sends it by another account now, which was never asked.
    assert!(send(&mut client, FROM, &["ann@example.org"], MAIL).await.starts_with("250 "));
    assert_eq!(post.messages(1).await[0].mailbox.as_ref(), "box@acme.example");
}

#[tokio::test]
async fn a_refused_added_recipient_is_not_shown_to_the_client() {
    let post = Post::deciding(&scripted("message = \"add-recipient unknown@hidden.example\"")).await;
    let heard = send(&mut post.app().await, FROM, TO, MAIL).await;
    assert!(heard.starts_with("451 4.7.1 ") && !heard.contains("hidden"), "{heard}");
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_policy_rejects_and_defers_messages_in_its_own_words() {
    let post = Post::deciding(&scripted("message = \"if subject spam; reject 5.7.1 no advertising\"")).await;
    let mut client = post.app().await;
    let reply = send(&mut client, FROM, TO, "Subject: spam\r\n\r\nbuy\r\n").await;
    assert_eq!(reply, "550 5.7.1 no advertising\r\n");
    assert!(send(&mut client, FROM, TO, MAIL).await.starts_with("250 "));
    post.messages(1).await;

    let post = Post::deciding(&scripted("message = \"defer-until 2 tries\"")).await;
    let mut client = post.app().await;
    assert_eq!(send(&mut client, FROM, TO, MAIL).await, "451 4.7.1 not yet\r\n");
    assert!(send(&mut client, FROM, TO, MAIL).await.starts_with("250 "));
    post.messages(1).await;
}
