//! The side under test, with the few knobs that the tests turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_smtp::client::Transaction;
use posthouse_smtp::client::login::Login;
use posthouse_smtp::command::Body;
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::sasl::{Mechanism, Secret};
use posthouse_upstream::deliver::{Content, Delivered, deliver};
use posthouse_upstream::error::Error;
use posthouse_upstream::limits::PoolLimits;
use posthouse_upstream::login::{LoginError, LoginFuture, LoginSource, SessionLogin};
use posthouse_upstream::pool::Pool;
use posthouse_upstream::replies::unlisted::Unlisted;
use posthouse_upstream::replies::{Replies, Table};
use tokio::time::Instant;

use crate::provider::Provider;

pub(crate) const MESSAGE: &[u8] = b"Subject: test\r\n\r\nHello.\r\n";

/// A source of numbered tokens: the first one, and one more for each refusal.
pub(crate) struct Tokens {
    /// What the second and later tokens are, or why there are none.
    pub(crate) renewal: Result<(), LoginError>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) asked: AtomicUsize,
    pub(crate) refused: AtomicUsize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { renewal: Ok(()), lifetime: None, asked: AtomicUsize::default(), refused: AtomicUsize::default() }
    }
}

impl Tokens {
    fn token(&self, number: usize) -> SessionLogin {
        let login = login(&format!("token-{number}"));
        SessionLogin { login: Some(login), valid_until: self.lifetime.map(|lifetime| Instant::now() + lifetime) }
    }
}

impl LoginSource for Tokens {
    fn login(&self) -> LoginFuture<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let token = self.token(self.refused.load(Ordering::SeqCst));
        Box::pin(async move { Ok(token) })
    }

    fn refused<'a>(&'a self, _refused: &'a SessionLogin) -> LoginFuture<'a> {
        let number = self.refused.fetch_add(1, Ordering::SeqCst) + 1;
        let renewed = self.renewal.clone().map(|()| self.token(number));
        Box::pin(async move { renewed })
    }
}

pub(crate) fn login(token: &str) -> Login {
    Login {
        mechanism: Mechanism::XOAuth2,
        user: "app@example.com".into(),
        secret: Secret::new(token),
        server: ("smtp.example.com".into(), 465),
    }
}

/// Where messages go, with limits that no test has to wait for.
pub(crate) fn limits() -> PoolLimits {
    PoolLimits {
        sessions: 3,
        messages_per_session: 1000,
        session_age: Duration::from_secs(600),
        idle: Duration::from_secs(60),
        token_margin: Duration::from_secs(60),
        acquire_deadline: Duration::from_secs(10),
        dial_deadline: Duration::from_secs(10),
    }
}

pub(crate) fn pool(provider: &Provider) -> Pool {
    Pool::new(provider.target(), limits())
}

pub(crate) fn pool_with(provider: &Provider, change: impl FnOnce(&mut PoolLimits)) -> Pool {
    let mut limits = limits();
    change(&mut limits);
    Pool::new(provider.target(), limits)
}

/// An envelope of its own.
pub(crate) struct Envelope {
    reverse_path: ReversePath,
    recipients: Vec<ForwardPath>,
    pub(crate) size: Option<u64>,
    pub(crate) smtputf8: bool,
}

impl Envelope {
    pub(crate) fn to(recipients: &[&str]) -> Self {
        Self {
            reverse_path: ReversePath::Mailbox("app@example.com".parse().unwrap()),
            recipients: recipients.iter().map(|to| ForwardPath::Mailbox(to.parse().unwrap())).collect(),
            size: None,
            smtputf8: false,
        }
    }

    pub(crate) fn reverse_path(&self) -> &ReversePath {
        &self.reverse_path
    }

    pub(crate) fn recipients(&self) -> &[ForwardPath] {
        &self.recipients
    }

    pub(crate) fn transaction(&self) -> Transaction<'_> {
        Transaction {
            reverse_path: &self.reverse_path,
            recipients: &self.recipients,
            size: self.size,
            body: Body::EightBitMime,
            smtputf8: self.smtputf8,
        }
    }
}

/// The small message to one recipient.
pub(crate) async fn send(pool: &Pool) -> Result<Delivered, Error> {
    send_with(pool, &Tokens::default()).await
}

pub(crate) async fn send_with(pool: &Pool, logins: &dyn LoginSource) -> Result<Delivered, Error> {
    send_content(pool, logins, Content::Whole(&[MESSAGE])).await
}

pub(crate) async fn send_content(
    pool: &Pool,
    logins: &dyn LoginSource,
    content: Content<'_>,
) -> Result<Delivered, Error> {
    let envelope = Envelope::to(&["user@example.org"]);
    deliver(pool, logins, &replies(), &envelope.transaction(), content, in_seconds(20)).await
}

pub(crate) async fn send_by(pool: &Pool, deadline: Instant) -> Result<Delivered, Error> {
    let envelope = Envelope::to(&["user@example.org"]);
    let content = Content::Whole(&[MESSAGE]);
    deliver(pool, &Tokens::default(), &replies(), &envelope.transaction(), content, deadline).await
}

pub(crate) async fn send_to(pool: &Pool, recipients: &[&str]) -> Result<Delivered, Error> {
    let envelope = Envelope::to(recipients);
    let content = Content::Whole(&[MESSAGE]);
    deliver(pool, &Tokens::default(), &replies(), &envelope.transaction(), content, in_seconds(20)).await
}

/// The shipped table, and nobody who hears of what it misses.
pub(crate) fn replies() -> Replies {
    Replies::new(Table::shipped(), Arc::new(Unlisted::telling(|_| {})))
}

pub(crate) fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Waits for something that happens on its own, and soon.
pub(crate) async fn until(happened: impl Fn() -> bool) {
    let patience = in_seconds(10);
    while !happened() {
        assert!(Instant::now() < patience, "it did not happen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
