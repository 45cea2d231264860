//! Policies that fail: the tenant's own mail gets the answer that the tenant has chosen, and nobody else's any.

use posthouse_relay::config::from_toml;
use posthouse_relay::relay::Relay;

use crate::post::{Post, Usual, guest, scripted, send};

const FROM: &str = "app@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";

#[tokio::test]
async fn the_tenant_says_what_becomes_of_mail_that_its_policy_fails_on() {
    for (on_failure, reply, delivered) in [("defer", "451 4.7.1 ", 0), ("reject", "550 5.7.1 ", 0), ("pass", "250 ", 1)]
    {
        let policy = guest("hostile", &format!("on_failure = \"{on_failure}\""), "do = \"unreachable\"");
        let post = Post::deciding(&policy).await;
        let heard = send(&mut post.app().await, FROM, TO, MAIL).await;
        assert!(heard.starts_with(reply), "{on_failure}: {heard}");
        post.messages(delivered).await;
    }
}

#[tokio::test]
async fn a_failed_recipient_gets_the_same_answer() {
    let post = Post::deciding(&guest("hostile", "", "do = \"unreachable\"\nwhere = \"recipient\"")).await;
    let mut client = post.app().await;
    client.expect(&format!("MAIL FROM:<{FROM}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "451 4.7.1 ").await;
}

#[tokio::test]
async fn a_failure_after_delivery_changes_nothing_of_it() {
    let post = Post::deciding(&guest("hostile", "", "do = \"loop\"\nwhere = \"outcome\"")).await;
    assert!(send(&mut post.app().await, FROM, TO, MAIL).await.starts_with("250 "));
    post.messages(1).await;
}

#[tokio::test]
async fn a_delivered_message_is_answered_while_the_policy_still_ponders_its_outcome() {
    // Alone it would take seconds: a second of the processor, of which it has a quarter.
    let more = "cpu = \"1 s\"\ntime = \"10 s\"";
    let post = Post::deciding(&guest("hostile", more, "do = \"loop\"\nwhere = \"outcome\"")).await;
    let mut client = post.app().await;
    let began = std::time::Instant::now();
    assert!(send(&mut client, FROM, TO, MAIL).await.starts_with("250 "));
    assert!(began.elapsed() < std::time::Duration::from_millis(1500), "{:?}", began.elapsed());
    post.messages(1).await;
}

/// What no policy can do, whoever wrote it: another's account, another's sender, a smuggled line.
#[tokio::test]
async fn the_host_refuses_what_is_not_the_tenants_to_decide() {
    for steps in [
        "use-accounts another-tenants-account",
        "use-accounts gmail,another",
        "use-route nowhere",
        "set-sender ceo@globex.example",
        "set-sender mail@globex.example",
        "set-recipient 7 ann@example.org",
        "add-recipient no address",
        "add-header Received: by nobody",
        "remove-header received",
        "prepend-header DKIM-Signature: v=1",
        "replace-header Return-Path: <x@example.org>",
        "add-header ARC-Seal: i=1",
        "add-header X Y: z",
    ] {
        let post = Post::deciding(&scripted(&format!("message = \"add-header X-Good: 1; {steps}\""))).await;
        let heard = send(&mut post.app().await, FROM, TO, MAIL).await;
        assert!(heard.starts_with("451 4.7.1 "), "{steps}: {heard}");
        assert!(post.is_empty(), "{steps}");
    }
}

#[tokio::test]
async fn a_policy_that_keeps_failing_rests_and_is_tried_again() {
    let policy = guest("scripted", "cpu = \"2 ms\"", "message = \"if subject slow; spin 100000\"");
    let post = Post::deciding(&policy).await;
    let mut client = post.app().await;
    for _ in 0..5 {
        assert!(send(&mut client, FROM, TO, "Subject: slow\r\n\r\nbody\r\n").await.starts_with("451 4.7.1 "));
    }
    // It rests now: also what it could decide on is deferred.
    assert!(send(&mut client, FROM, TO, MAIL).await.starts_with("451 4.7.1 "));
    assert!(post.is_empty());
    // After a second it is tried, and is well.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while !send(&mut client, FROM, TO, MAIL).await.starts_with("250 ") {
        assert!(tokio::time::Instant::now() < deadline, "it is never tried again");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    post.messages(1).await;
}

#[tokio::test]
async fn one_tenants_broken_policy_is_nothing_to_another_tenant() {
    let broken = guest("hostile", "", "do = \"loop\"");
    let fine = scripted("message = \"add-header X-Fine: yes\"");
    let post = Post::with(&Usual { policy: &broken, other_policy: &fine, ..Usual::default() }).await;
    let (mut app, mut other) = (post.app().await, post.other().await);
    for _ in 0..10 {
        let (one, two) = tokio::join!(send(&mut app, FROM, TO, MAIL), send(&mut other, "me@globex.example", TO, MAIL));
        assert!(one.starts_with("451 4.7.1 "), "{one}");
        assert!(two.starts_with("250 "), "{two}");
    }
    post.messages(10).await;
}

/// Starts a relay whose tenant has this policy; what it says of it.
async fn refused(policy: &str) -> String {
    let main = format!(
        "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"plain\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n\
         [policies]\ncompile_worker = \"{}\"\n",
        env!("CARGO_BIN_EXE_posthouse-under-test")
    );
    let tenant = format!("[[logins]]\nname = \"app\"\nsenders = [\"@acme.example\"]\n{policy}");
    let loaded = from_toml(&main, &[("acme", &tenant)]);
    let Some(config) = loaded.config.as_ref() else { return loaded.report().to_string() };
    match Relay::start(config, None).await {
        Ok(relay) => {
            let refused = relay.refused_policies();
            assert_eq!(refused.len(), 1, "{policy}: {refused:?}");
            refused.into_iter().next().unwrap_or_default()
        }
        Err(error) => panic!("{policy}: one tenant's policy keeps the relay from starting: {error}"),
    }
}

#[tokio::test]
async fn a_policy_that_is_not_taken_is_named_with_its_place_and_reason() {
    let scripted = |settings: &str| scripted(settings);
    for (policy, reason) in [
        (scripted("message = \"no-such-step\""), "it does not take these settings: "),
        (guest("hostile", "", "do = \"loop\"\nwhere = \"describe\""), "it used more than its 10ms of processor time"),
        (guest("hostile", "", "do = \"unreachable\"\nwhere = \"settings\""), "it trapped"),
        (guest("hostile", "", "do = \"name-path\"\nwhere = \"describe\""), "the name is 1 to 64 letters"),
        (guest("scripted", "memory = \"128 KiB\"", ""), "it asked for more than its 128 KiB of memory"),
        (
            "[policy]\nfile = \"no/such.wasm\"\n".to_owned(),
            "tenants/acme.toml:5: policy.file = \"no/such.wasm\": there is no file",
        ),
        (guest("scripted", "cpu = \"2 s\"", ""), "expected from 1 ms to 1 s"),
    ] {
        let said = refused(&policy).await;
        assert!(said.contains(reason) && said.contains("tenants/acme.toml:"), "{policy}: {said}");
    }
}

#[tokio::test]
async fn a_tenant_whose_policy_is_not_taken_waits_and_the_others_send() {
    let broken = guest("hostile", "on_failure = \"reject\"", "do = \"unreachable\"\nwhere = \"describe\"");
    let post = Post::with(&Usual { policy: &broken, ..Usual::default() }).await;
    post.app().await.expect(&format!("MAIL FROM:<{FROM}>"), "451 4.3.5 ").await;
    assert!(send(&mut post.other().await, "me@globex.example", TO, MAIL).await.starts_with("250 "));
    post.messages(1).await;
}
