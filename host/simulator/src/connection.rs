//! One connection: what the client says goes into a session, and what the session asks is answered here.
//!
//! At each stage the faults are asked first, then the limits. A message is in the ledger before its 250 is written.

pub(crate) mod ending;
mod hello;
mod login;
mod message;
mod suffering;
mod transaction;
mod waiting;
mod wire;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use posthouse_net::stream::Stream;
use posthouse_smtp::reply::Reply;
use posthouse_smtp::sasl::Credentials;
use posthouse_smtp::server::{Channel, Event, ServerSession};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::account::Submission;
use crate::api;
use crate::connection::ending::Ending;
use crate::connection::hello::Offer;
use crate::connection::login::Login;
use crate::connection::transaction::Transaction;
use crate::connection::wire::{Sent, Wire};
use crate::faults::{Action, Occasion, Stage};
use crate::ledger::connections::Record;
use crate::options::Plaintext;
use crate::provider::Provider;
use crate::world::{Side, World};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Port {
    /// With the first octet.
    Implicit,
    /// When the client asks for it.
    StartTls,
    /// With the first octet, and then HTTP is spoken.
    Api,
}

/// Serves a client until one of both has had enough.
pub(crate) async fn serve(stream: Stream, provider: Provider, port: Port, world: Arc<World>) {
    let side = world.side(provider);
    let record = world.ledger.registry().begin(provider);
    world.ledger.counts(provider).connections.add(1);
    let _open = Open { world: &world, record: &record };
    let mut stream = stream;
    if let Err(ending) = open(&mut stream, side, port, &world, &record).await {
        return ending.carry_out(stream).await;
    }
    if port == Port::Api {
        return api::serve(stream, side, &world, &record).await;
    }
    let channel = if stream.is_tls() { Channel::Tls } else { Channel::Plaintext };
    let mut connection = Connection {
        wire: Wire::new(stream),
        session: ServerSession::new(Arc::clone(&side.settings), channel),
        login: None,
        transaction: None,
        submitted: None,
        content: Vec::new(),
        messages: 0,
        heard: Instant::now(),
        asked: None,
        idle: Box::pin(sleep(side.options.limits.idle)),
        idle_faults: side.faults.idle_changes(),
        side,
        world: &world,
        record: &record,
    };
    let Err(ending) = connection.run().await;
    let Connection { wire, login, transaction, submitted, .. } = connection;
    // Who has heard the end may log in again at once.
    drop((login, transaction, submitted));
    ending.carry_out(wire.stream).await;
}

/// A connection that is open for the ledger.
struct Open<'a> {
    world: &'a World,
    record: &'a Record,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.world.ledger.registry().end(self.record);
    }
}

/// What comes before the first reply.
async fn open(stream: &mut Stream, side: &Side, port: Port, world: &World, record: &Record) -> Result<(), Ending> {
    if let Some(strike) = side.faults.strike(Stage::Connect, Occasion::default()) {
        suffering::blurt(stream, strike).await?;
    }
    if port != Port::StartTls {
        secure(stream, side, world, record).await?;
    }
    Ok(())
}

async fn secure(stream: &mut Stream, side: &Side, world: &World, record: &Record) -> Result<(), Ending> {
    match timeout(HANDSHAKE, stream.accept_tls(&side.acceptor)).await {
        Ok(Ok(())) => {
            world.ledger.counts(side.provider).handshakes.add(1);
            record.tls.store(true, Ordering::Relaxed);
            Ok(())
        }
        Ok(Err(_)) | Err(_) => Err(Ending::Gone),
    }
}

/// A connection that can be talked on.
struct Connection<'a> {
    wire: Wire,
    session: ServerSession,
    login: Option<Login>,
    /// The last one, until the next begins.
    transaction: Option<Transaction>,
    /// A submission whose last reply is in the session's output.
    submitted: Option<Submission>,
    /// What the session hands over; empty but for the moment.
    content: Vec<u8>,
    /// Messages that were accepted.
    messages: u64,
    /// When the client was last heard.
    heard: Instant,
    /// Of which silence it was asked already whether a fault of idle connections ends it.
    asked: Option<Instant>,
    idle: Pin<Box<Sleep>>,
    idle_faults: watch::Receiver<()>,
    side: &'a Side,
    world: &'a World,
    record: &'a Record,
}

/// Nothing follows but an end.
type Step = Result<(), Ending>;

