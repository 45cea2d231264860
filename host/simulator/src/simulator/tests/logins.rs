//! Logins, by whom each provider lets in, and in which words.

use super::client::{Client, auth, base64, fresh_token};
use super::{GMAIL, OUTLOOK, options, started};
use crate::provider::Provider;

#[tokio::test]
async fn gmail_explains_a_refused_token_before_it_refuses_it() {
    let simulator = started(options()).await;
    let mut client = Client::greeted(&simulator, Provider::Gmail).await;
    client.ask("EHLO client.test\r\n").await;
    let challenge = client.ask(auth(GMAIL, "ya29.unknown")).await;
    let json = r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#;
    assert_eq!(challenge, format!("334 {}\r\n", base64(json)));
    let refusal = client.ask("\r\n").await;
    assert!(refusal.starts_with("535-5.7.8 ") && refusal.contains("\r\n535 5.7.8 "), "{refusal}");
    assert_eq!(simulator.report(Provider::Gmail, GMAIL).unwrap().refused_logins, 1);
}

#[tokio::test]
async fn outlook_refuses_a_token_at_once() {
    let simulator = started(options()).await;
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    assert!(client.ask(auth(OUTLOOK, "unknown")).await.starts_with("535 5.7.3 "));
    // The two-step form, as Microsoft documents it.
    assert_eq!(client.ask("AUTH XOAUTH2\r\n").await, "334 \r\n");
    let token = fresh_token(&simulator, Provider::Outlook).await;
    let response = auth(OUTLOOK, &token).replace("AUTH XOAUTH2 ", "");
    assert!(client.ask(response).await.starts_with("235 "));
}

#[tokio::test]
async fn a_token_opens_no_other_mailbox_and_nothing_after_its_time() {
    let mut options = options();
    options.mailboxes.push(crate::mailbox::Mailbox::new(Provider::Outlook, "other@example.org"));
    let simulator = started(options).await;
    let token = fresh_token(&simulator, Provider::Outlook).await;
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    assert!(client.ask(auth("other@example.org", &token)).await.starts_with("535 "));
    assert!(client.ask(auth("nobody@example.org", &token)).await.starts_with("535 "));
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    simulator.expire_access_tokens(Provider::Outlook, OUTLOOK).unwrap();
    assert!(client.ask(auth(OUTLOOK, &token)).await.starts_with("535 "));
    let token = fresh_token(&simulator, Provider::Outlook).await;
    assert!(client.ask(auth(OUTLOOK, &token)).await.starts_with("235 "));
}

#[tokio::test]
async fn oauthbearer_and_passwords_open_gmail() {
    let simulator = started(options()).await;
    let token = fresh_token(&simulator, Provider::Gmail).await;
    let bearer = base64(&format!("n,a={GMAIL},\x01host=smtp.gmail.test\x01port=587\x01auth=Bearer {token}\x01\x01"));
    let plain = base64(&format!("\0{GMAIL}\0app password"));
    let wrong = base64(&format!("\0{GMAIL}\0another"));
    let cases = [("OAUTHBEARER", bearer, "235 "), ("PLAIN", plain, "235 "), ("PLAIN", wrong, "535-5.7.8 ")];
    for (mechanism, response, expected) in cases {
        let mut client = Client::greeted(&simulator, Provider::Gmail).await;
        client.ask("EHLO client.test\r\n").await;
        let reply = client.ask(format!("AUTH {mechanism} {response}\r\n")).await;
        assert!(reply.starts_with(expected), "{mechanism}: {reply}");
    }
}

#[tokio::test]
async fn outlook_offers_no_plain_and_takes_no_password_that_is_not_set() {
    let simulator = started(options()).await;
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    assert!(client.ask(format!("AUTH PLAIN {}\r\n", base64("\0a\0b"))).await.starts_with("504 "));
    assert_eq!(client.ask("AUTH LOGIN\r\n").await, "334 VXNlcm5hbWU6\r\n");
    client.ask(base64(OUTLOOK) + "\r\n").await;
    assert!(client.ask(base64("guess") + "\r\n").await.starts_with("535 5.7.3 "));
}

#[tokio::test]
async fn a_disabled_mailbox_is_refused_until_it_is_enabled() {
    let simulator = started(options()).await;
    let token = fresh_token(&simulator, Provider::Outlook).await;
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    simulator.disable(Provider::Outlook, OUTLOOK).unwrap();
    assert!(client.ask(auth(OUTLOOK, &token)).await.starts_with("535 5.7.139 "));
    simulator.enable(Provider::Outlook, OUTLOOK).unwrap();
    assert!(client.ask(auth(OUTLOOK, &token)).await.starts_with("235 "));
    assert!(simulator.disable(Provider::Gmail, OUTLOOK).is_err());
}
