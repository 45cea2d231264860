//! Messages arrive, octet for octet, whatever their size and the account's grant; what breaks off leaves nothing.

use std::fs;
use std::time::Duration;

use posthouse_simulator::applications::{Application, Delegation};
use posthouse_simulator::provider::Provider;
use tokio::time::timeout;

use super::{BOX, message, post, simulator};
use crate::post::{Post, bytes, send, unique, without_received};

const TO: &[&str] = &["ann@example.org"];

#[tokio::test]
async fn messages_of_all_sizes_arrive_as_they_were_sent() {
    for provider in Provider::ALL {
        let post = post(provider, "").await;
        let mut client = post.app().await;
        let mut sent = Vec::new();
        for (number, lines) in [0, 1, 700, 9_000, 24_000].into_iter().enumerate() {
            let body = "..a line with dots, and with \u{e4}, in front of nothing in particular, to fill it a bit\r\n";
            let content = format!("{}{}{}", message(TO), "x".repeat(number), body.repeat(lines)) + "\r\n";
            let reply = send(&mut client, BOX, TO, &content.replace("\r\n.", "\r\n..")).await;
            let expected = match provider {
                Provider::Outlook => "250 2.0.0 delivered: 202 accepted by Graph for sending, request-id ",
                Provider::Gmail => "250 2.0.0 delivered: 200 accepted by the Gmail API, id ",
            };
            assert!(reply.starts_with(expected), "{reply}");
            sent.push(content);
        }
        for (message, sent) in post.messages(sent.len()).await.iter().zip(&sent) {
            assert_eq!(message.recipients, TO);
            assert_eq!(&*message.mailbox, BOX);
            assert!(without_received(bytes(message)) == sent.as_bytes(), "{provider:?}, {} octets", sent.len());
        }
        let report = post.simulator.report(provider, BOX).expect("the mailbox is there");
        assert_eq!((report.logins, report.tokens), (1, 1), "one connection, kept alive, and one token");
    }
}

#[tokio::test]
async fn half_a_message_is_nobody_s() {
    for provider in Provider::ALL {
        let post = post(provider, "").await;
        let mut client = post.app().await;
        client.expect(&format!("MAIL FROM:<{BOX}>"), "250").await;
        client.expect("RCPT TO:<ann@example.org>", "250").await;
        client.expect("DATA", "354").await;
        client.send(message(TO)).await;
        client.send("half of it\r\n".repeat(150_000)).await;
        // The provider has begun to read it.
        let begun = async {
            while post.simulator.ledger().counters(provider).transactions == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), begun).await.expect("the content flows through");
        drop(client);
        let closed = post.simulator.ledger().wait_until_open(provider, 0);
        timeout(Duration::from_secs(20), closed).await.expect("the request is broken off");
        assert!(post.is_empty());
        let whole = send(&mut post.app().await, BOX, TO, &message(TO)).await;
        assert!(whole.starts_with("250 "), "{whole}");
        post.messages(1).await;
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_with_the_limit_and_never_whole() {
    let post = post(Provider::Outlook, "").await;
    let mut client = post.app().await;
    let large =
        message(TO) + &"seventy octets in a line, which is about what people write in theirs\r\n".repeat(45_000);
    let reply = send(&mut client, BOX, TO, &large).await;
    assert!(reply.starts_with("552 5.3.4 message too big for the provider, which takes 3000000 octets"), "{reply}");
    assert!(post.is_empty());
    assert!(send(&mut client, BOX, TO, &message(TO)).await.starts_with("250 "));
}

#[tokio::test]
async fn an_application_sends_as_the_mailbox_it_was_let_into() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").directory("contoso.test").secret("s3").mailbox(BOX));
    let acme = format!(
        "[[accounts]]\nid = \"it\"\naddress = \"{BOX}\"\nprovider = \"outlook\"\n{}[accounts.grant]\n\
         kind = \"client_credentials\"\nclient_id = \"daemon\"\ndirectory = \"contoso.test\"\nclient_secret = \"s3\"\n",
        posthouse_relay::simulation::over_http(&simulator, Provider::Outlook)
    );
    let post = Post::before(simulator, &acme).await;
    let reply = send(&mut post.app().await, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("250 "), "{reply}");
    post.messages(1).await;
}

#[tokio::test]
async fn a_service_account_sends_as_a_user_of_its_domain() {
    let simulator = simulator().await;
    let key = simulator.service_account("robot@project.test", Delegation::Granted).expect("a key");
    let file = std::env::temp_dir().join(format!("posthouse-e2e-{}-{}.json", std::process::id(), unique()));
    fs::write(&file, key).expect("the temporary directory can be written");
    let acme = format!(
        "[[accounts]]\nid = \"it\"\naddress = \"{BOX}\"\nprovider = \"gmail\"\n{}[accounts.grant]\n\
         kind = \"service_account\"\nkey_file = \"{}\"\n",
        posthouse_relay::simulation::over_http(&simulator, Provider::Gmail),
        file.display()
    );
    let post = Post::before(simulator, &acme).await;
    let reply = send(&mut post.app().await, BOX, TO, &message(TO)).await;
    assert!(reply.starts_with("250 "), "{reply}");
    post.messages(1).await;
}
