//! What the interfaces answer, and what the client hears of it: truth first, and no block dodged.

use std::time::Duration;

use posthouse_relay::simulation;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::provider::Provider;
use tokio::time::{Instant, timeout};

use super::{BOX, account, message, post, simulator};
use crate::post::{Post, send};

/// host/upstream/tests/corpus/main.rs holds that every row of the shipped table is named here.
const CORPUS: &str = include_str!("../../../host/upstream/tests/corpus/replies.toml");
const TO: &[&str] = &["ann@example.org"];

async fn sent(post: &Post) -> String {
    send(&mut post.app().await, BOX, TO, &message(TO)).await
}

#[tokio::test]
async fn every_answer_of_the_corpus_is_heard_as_it_says() {
    let corpus: toml::Table = toml::from_str(CORPUS).expect("the corpus is TOML");
    let mut walked = 0;
    for said in corpus["said"].as_array().expect("a list") {
        let text = |key: &str| said[key].as_str().expect("a text");
        if text("stage") != "request" {
            continue;
        }
        let provider = if text("provider") == "outlook" { Provider::Outlook } else { Provider::Gmail };
        let (status, words) = text("reply").split_once(' ').expect("a status and words");
        let post = post(provider, "").await;
        let action = Action::answer(status.parse().expect("a status"), words, None);
        post.simulator.inject(provider, Fault::new(Stage::Content, action).always());
        let heard = sent(&post).await;
        assert!(heard.starts_with(&format!("{}: ", text("heard"))), "{}\n{heard}", text("reply"));
        assert!(post.is_empty());
        assert_eq!(post.relay.unlisted_replies(), []);
        walked += 1;
    }
    assert!(walked > 15, "{walked}");
}

