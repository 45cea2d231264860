//! A provider of raw bytes on a loopback port, which a test can make misbehave at any moment, and
//! which keeps account of what reached it. It shares no code with the protocol under test.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::{Connector, Trust};
use posthouse_net::stream::Stream;
use posthouse_smtp::client::TlsRule;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::target::Target;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

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
}

/// Lines of the EHLO reply besides the first.
pub(crate) const WITH_CHUNKING: &str =
    "250-SIZE 1000000\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN XOAUTH2\r\n250 CHUNKING\r\n";
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
        Self::listen(extensions, None, plan).await
    }

    pub(crate) async fn with_tls(acceptor: Acceptor, plan: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        Self::listen(WITH_CHUNKING, Some(acceptor), plan).await
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

    async fn listen(
        extensions: &'static str,
        acceptor: Option<Acceptor>,
        plan: impl Fn(&Moment) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, plan): (Arc<Seen>, Arc<Plan>) = (Arc::default(), Arc::new(plan));
        let accounts = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (seen, plan, acceptor) = (Arc::clone(&accounts), Arc::clone(&plan), acceptor.clone());
                let connection = seen.connections.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(async move {
                    let now = seen.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most_concurrent.fetch_max(now, Ordering::SeqCst);
                    if let Some(stream) = stream(tcp, acceptor).await {
                        let mut session = Session::new(stream, Arc::clone(&seen), plan, extensions, connection);
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
            provider: ProviderKind::Gmail,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: TlsRule::None,
            server_name: "smtp.example.com".into(),
            connector: Connector::new(Trust::System).unwrap(),
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

async fn stream(tcp: TcpStream, acceptor: Option<Acceptor>) -> Option<Stream> {
    tcp.set_nodelay(true).unwrap();
    match acceptor {
        Some(acceptor) => acceptor.accept(Stream::Plain(tcp)).await.ok(),
        None => Some(Stream::Plain(tcp)),
    }
}

struct Session {
    stream: Option<Stream>,
    input: Vec<u8>,
    seen: Arc<Seen>,
    plan: Arc<Plan>,
    extensions: &'static str,
    connection: usize,
    message: usize,
    has_sender: bool,
    recipients: usize,
    /// A content that has not been answered.
    arrived: Option<Vec<u8>>,
}

/// The connection is over.
struct Over;

impl Session {
    fn new(stream: Stream, seen: Arc<Seen>, plan: Arc<Plan>, extensions: &'static str, connection: usize) -> Self {
        let input = Vec::new();
        Self {
            stream: Some(stream),
            input,
            seen,
            plan,
            extensions,
            connection,
            message: 1,
            has_sender: false,
            recipients: 0,
            arrived: None,
        }
    }

    async fn serve(&mut self) {
        let _over = self.converse().await;
    }

    async fn converse(&mut self) -> Result<(), Over> {
        self.act(At::Greeting, "", "220 smtp.example.com ESMTP").await?;
        loop {
            let line = self.line().await?;
            self.seen.lines.lock().unwrap().push(line.clone());
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.act(At::Ehlo, &line, "").await?,
                "AUTH" => {
                    let said = self.act(At::Auth, &line, "235 2.7.0 Accepted").await?;
                    if said.starts_with("235") {
                        self.seen.logins.fetch_add(1, Ordering::SeqCst);
                    }
                    said
                }
                "MAIL" => {
                    self.recipients = 0;
                    let said = self.act(At::Mail, &line, "250 2.1.0 OK").await?;
                    self.has_sender = said.starts_with("250");
                    said
                }
                "RCPT" if !self.has_sender => self.say("503 5.5.1 No sender").await?,
                "RCPT" => {
                    let said = self.act(At::Rcpt, &line, "250 2.1.5 OK").await?;
                    self.recipients += usize::from(said.starts_with("250"));
                    said
                }
                "DATA" if self.recipients == 0 => self.say("503 5.5.1 No recipients").await?,
                "DATA" => self.data(&line).await?,
                "BDAT" => self.bdat(&line).await?,
                "RSET" => {
                    self.recipients = 0;
                    self.act(At::Rset, &line, "250 2.0.0 OK").await?
                }
                "QUIT" => {
                    self.seen.quits.fetch_add(1, Ordering::SeqCst);
                    self.say("221 2.0.0 Bye").await?;
                    return Err(Over);
                }
                _ => self.say("502 5.5.1 What?").await?,
            };
        }
    }

    async fn data(&mut self, line: &str) -> Result<String, Over> {
        let said = self.act(At::Data, line, "354 Go ahead").await?;
        if !said.starts_with("354") {
            return Ok(said);
        }
        let mut content = Vec::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            content.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
            content.extend_from_slice(b"\r\n");
        }
        self.content(content).await
    }

    async fn bdat(&mut self, line: &str) -> Result<String, Over> {
        let size: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
        while self.input.len() < size {
            self.read().await?;
        }
        let content: Vec<u8> = self.input.drain(..size).collect();
        if self.recipients == 0 {
            return self.say("503 5.5.1 No recipients").await;
        }
        self.content(content).await
    }

    async fn content(&mut self, content: Vec<u8>) -> Result<String, Over> {
        self.arrived = Some(content);
        let said = self.act(At::Content, "", "250 2.0.0 Taken").await?;
        self.arrived = None;
        self.recipients = 0;
        self.act(At::Afterwards, "", "").await?;
        self.message += 1;
        Ok(said)
    }

    /// Asks the plan and carries it out; what was said.
    async fn act(&mut self, at: At, line: &str, usual: &str) -> Result<String, Over> {
        let (connection, message) = (self.connection, self.message);
        match (self.plan)(&Moment { at, connection, message, line: line.to_owned() }) {
            Act::Usual => self.usual(at, usual).await,
            Act::Say(reply) => self.say(reply).await,
            Act::SayLater(reply, delay) => {
                tokio::time::sleep(delay).await;
                self.say(reply).await
            }
            Act::SayAndClose(reply) => {
                self.say(reply).await?;
                Err(Over)
            }
            Act::SayAndStall(reply) => {
                self.say(reply).await?;
                pending().await
            }
            Act::Close => Err(Over),
            Act::Reset => Err(self.reset()),
            Act::ResetAt(bell) => {
                bell.notified().await;
                Err(self.reset())
            }
            Act::SayAt(reply, bell) => {
                bell.notified().await;
                self.say(reply).await
            }
            Act::Stall => pending().await,
            Act::CloseAt(bell) => {
                bell.notified().await;
                Err(Over)
            }
            Act::SayAndCloseAt(reply, bell) => {
                bell.notified().await;
                self.say(reply).await?;
                Err(Over)
            }
            Act::UsualAt(bell) => {
                bell.notified().await;
                self.usual(at, usual).await
            }
        }
    }

    /// Makes the connection end with RST instead of FIN.
    fn reset(&self) -> Over {
        if let Some(Stream::Plain(tcp)) = &self.stream {
            tcp.set_zero_linger().unwrap();
        }
        Over
    }

    async fn usual(&mut self, at: At, usual: &str) -> Result<String, Over> {
        match (at, usual) {
            (At::Ehlo, _) => {
                let reply = format!("250-smtp.example.com at your service\r\n{}", self.extensions);
                self.send(reply.as_bytes()).await?;
                Ok(reply)
            }
            (_, "") => Ok(String::new()),
            (_, usual) => self.say(usual).await,
        }
    }

    async fn say(&mut self, reply: &str) -> Result<String, Over> {
        // Accounted for before the client can know.
        if reply.starts_with("250") {
            self.seen.messages.lock().unwrap().extend(self.arrived.take());
        }
        self.send(format!("{reply}\r\n").as_bytes()).await?;
        Ok(reply.to_owned())
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), Over> {
        self.stream.as_mut().ok_or(Over)?.send(octets).await.map_err(|_| Over)
    }

    async fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(at) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Over> {
        let stream = self.stream.as_mut().ok_or(Over)?;
        let octets = stream.receive(<[u8]>::to_vec).await.map_err(|_| Over)?;
        if octets.is_empty() {
            return Err(Over);
        }
        self.seen.reads.lock().unwrap().push(octets.clone());
        self.input.extend_from_slice(&octets);
        Ok(())
    }
}
