//! Recipients: the provider reads them from the header, and has to read the envelope's there, all of them and no others.

use posthouse_simulator::provider::Provider;

use super::{BOX, message, post};
use crate::post::{bytes, send, without_received};

#[tokio::test]
async fn recipients_that_no_field_names_get_it_and_nobody_sees_them() {
    for provider in Provider::ALL {
        let post = post(provider, "").await;
        let mut client = post.app().await;
        let content = message(&["Ann <ANN@example.org>"]);
        let reply = send(&mut client, BOX, &["ann@example.org", "eve@example.com", "bob@example.net"], &content).await;
        assert!(reply.starts_with("250 "), "{reply}");
        let of_client = content.replace("Subject", "Bcc: eve@example.com\r\nSubject");
        let reply =
            send(&mut client, BOX, &["eve@example.com", "bob@example.net", "ann@example.org"], &of_client).await;
        assert!(reply.starts_with("250 "), "{reply}");
        for message in post.messages(2).await {
            let mut recipients = message.recipients.clone();
            recipients.iter_mut().for_each(|recipient| recipient.make_ascii_lowercase());
            recipients.sort();
            assert_eq!(recipients, ["ann@example.org", "bob@example.net", "eve@example.com"]);
            assert_eq!(String::from_utf8_lossy(without_received(bytes(&message))), content);
        }
    }
}

#[tokio::test]
async fn whoever_is_named_and_no_recipient_keeps_the_message_from_leaving() {
    for provider in Provider::ALL {
        let post = post(provider, "").await;
        let mut client = post.app().await;
        let content = message(&["ann@example.org", "Bob <bob@example.net>"]);
        let reply = send(&mut client, BOX, &["ann@example.org"], &content).await;
        let expected = "554 5.6.0 provider takes recipients from the header: To, Cc or Bcc name bob@example.net besides \
                        the recipients; send one transaction with all of them, or use SMTP";
        assert_eq!(reply, format!("{expected}\r\n"));
        let streamed = content + &"more of it\r\n".repeat(200_000);
        let reply = send(&mut client, BOX, &["ann@example.org"], &streamed).await;
        assert!(reply.starts_with(expected), "{reply}");
        assert!(post.is_empty());
        assert_eq!(post.simulator.ledger().counters(provider).transactions, 0, "the provider was told nothing");
    }
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_not_guessed() {
    let post = post(Provider::Outlook, "").await;
    let content = message(&["ann@example.org bob@example.net"]);
    let reply = send(&mut post.app().await, BOX, &["ann@example.org"], &content).await;
    assert!(reply.starts_with("554 5.6.0 provider takes recipients from the header: To is no list of addresses"));
    assert!(post.is_empty());
}
