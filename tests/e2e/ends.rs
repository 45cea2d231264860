//! Where the relay says no by itself: rates, connections, loops, proxies that nobody named.

use crate::post::{APP, Post, Usual, send};
use crate::wire::Wire;

#[tokio::test]
async fn a_mailboxs_rate_is_kept_and_the_client_hears_when_it_may_go_on() {
    let usual =
        Usual { account: "messages_per_minute = 3\n", timeouts: "session_wait = \"1 s\"\n", ..Usual::default() };
    let post = Post::with(&usual).await;
    let mut client = post.app().await;
    for _ in 0..3 {
        assert!(send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await.starts_with("250"));
    }
    let reply = send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await;
    assert!(reply.starts_with("451 4.7.1") && reply.contains(" s"), "{reply}");
    post.messages(3).await;
}

#[tokio::test]
async fn connections_beyond_the_bound_hear_421_at_once() {
    let usual = Usual { limits: "connections = 2\n", ..Usual::default() };
    let post = Post::with(&usual).await;
    let (one, _two) = (post.client().await, post.client().await);
    let mut third = Wire::connect(post.address()).await;
    third.hear("421 4.3.2").await;
    assert!(third.rest().await.is_empty());
    drop(one);
    for _ in 0..100 {
        let mut next = Wire::connect(post.address()).await;
        if next.line().await.starts_with("220") {
            return;
        }
    }
    panic!("a place that was given back can be taken again");
}

#[tokio::test]
async fn a_message_in_a_loop_is_refused() {
    let post = Post::new().await;
    let mut client = post.app().await;
    let content = "Received: from x\r\n".repeat(100) + "\r\nx\r\n";
    let reply = send(&mut client, "app@acme.example", &["ann@example.org"], &content).await;
    assert!(reply.starts_with("554 5.4.6"), "{reply}");
    assert!(post.is_empty());
}

/// A PROXY header of version 2 for 192.0.2.77.
fn proxy_header() -> Vec<u8> {
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x21, 0x11, 0, 12][..], &[192, 0, 2, 77, 127, 0, 0, 1, 0x30, 0x39, 0, 25]].concat()
}

#[tokio::test]
async fn a_named_proxy_says_who_its_client_is() {
    let post = Post::with(&Usual { listener: "proxy_protocol_from = [\"127.0.0.1\"]\n", ..Usual::default() }).await;
    let mut client = Wire::connect(post.address()).await;
    client.send(proxy_header()).await;
    client.hear("220").await;
    client.expect("EHLO x", "250").await;
    client.expect(&format!("AUTH PLAIN {APP}"), "235").await;
    send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await;
    assert!(post.messages(1).await[0].text().contains("([192.0.2.77])"));
    let mut without = Wire::connect(post.address()).await;
    without.send("EHLO x\r\n and what else a client without a proxy says\r\n").await;
    assert!(without.rest().await.is_empty(), "a named proxy has to send its header");
}

#[tokio::test]
async fn nobody_else_can_say_who_he_is() {
    let post = Post::new().await;
    let mut client = Wire::connect(post.address()).await;
    client.hear("220").await;
    client.send(proxy_header()).await;
    client.hear("500").await;
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    client.expect("XCLIENT ADDR=192.0.2.77", "502").await;
}

#[tokio::test]
async fn a_named_server_speaks_for_its_clients_by_xclient() {
    let post = Post::with(&Usual { listener: "xclient_from = [\"127.0.0.0/8\"]\n", ..Usual::default() }).await;
    let mut client = post.client().await;
    let offers = client.expect("EHLO x", "250").await;
    assert!(offers.contains("XCLIENT"));
    client.expect("XCLIENT ADDR=192.0.2.78 HELO=printer.example.com", "220").await;
    client.expect("EHLO y", "250").await;
    client.expect(&format!("AUTH PLAIN {APP}"), "235").await;
    send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await;
    assert!(post.messages(1).await[0].text().contains("from printer.example.com ([192.0.2.78])"));
}

#[tokio::test]
async fn a_client_named_by_xclient_has_the_login_of_its_own_network_only() {
    let listener = "xclient_from = [\"127.0.0.1\"]\nnetworks = [ { network = \"192.0.2.0/24\", login = \"app\" } ]\n";
    let post = Post::with(&Usual { listener, ..Usual::default() }).await;
    let mut client = post.client().await;
    client.expect("EHLO x", "250").await;
    client.expect("MAIL FROM:<app@acme.example>", "530").await;
    client.expect("XCLIENT ADDR=192.0.2.79", "220").await;
    client.expect("HELO y", "250").await;
    assert!(send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await.starts_with("250"));
    client.expect("XCLIENT ADDR=198.51.100.1", "220").await;
    client.expect("HELO z", "250").await;
    client.expect("MAIL FROM:<app@acme.example>", "530").await;
    post.messages(1).await;
}
