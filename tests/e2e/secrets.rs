//! No password and no token is seen anywhere: not in the log at its loudest, not in replies, not in
//! metrics.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use posthouse_simulator::provider::Provider;
use tracing_subscriber::fmt::MakeWriter;

use crate::post::{APP, Post, Usual, send};

/// Everything that is logged, by every crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn nothing_secret_is_logged_or_answered() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // For the whole process: what the other tests log is looked at as well.
    tracing::subscriber::set_global_default(subscriber).expect("no other test captures the log");
    let heard = runtime.block_on(conversation());
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    // Other tests' configurations hold secrets, and reloads warn of the place, by this word and without them.
    let is_warning = |line: &&str| line.contains("the secret stands in the configuration itself");
    let logged: String = logged.lines().filter(|line| !is_warning(line)).collect();
    assert!(logged.contains("delivered") && logged.contains("not delivered"), "the log holds what was done: {logged}");
    for secret in
        ["secret", APP, "refresh-mail@acme.example", "wrong-password", "misplaced-password", "Bearer ", "ya29."]
    {
        for (place, text) in [("log", &logged), ("replies", &heard)] {
            let found = text.find(secret).map(|at| text[at.saturating_sub(80)..].chars().take(200).collect::<String>());
            assert!(found.is_none(), "{secret} in the {place}: {found:?}");
        }
    }
}

/// Logins that fail, one that does not, a message, a refused token, a revoked consent.
async fn conversation() -> String {
    let post = Post::with(&Usual::default()).await;
    let mut client = post.client().await;
    let mut heard = client.ask("EHLO x").await;
    heard += &client.ask("AUTH PLAIN AGFwcAB3cm9uZy1wYXNzd29yZA==").await;
    // Somebody's password, where the login is to stand.
    heard += &client.ask("AUTH PLAIN AG1pc3BsYWNlZC1wYXNzd29yZAB4").await;
    heard += &client.ask(&format!("AUTH PLAIN {APP}")).await;
    heard += &send(&mut client, "app@acme.example", &["ann@example.org"], "x\r\n").await;
    post.simulator.revoke(Provider::Outlook, "box@acme.example").expect("a mailbox");
    heard += &send(&mut client, "box@acme.example", &["ann@example.org"], "x\r\n").await;
    post.relay.stop().await;
    heard
}