impl Connection<'_> {
    async fn run(&mut self) -> Result<std::convert::Infallible, Ending> {
        self.greet().await?;
        loop {
            match self.session.advance(&mut self.content) {
                Event::NeedInput => {
                    self.rewrite_hello().await?;
                    if self.flush().await? == Some(Sent::ReplyToContent) {
                        self.replied().await?;
                    }
                    self.listen().await?;
                }
                Event::StartTls => self.start_tls().await?,
                Event::Authenticate(credentials) => self.authenticate(&credentials).await?,
                // Never offered.
                Event::ClientIdentity(_) => self.session.refuse(Reply::new(502, None, "not offered here")),
                Event::Mail(mail) => self.mail(mail.path.to_string()).await?,
                Event::Recipient(recipient) => self.recipient(recipient.path.to_string()).await?,
                Event::ContentStarts { .. } => self.content_starts().await?,
                Event::Content => self.content_goes_on().await?,
                Event::ContentEnds => self.content_ends().await?,
                Event::Spoiled(_) | Event::Abandoned => self.transaction = None,
                Event::Closed => return self.say_goodbye().await,
            }
        }
    }

    async fn greet(&mut self) -> Step {
        // Whoever is not greeted with 220 is sent away, whatever the code.
        if let Some(Action::Reply(_)) = self.strike_instead(Stage::Greeting, 0).await? {
            return self.say_goodbye().await.map(|never| match never {});
        }
        Ok(())
    }

    /// The reply to EHLO becomes the provider's.
    async fn rewrite_hello(&mut self) -> Step {
        let hostname = self.side.provider.hostname();
        let Some(start) = hello::position(self.session.output(), hostname) else { return Ok(()) };
        if self.session.is_esmtp() {
            let tls = self.session.channel() == Channel::Tls;
            let offer = Offer { starttls: !tls, auth: tls || self.world.plaintext == Plaintext::Allowed };
            let output = self.session.output();
            output.truncate(start);
            hello::write(self.side.provider, &self.side.options, offer, output);
        }
        self.strike_instead(Stage::Ehlo, start).await?;
        Ok(())
    }

    async fn start_tls(&mut self) -> Step {
        let start = hello::last_reply(self.session.output());
        if let Some(Action::Reply(text)) = self.strike_instead(Stage::StartTls, start).await? {
            return if message::reply(&text).closes() { Ok(()) } else { self.stay_plain().await };
        }
        self.flush().await?;
        self.settle().await?;
        secure(&mut self.wire.stream, self.side, self.world, self.record).await?;
        self.session.secured();
        Ok(())
    }

    /// STARTTLS was refused: the session cannot be told so, and begins anew on the open channel.
    async fn stay_plain(&mut self) -> Step {
        self.flush().await?;
        self.settle().await?;
        self.session = ServerSession::new(Arc::clone(&self.side.settings), Channel::Plaintext);
        self.session.output().clear();
        Ok(())
    }

    async fn authenticate(&mut self, credentials: &Credentials) -> Step {
        let user = login::user(credentials).to_owned();
        let occasion = Occasion { mailbox: Some(&user), ..Occasion::default() };
        let struck = self.side.faults.strike(Stage::Auth, occasion);
        let action = self.suffer(struck).await?;
        if let Some(Action::Reply(text)) = action {
            self.session.refuse(message::reply(&text));
            return Ok(());
        }
        let start = self.session.output().len();
        match login::admit(self.world, self.side.provider, credentials) {
            Ok(login) => {
                // The first login names the connection; the session allows no second one.
                let _ = self.record.mailbox.set(Arc::clone(&login.mailbox));
                self.login = Some(login);
                self.session.accept_login();
            }
            Err(reply) => self.session.refuse(reply),
        }
        if let Some(action) = action {
            self.replace(start, &action);
        }
        Ok(())
    }

    /// Sends what is to be said, or sends it on its way.
    async fn flush(&mut self) -> Result<Option<Sent>, Ending> {
        if self.session.output().is_empty() {
            return Ok(None);
        }
        let latency = self.side.latency.time();
        let ends = self.submitted.take();
        self.wire.say(self.session.output(), ends, latency).await.map_err(|_| Ending::Gone)
    }

    /// Waits until all of it has left.
    async fn settle(&mut self) -> Step {
        self.wire.settle().await.map_err(|_| Ending::Gone)
    }

    async fn pause_until(&mut self, time: Instant) -> Step {
        self.flush().await?;
        self.settle().await?;
        tokio::time::sleep_until(time).await;
        Ok(())
    }

    async fn say_goodbye(&mut self) -> Result<std::convert::Infallible, Ending> {
        // Who hears the last reply may log in again at once.
        self.login = None;
        self.flush().await?;
        self.settle().await?;
        Err(Ending::Polite)
    }
}
