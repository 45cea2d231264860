//! Mail comes in by SMTP and goes out by OAuth2, and a 250 is the provider's.

use crate::post::{OTHER, Post, Usual, send, without_received};

#[tokio::test]
async fn a_message_reaches_the_provider_before_the_client_hears_250() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let reply = send(&mut client, "app@acme.example", &["ann@example.org"], "Subject: x\r\n\r\nhello\r\n").await;
    assert!(reply.starts_with("250 2.0.0 delivered: 250 2.0.0 OK"), "{reply}");
    let messages = post.messages(1).await;
    assert_eq!((&*messages[0].mailbox, messages[0].reverse_path.as_str()), ("mail@acme.example", "app@acme.example"));
    assert_eq!(messages[0].recipients, ["ann@example.org"]);
    assert_eq!(without_received(messages[0].bytes()), b"Subject: x\r\n\r\nhello\r\n");
    client.expect("QUIT", "221").await;
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn the_trace_field_says_how_the_message_came() {
    let post = Post::new().await;
    let mut client = post.app().await;
    send(&mut client, "app@acme.example", &["ann@example.org"], "Subject: x\r\n\r\n").await;
    let text = post.messages(1).await[0].text();
    let field = text.split("Subject:").next().expect("a header");
    for part in [
        "Received: from client.example.com ([127.0.0.1])",
        "by relay.example.com (Posthouse) with ESMTPA id ",
        "for <ann@example.org>;",
    ] {
        assert!(field.contains(part), "{field}");
    }
}

#[tokio::test]
async fn the_account_of_the_sender_carries_the_message_else_the_default_route() {
    let post = Post::new().await;
    let mut client = post.app().await;
    send(&mut client, "box@acme.example", &["ann@example.org"], "one\r\n").await;
    send(&mut client, "anybody@acme.example", &["ann@example.org"], "two\r\n").await;
    let mailboxes: Vec<String> = post.messages(2).await.iter().map(|message| message.mailbox.to_string()).collect();
    assert_eq!(mailboxes, ["box@acme.example", "mail@acme.example"]);
}

#[tokio::test]
async fn a_login_bound_to_an_account_uses_no_other() {
    let post = Post::with(&Usual { login: "account = \"gmail\"\n", ..Usual::default() }).await;
    let mut client = post.app().await;
    send(&mut client, "box@acme.example", &["ann@example.org"], "one\r\n").await;
    assert_eq!(&*post.messages(1).await[0].mailbox, "mail@acme.example");
}

#[tokio::test]
async fn tenants_have_mailboxes_of_their_own() {
    let post = Post::new().await;
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    client.expect(&format!("AUTH PLAIN {OTHER}"), "235").await;
    send(&mut client, "x@globex.example", &["ann@example.org"], "one\r\n").await;
    assert_eq!(&*post.messages(1).await[0].mailbox, "mail@globex.example");
}

#[tokio::test]
async fn many_recipients_notifications_and_utf8_go_through() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let many: Vec<String> = (0..100).map(|number| format!("r{number}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(send(&mut client, "app@acme.example", &many, "x\r\n").await.starts_with("250"));
    client.expect("MAIL FROM:<> BODY=8BITMIME SMTPUTF8", "250").await;
    client.expect("RCPT TO:<jürgen@exämple.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send("Subject: grüße\r\n\r\nüber\r\n.\r\n").await;
    client.hear("250").await;
    let messages = post.messages(2).await;
    assert_eq!(messages[0].recipients.len(), 100);
    assert_eq!((messages[1].reverse_path.as_str(), messages[1].recipients[0].as_str()), ("", "jürgen@exämple.org"));
    assert!(messages[1].text().contains("with UTF8SMTPA id") && messages[1].text().ends_with("über\r\n"));
}

#[tokio::test]
async fn a_device_that_only_says_helo_sends_by_its_network() {
    let networks = "networks = [ { network = \"127.0.0.0/8\", login = \"app\" } ]\n";
    let post = Post::with(&Usual { listener: networks, ..Usual::default() }).await;
    let mut client = post.client().await;
    client.expect("HELO printer", "250").await;
    let reply = send(&mut client, "scan@acme.example", &["ann@example.org"], "page\r\n").await;
    assert!(reply.starts_with("250"), "{reply}");
    assert!(post.messages(1).await[0].text().contains(" with SMTP id "));
}

#[tokio::test]
async fn sessions_are_reused_and_the_providers_limit_is_kept() {
    let post = Post::with(&Usual { account: "sessions = 2\n", ..Usual::default() }).await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..20 {
        let mut client = post.app().await;
        clients.spawn(async move {
            for _ in 0..5 {
                let to = format!("r{number}@example.org");
                let reply = send(&mut client, "app@acme.example", &[&to], "x\r\n").await;
                assert!(reply.starts_with("250"), "{reply}");
            }
        });
    }
    clients.join_all().await;
    post.messages(100).await;
    let report =
        post.simulator.report(posthouse_simulator::provider::Provider::Gmail, "mail@acme.example").expect("a mailbox");
    assert!(report.highest_connections <= 2 && report.logins <= 2 && report.tokens == 1, "{report:?}");
}
