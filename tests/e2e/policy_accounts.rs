//! Policies that choose who carries a message, and what follows when that account cannot.

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;

use crate::post::{Post, Usual, scripted, send};

const FROM: &str = "app@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";

async fn fault(post: &Post, provider: Provider, stage: Stage, said: &str) {
    post.simulator.inject(provider, Fault::new(stage, Action::Reply(said.to_owned())).always());
}

#[tokio::test]
async fn the_chosen_account_carries_the_message() {
    for (steps, mailbox) in [
        ("use-accounts outlook", "box@acme.example"),
        ("use-accounts gmail,outlook", "mail@acme.example"),
        ("use-route all", "mail@acme.example"),
        ("use-route all; use-accounts outlook", "box@acme.example"),
        ("proceed", "mail@acme.example"),
        ("set-sender box@acme.example", "box@acme.example"),
    ] {
        let post = Post::deciding(&scripted(&format!("message = \"{steps}\""))).await;
        assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("250 "), "{steps}");
        assert_eq!(post.messages(1).await[0].mailbox.as_ref(), mailbox, "{steps}");
    }
}

#[tokio::test]
async fn the_next_account_tries_what_nobody_has() {
    let policy = scripted(
        "message = \"use-accounts gmail,outlook; carry state\"\n\
         outcome = \"log-echo account; log-echo carried; if can-go-on true; next-account\"",
    );
    let post = Post::deciding(&policy).await;
    fault(&post, Provider::Gmail, Stage::Auth, "535 5.7.8 Username and Password not accepted").await;
    let reply = send(&mut post.app().await, FROM, TO, MAIL).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let messages = post.messages(1).await;
    assert_eq!(messages[0].mailbox.as_ref(), "box@acme.example");
}

#[tokio::test]
async fn without_being_asked_nobody_else_tries() {
    let post = Post::deciding(&scripted("message = \"use-accounts gmail,outlook\"\noutcome = \"done\"")).await;
    fault(&post, Provider::Gmail, Stage::Auth, "535 5.7.8 Username and Password not accepted").await;
    assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("454 "));
    assert!(post.is_empty());
}

#[tokio::test]
async fn limits_and_blocks_are_never_dodged() {
    for (stage, said) in [
        (Stage::Mail, "550 5.1.8 Access denied, bad outbound sender"),
        (Stage::Mail, "550 5.7.1 blocked for what it sent"),
        (Stage::Content, "452 4.5.4 daily sending quota exceeded"),
        (Stage::Content, "451 4.3.0 not now"),
        (Stage::Content, "550 5.7.1 looks like spam"),
        (Stage::Auth, "454 4.7.0 Too many login attempts, please try again later"),
    ] {
        let policy = scripted("message = \"use-accounts gmail,outlook\"\noutcome = \"next-account\"");
        // A provider that throttles logins is waited for: not for as long as usual here.
        let timeouts = "delivery = \"2 s\"\nconnect = \"1 s\"\nsession_wait = \"2 s\"\n";
        let post = Post::with(&Usual { policy: &policy, timeouts, ..Usual::default() }).await;
        fault(&post, Provider::Gmail, stage, said).await;
        let reply = send(&mut post.app().await, FROM, TO, MAIL).await;
        assert!(reply.starts_with('4') || reply.starts_with('5'), "{said}: {reply}");
        assert!(post.is_empty(), "{said}: {reply}");
    }
}

#[tokio::test]
async fn a_message_whose_outcome_is_unknown_is_not_tried_again() {
    let policy = scripted("message = \"use-accounts gmail,outlook\"\noutcome = \"next-account\"");
    let post = Post::deciding(&policy).await;
    post.simulator.inject(Provider::Gmail, Fault::new(Stage::Recorded, Action::Reset).always());
    let reply = send(&mut post.app().await, FROM, TO, MAIL).await;
    assert!(reply.starts_with("451 4.4.2"), "{reply}");
    let messages = post.simulator.ledger().messages();
    assert!(messages.iter().all(|message| message.mailbox.as_ref() == "mail@acme.example"), "nobody else has it");
    assert!(messages.len() <= 1, "and nobody has it twice");
}

#[tokio::test]
async fn least_loaded_prefers_an_account_that_is_ready() {
    let post = Post::deciding(&scripted("message = \"use-least-loaded\"\noutcome = \"next-account\"")).await;
    let mut client = post.app().await;
    fault(&post, Provider::Gmail, Stage::Auth, "535 5.7.8 Username and Password not accepted").await;
    // The first message finds out that gmail cannot log in; the second one is not sent that way at all.
    for _ in 0..2 {
        assert!(send(&mut client, FROM, TO, MAIL).await.starts_with("250 "));
    }
    assert!(post.messages(2).await.iter().all(|message| message.mailbox.as_ref() == "box@acme.example"));
}

#[tokio::test]
async fn without_a_policy_the_account_of_mail_stays_whatever_comes_between() {
    let route = "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"gmail\", \"outlook\"]\n";
    let post = Post::with(&Usual { route, ..Usual::default() }).await;
    let mut first = post.app().await;
    first.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    first.expect("RCPT TO:<ann@example.org>", "250").await;
    // Meanwhile another message finds out that gmail cannot log in.
    fault(&post, Provider::Gmail, Stage::Auth, "535 5.7.8 Username and Password not accepted").await;
    assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("454 "));
    first.expect("DATA", "354").await;
    first.send(format!("{MAIL}.\r\n")).await;
    assert!(first.reply().await.starts_with("454 "), "RCPT was answered for gmail");
    assert!(post.is_empty());
    // A new message takes the account that is in order.
    assert!(send(&mut first, FROM, TO, MAIL).await.starts_with("250 "));
    assert_eq!(post.messages(1).await[0].mailbox.as_ref(), "box@acme.example");
}
