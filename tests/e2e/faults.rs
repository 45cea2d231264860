//! Providers that fail: at every stage, in every way, the client hears the truth, and the next
//! message goes through.

use std::time::Duration;

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use posthouse_simulator::token_faults::TokenFault;

use crate::post::{Post, Usual, send};
use crate::wire::Wire;

const FROM: &str = "app@acme.example";
const TO: &[&str] = &["ann@example.org"];

/// Short waits, so that a provider that stalls is given up within the test.
fn impatient() -> Usual<'static> {
    Usual { timeouts: "delivery = \"2 s\"\nconnect = \"1 s\"\nsession_wait = \"2 s\"\n", ..Usual::default() }
}

/// One message through a provider with this fault; then the fault is taken away, and another one.
async fn one_fault(stage: Stage, action: Action) -> (String, Post) {
    let post = Post::with(&impatient()).await;
    let mut client = post.app().await;
    // A session is at hand where the fault is not about opening one.
    let opening = matches!(stage, Stage::Connect | Stage::Greeting | Stage::Ehlo | Stage::StartTls | Stage::Auth);
    let before = usize::from(!opening);
    if !opening {
        assert!(send(&mut client, FROM, TO, "warm\r\n").await.starts_with("250"));
        post.messages(1).await;
    }
    // Nonsense instead of a reply may come from a provider that goes on to take the message.
    let may_be_recorded = stage == Stage::Recorded || matches!(action, Action::Garbage(_));
    post.simulator.inject(Provider::Gmail, Fault::new(stage, action).always());
    let reply = send(&mut client, FROM, TO, "under test\r\n").await;
    post.simulator.clear_faults(Provider::Gmail);
    let copies = post.simulator.ledger().messages().len() - before;
    if reply.starts_with("250") {
        assert_eq!(copies, 1, "{reply}");
    } else if !may_be_recorded {
        assert_eq!(copies, 0, "{reply}");
    } else if copies > 0 {
        assert!(reply.starts_with("451 4.4.2"), "an unknown outcome is said to be one: {reply}");
    }
    (reply, post)
}

/// What a refusal by 4yz or 5yz at each stage becomes for the client.
#[tokio::test]
async fn refusals_become_what_they_mean_for_the_client() {
    for (stage, said, heard) in [
        (Stage::Connect, "554 5.7.1 go away", "451"),
        (Stage::Ehlo, "421 4.3.0 try later", "451"),
        (Stage::Auth, "535 5.7.8 Username and Password not accepted", "454 4.7.0"),
        (Stage::Auth, "454 4.7.0 Too many login attempts, please try again later", "451 4.7.0"),
        (Stage::Mail, "451 4.3.0 not now", "451"),
        (Stage::Mail, "550 5.1.8 Access denied, bad outbound sender", "550"),
        (Stage::Recipient, "450 4.2.1 busy", "450 4.2.1"),
        (Stage::Recipient, "550 5.1.1 no such user", "550 5.1.1"),
        (Stage::Content, "552 5.2.3 too large for us", "552 5.2.3"),
        (Stage::Content, "451 4.3.0 try again", "451"),
        (Stage::Content, "550 5.4.5 Daily user sending limit exceeded", "452 4.5.3"),
        (Stage::Content, "550 5.7.1 spam", "550 5.7.1"),
        (Stage::Content, "421 4.3.0 Temporary System Problem", "451"),
    ] {
        let (reply, _post) = one_fault(stage, Action::Reply(said.to_owned())).await;
        assert!(reply.starts_with(heard), "{stage:?} {said}: {reply}");
    }
}

