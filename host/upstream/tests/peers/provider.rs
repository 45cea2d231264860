//! A provider of raw bytes on a loopback port, which a test can make misbehave at any moment, and
//! which keeps account of what reached it. It shares no code with the protocol under test.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::{Connector, Trust};
use posthouse_net::stream::Stream;
use posthouse_smtp::client::TlsRule;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::target::Target;
use posthouse_upstream::transport::Transport;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use self::session::Session;

mod session;

/// Where in a session the provider is asked what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Greeting,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The content has arrived, to its end.
    Content,
    /// The reply to the content is sent.
    Afterwards,
    Rset,
}

/// A moment of a session.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: At,
    /// Which connection this is, from 1.
    pub(crate) connection: usize,
    /// Which message of the connection this is, from 1.
    pub(crate) message: usize,
    /// What the client said.
    pub(crate) line: String,
}

/// What the provider does.
pub(crate) enum Act {
    /// What a friendly one does.
    Usual,
    Say(&'static str),
    SayAndClose(&'static str),
    /// Reads no more afterwards.
    SayAndStall(&'static str),
    SayLater(&'static str, Duration),
    Close,
    Reset,
    Stall,
    /// Nothing until the bell rings, and then closes.
    CloseAt(Arc<Notify>),
    ResetAt(Arc<Notify>),
    SayAt(&'static str, Arc<Notify>),
    /// The same, with last words.
    SayAndCloseAt(&'static str, Arc<Notify>),
    /// The usual, when the bell has rung.
    UsualAt(Arc<Notify>),
}

/// Reading the system's roots takes a while; one reading serves all tests.
pub(crate) static CONNECTOR: LazyLock<Connector> = LazyLock::new(|| Connector::new(&Trust::System).unwrap());

type Plan = dyn Fn(&Moment) -> Act + Send + Sync;

/// What reached the provider.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    concurrent: AtomicUsize,
    pub(crate) most_concurrent: AtomicUsize,
    pub(crate) logins: AtomicUsize,
    pub(crate) quits: AtomicUsize,
    pub(crate) messages: Mutex<Vec<Vec<u8>>>,
    pub(crate) lines: Mutex<Vec<String>>,
    /// Reads in which something came, in the order of their coming, whole.
    pub(crate) reads: Mutex<Vec<Vec<u8>>>,
    pub(crate) closed: Notify,
    end: Notify,
}

/// Lines of the EHLO reply besides the first.
pub(crate) const WITH_CHUNKING: &str =
    "250-SIZE 1000000\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN XOAUTH2\r\n250 CHUNKING\r\n";
const WITH_STARTTLS: &str =
    "250-PIPELINING\r\n250-8BITMIME\r\n250-STARTTLS\r\n250-AUTH PLAIN XOAUTH2\r\n250 CHUNKING\r\n";
pub(crate) const WITHOUT_CHUNKING: &str = "250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2\r\n";

pub(crate) struct Provider {
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
}

impl Provider {
    pub(crate) async fn friendly() -> Self {
        Self::start(WITH_CHUNKING, |_| Act::Usual).await
    }

    pub(crate) async fn with(plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        Self::start(WITH_CHUNKING, plan).await
    }

    pub(crate) async fn without_chunking(plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        Self::start(WITHOUT_CHUNKING, plan).await
    }

    pub(crate) async fn start(extensions: &'static str, plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        Self::listen(extensions, Tls::None, plan).await
    }

    pub(crate) async fn with_tls(acceptor: Acceptor) -> Self {
        Self::listen(WITH_CHUNKING, Tls::Implicit(acceptor), |_| Act::Usual).await
    }

    pub(crate) async fn with_starttls(acceptor: Acceptor) -> Self {
        Self::listen(WITH_STARTTLS, Tls::Upgrade(acceptor), |_| Act::Usual).await
    }

    /// One with a thread of its own, which goes on while the test's thread is kept busy.
    pub(crate) fn on_a_thread(extensions: &'static str, plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        let (sender, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sender.send(Self::start(extensions, plan).await).unwrap();
                pending::<()>().await;
            });
        });
        started.recv().unwrap()
    }

    async fn listen(extensions: &'static str, tls: Tls, plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, plan): (Arc<Seen>, Arc<Plan>) = (Arc::default(), Arc::new(plan));
        let accounts = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (seen, plan, tls) = (Arc::clone(&accounts), Arc::clone(&plan), tls.clone());
                let connection = seen.connections.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(async move {
                    let now = seen.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most_concurrent.fetch_max(now, Ordering::SeqCst);
                    if let Some((stream, acceptor)) = stream(tcp, tls).await {
                        let mut session = Session {
                            stream: Some(stream),
                            input: Vec::new(),
                            seen: Arc::clone(&seen),
                            plan,
                            extensions,
                            connection,
                            message: 1,
                            has_sender: false,
                            recipients: 0,
                            acceptor,
                            arrived: None,
                        };
                        session.serve().await;
                    }
                    seen.concurrent.fetch_sub(1, Ordering::SeqCst);
                    seen.closed.notify_one();
                });
            }
        });
        Self { port, seen }
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            transport: Transport::Smtp,
            provider: ProviderKind::Gmail,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: TlsRule::None,
            server_name: "smtp.example.com".into(),
            connector: CONNECTOR.clone(),
            source: None,
            hostname: "relay.example.com".into(),
        }
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let messages = self.seen.messages.lock().unwrap();
        messages.iter().map(|message| String::from_utf8_lossy(message).into_owned()).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Ends all connections that are open now.
    pub(crate) fn end_all(&self) {
        self.seen.end.notify_waiters();
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.seen.concurrent.load(Ordering::SeqCst)
    }

    pub(crate) fn logins(&self) -> usize {
        self.seen.logins.load(Ordering::SeqCst)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen.lines.lock().unwrap().clone()
    }
}

/// How the provider is protected.
#[derive(Clone)]
enum Tls {
    None,
    Implicit(Acceptor),
    Upgrade(Acceptor),
}

/// The stream, and what a STARTTLS will need.
async fn stream(tcp: TcpStream, tls: Tls) -> Option<(Stream, Option<Acceptor>)> {
    let mut stream = Stream::plain(tcp);
    match tls {
        Tls::None => Some((stream, None)),
        Tls::Upgrade(acceptor) => Some((stream, Some(acceptor))),
        Tls::Implicit(acceptor) => stream.accept_tls(&acceptor).await.ok().map(|()| (stream, None)),
    }
}