#[tokio::test]
async fn what_no_row_explains_is_judged_by_its_status_and_counted() {
    for (status, heard) in [(418, "554 5.0.0 provider refused: 418 "), (599, "451 4.0.0 provider deferred: 599 ")] {
        let post = post(Provider::Outlook, "").await;
        let action = Action::answer(status, "ErrorUnheardOf", None);
        post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, action));
        let reply = sent(&post).await;
        assert!(reply.starts_with(heard), "{reply}");
        let unlisted = post.relay.unlisted_replies();
        assert_eq!(unlisted.len(), 1, "{unlisted:?}");
        assert!(sent(&post).await.starts_with("250 "), "it was this message alone");
    }
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let post = post(Provider::Outlook, "").await;
    // Of a refusal that is about requests at a time: the message itself is tried again, and not before.
    let refusal = |seconds| Action::answer(429, "ApplicationThrottled MailboxConcurrency", Some(seconds));
    let fault = post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, refusal(4)));
    let asked = Instant::now();
    let reply = sent(&post).await;
    assert!(reply.starts_with("250 "), "{reply}");
    // By itself it would be tried again after a second or one and a half.
    assert!(asked.elapsed() > Duration::from_millis(3_500), "{:?}", asked.elapsed());
    assert_eq!(fault.hits(), 1);
    let fault = post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, refusal(900)).always());
    for _ in 0..3 {
        let reply = sent(&post).await;
        assert!(reply.starts_with("451 4.3.2 provider deferred, tried again in "), "{reply}");
    }
    assert_eq!(fault.hits(), 1, "it is left alone");
    post.messages(1).await;
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_message_goes_on() {
    for provider in Provider::ALL {
        let post = post(provider, "").await;
        assert!(sent(&post).await.starts_with("250 "));
        post.simulator.expire_access_tokens(provider, BOX).expect("the mailbox is there");
        assert!(sent(&post).await.starts_with("250 "), "{provider:?}");
        let report = post.simulator.report(provider, BOX).expect("the mailbox is there");
        assert_eq!((report.tokens, report.messages, report.refused_logins), (2, 2, 1));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_the_account_s_misfortune_and_asked_about_no_more() {
    let post = post(Provider::Outlook, "").await;
    let action = Action::answer(401, "InvalidAuthenticationToken", None);
    let fault = post.simulator.inject(Provider::Outlook, Fault::new(Stage::Auth, action).always());
    for _ in 0..4 {
        let reply = sent(&post).await;
        assert!(reply.starts_with("454 4.7.0 account cannot log in"), "{reply}");
    }
    assert_eq!(fault.hits(), 2, "once, and once more with a new token");
    assert_eq!(post.simulator.report(Provider::Outlook, BOX).expect("it is there").tokens, 2);
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_consent_that_was_taken_back_is_told() {
    let post = post(Provider::Outlook, "").await;
    assert!(sent(&post).await.starts_with("250 "));
    post.simulator.revoke(Provider::Outlook, BOX).expect("the mailbox is there");
    assert!(sent(&post).await.starts_with("454 4.7.0 "));
    post.messages(1).await;
}

#[tokio::test]
async fn a_block_is_not_dodged_by_another_account() {
    let (simulator, other) = (simulator().await, Mailbox::new(Provider::Gmail, "other@acme.example"));
    simulator.add_mailbox(other.clone());
    let route = "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"it\", \"other\"]\n";
    let over_http = simulation::over_http(&simulator, Provider::Gmail);
    let acme = account(&simulator, Provider::Outlook, "") + &simulation::account("other", &other, &over_http);
    let post = Post::routed(simulator, route, &acme).await;
    let action = Action::answer(403, "ErrorMessageSubmissionBlocked", None);
    let fault = post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, action).always());
    let mut client = post.app().await;
    let mut heard = Vec::new();
    while fault.hits() == 0 {
        heard.push(send(&mut client, BOX, TO, &message(TO)).await);
    }
    let (blocked, before) = heard.split_last().expect("one at least");
    assert!(blocked.starts_with("550 5.7.1 account is blocked by the provider: 403 "), "{blocked}");
    assert!(before.iter().all(|reply| reply.starts_with("250 ")));
    post.messages(before.len()).await;
}

#[tokio::test]
async fn a_lost_answer_is_told_and_nothing_is_sent_again() {
    for provider in Provider::ALL {
        for (action, copies) in
            [(Action::Reset, 1), (Action::Close, 1), (Action::Garbage(b"HTTP/1.1 2\r\n".to_vec()), 1)]
        {
            let post = post(provider, "").await;
            let fault = post.simulator.inject(provider, Fault::new(Stage::Recorded, action));
            let reply = sent(&post).await;
            assert!(reply.starts_with("451 4.4.2 provider's answer to the message was lost"), "{reply}");
            assert_eq!(fault.hits(), 1);
            post.messages(copies).await;
            assert!(sent(&post).await.starts_with("250 "), "the next message has a new connection");
            post.messages(copies + 1).await;
        }
    }
}

#[tokio::test]
async fn success_that_is_not_the_interface_s_is_none() {
    let post = post(Provider::Outlook, "").await;
    let action = Action::answer(200, "a proxy's page", None);
    post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, action));
    let reply = sent(&post).await;
    assert!(reply.starts_with("451 4.5.0 provider broke the protocol"), "{reply}");
    let early = Fault::new(Stage::ContentStart, Action::answer(202, "too soon", None));
    let early = post.simulator.inject(Provider::Outlook, early);
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{BOX}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send(message(TO) + &"a part of it\r\n".repeat(150_000)).await;
    assert!(early.wait_for(1).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.send("and the rest\r\n.\r\n").await;
    client.hear("451 4.5.0 provider broke the protocol").await;
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_connection_that_was_ended_while_idle_costs_no_message() {
    let post = post(Provider::Gmail, "").await;
    assert!(sent(&post).await.starts_with("250 "));
    post.simulator.close_ports(Provider::Gmail).await;
    post.simulator.open_ports(Provider::Gmail).expect("the ports are free");
    assert!(sent(&post).await.starts_with("250 "));
    let stalled = Fault::new(Stage::Content, Action::Stall);
    post.simulator.inject(Provider::Gmail, stalled);
    let reply = timeout(Duration::from_secs(30), sent(&post)).await.expect("every client is answered");
    assert!(reply.starts_with("451 4.4.2 provider's answer to the message was lost"), "{reply}");
    post.messages(2).await;
}