#[tokio::test]
async fn broken_connections_are_never_a_250_without_a_copy() {
    for stage in [
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::Auth,
        Stage::Mail,
        Stage::Recipient,
        Stage::Content,
        Stage::Recorded,
    ] {
        for action in
            [Action::Reset, Action::Close, Action::HalfClose, Action::Garbage(b"\x00\xffnonsense\r\n".to_vec())]
        {
            let name = format!("{stage:?} {action:?}");
            let (reply, _post) = one_fault(stage, action).await;
            assert!(reply.starts_with("45"), "{name}: {reply}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_stalls_is_given_up_in_time() {
    for stage in [Stage::Greeting, Stage::Auth, Stage::Mail, Stage::Content] {
        let started = tokio::time::Instant::now();
        let (reply, _post) = one_fault(stage, Action::Stall).await;
        assert!(reply.starts_with("45"), "{stage:?}: {reply}");
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_and_never_sent_again() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let reply = send(&mut client, FROM, &["lost@example.org"], "x\r\n").await;
    assert!(reply.starts_with("451 4.4.2"), "{reply}");
    assert_eq!(post.messages(1).await.len(), 1, "it arrived once, and was not sent again");
    assert!(send(&mut client, FROM, TO, "y\r\n").await.starts_with("250"));
    post.messages(2).await;
}

#[tokio::test]
async fn a_session_that_the_provider_ended_while_idle_is_not_noticed_by_the_client() {
    for action in [Action::Close, Action::Reset, Action::Reply("421 4.4.2 idle too long".to_owned())] {
        let post = Post::new().await;
        let mut client = post.app().await;
        assert!(send(&mut client, FROM, TO, "one\r\n").await.starts_with("250"));
        let idle = post.simulator.inject(Provider::Gmail, Fault::new(Stage::Idle, action));
        idle.wait_for(1).await;
        assert!(send(&mut client, FROM, TO, "two\r\n").await.starts_with("250"));
        post.messages(2).await;
    }
}

#[tokio::test]
async fn where_some_recipients_are_refused_nobody_gets_it_and_the_retry_knows() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let reply = send(&mut client, FROM, &["ann@example.org", "unknown@example.org"], "x\r\n").await;
    assert!(reply.starts_with("451") && reply.contains("5.1.1"), "{reply}");
    assert!(post.is_empty());
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("RCPT TO:<unknown@example.org>", "550 5.1.1").await;
    client.expect("DATA", "354").await;
    client.send("x\r\n.\r\n").await;
    client.hear("250").await;
    assert_eq!(post.messages(1).await[0].recipients, ["ann@example.org"]);
}

#[tokio::test]
async fn recipients_can_be_verified_before_they_are_answered() {
    let post = Post::with(&Usual { listener: "verify_recipients = true\n", ..Usual::default() }).await;
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("RCPT TO:<unknown@example.org>", "550 5.1.1").await;
    client.expect("DATA", "354").await;
    client.send("x\r\n.\r\n").await;
    client.hear("250").await;
    assert_eq!(post.messages(1).await[0].recipients, ["ann@example.org"]);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_message_still_goes_out() {
    let post = Post::new().await;
    let mut client = post.app().await;
    assert!(send(&mut client, FROM, TO, "one\r\n").await.starts_with("250"));
    post.simulator.expire_access_tokens(Provider::Gmail, "mail@acme.example").expect("a mailbox");
    // The session at hand goes, so that the next message has to log in anew.
    post.simulator.inject(Provider::Gmail, Fault::new(Stage::Idle, Action::Close)).wait_for(1).await;
    assert!(send(&mut client, FROM, TO, "two\r\n").await.starts_with("250"));
    let report = post.simulator.report(Provider::Gmail, "mail@acme.example").expect("a mailbox");
    assert_eq!((report.refused_logins, report.tokens), (1, 2));
    post.messages(2).await;
}

#[tokio::test]
async fn a_revoked_consent_is_the_accounts_trouble_and_nobody_elses() {
    let post = Post::new().await;
    post.simulator.revoke(Provider::Gmail, "mail@acme.example").expect("a mailbox");
    let mut client = post.app().await;
    for _ in 0..5 {
        let reply = send(&mut client, FROM, TO, "x\r\n").await;
        assert!(reply.starts_with("454 4.7.0"), "{reply}");
    }
    assert!(send(&mut client, "box@acme.example", TO, "x\r\n").await.starts_with("250"));
    assert_eq!(&*post.messages(1).await[0].mailbox, "box@acme.example");
    assert!(post.simulator.ledger().counters(Provider::Gmail).token_requests <= 2);
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_defers_and_recovers() {
    let post = Post::new().await;
    post.simulator.inject_token_fault(TokenFault::answer(503, "{\"error\":\"temporarily_unavailable\"}").times(1));
    let mut client = post.app().await;
    let reply = send(&mut client, FROM, TO, "x\r\n").await;
    assert!(reply.starts_with("454 4.7.0"), "{reply}");
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(send(&mut client, FROM, TO, "x\r\n").await.starts_with("250"));
    post.messages(1).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_has_sent_nothing() {
    let post = Post::with(&Usual { limits: "stream_threshold = \"64 KiB\"\n", ..Usual::default() }).await;
    for size in [100, 200_000] {
        let mut client: Wire = post.app().await;
        client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
        client.expect("RCPT TO:<ann@example.org>", "250").await;
        client.expect("DATA", "354").await;
        client.send(format!("Subject: x\r\n\r\n{}", "line\r\n".repeat(size / 6))).await;
        drop(client);
    }
    let mut client = post.app().await;
    assert!(send(&mut client, FROM, TO, "whole\r\n").await.starts_with("250"));
    assert!(post.messages(1).await[0].text().ends_with("whole\r\n"));
}

#[tokio::test]
async fn a_provider_that_refuses_connections_defers_until_it_is_back() {
    let post = Post::new().await;
    post.simulator.close_ports(Provider::Gmail).await;
    let mut client = post.app().await;
    let reply = send(&mut client, FROM, TO, "x\r\n").await;
    assert!(reply.starts_with("451 4.4.1"), "{reply}");
    assert!(send(&mut client, "box@acme.example", TO, "x\r\n").await.starts_with("250"), "the other provider is there");
    post.simulator.open_ports(Provider::Gmail).expect("the ports are free again");
    assert!(send(&mut client, FROM, TO, "x\r\n").await.starts_with("250"));
    post.messages(2).await;
}

#[tokio::test]
async fn a_throttled_account_is_waited_out_and_not_dodged_by_another() {
    let route = "default_route = \"both\"\n[[routes]]\nname = \"both\"\naccounts = [\"gmail\", \"outlook\"]\n";
    let post = Post::with(&Usual { route, ..impatient() }).await;
    let throttled = "454 4.7.0 Too many login attempts, please try again later";
    post.simulator.inject(Provider::Gmail, Fault::new(Stage::Auth, Action::Reply(throttled.to_owned())).always());
    let mut client = post.app().await;
    for _ in 0..2 {
        let reply = send(&mut client, FROM, TO, "x\r\n").await;
        assert!(reply.starts_with("451 4.7.0"), "{reply}");
    }
    assert!(post.is_empty());
}
