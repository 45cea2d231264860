//! A provider of raw octets that is asked over HTTP: on each connection it does what its script says, then reads on to the
//! end, and it keeps every octet that reached it. It shares no code with the client under test.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::Connector;
use posthouse_net::stream::Stream;
use posthouse_smtp::client::TlsRule;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::target::Target;
use posthouse_upstream::transport::Transport;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::provider::CONNECTOR;
use crate::relay::{limits, until};

/// What the peer does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads the head of a request, and as little of its body as comes with it.
    Head,
    /// Reads so many octets at least, heads included.
    Octets(usize),
    /// Reads once.
    More,
    /// Reads a request to its end.
    Request,
    Say(Vec<u8>),
    /// A moment passes, so that what was said before is read by itself.
    Pause,
    /// Waits until the test rings.
    Bell,
    /// Ends the connection, under TLS with its own end.
    Close,
    /// Ends the connection, under TLS without.
    Cut,
    Reset,
}

/// One connection, as it reached the peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    octets: Vec<u8>,
    has_ended: bool,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) body: Vec<u8>,
    pub(crate) is_whole: bool,
    rest: &'a [u8],
}

impl Heard {
    /// The requests, of which the last one may not be whole.
    pub(crate) fn requests(&self) -> Vec<Request<'_>> {
        let (mut requests, mut octets) = (Vec::new(), &self.octets[..]);
        while !octets.is_empty() {
            let request = request(octets);
            octets = request.rest;
            requests.push(request);
        }
        requests
    }

    fn whole(&self) -> usize {
        self.requests().iter().filter(|request| request.is_whole).count()
    }
}

/// The first request of these octets.
fn request(octets: &[u8]) -> Request<'_> {
    let unfinished = |body| Request { body, is_whole: false, rest: &[] };
    let Some(end) = find(octets, b"\r\n\r\n") else { return unfinished(Vec::new()) };
    let head = String::from_utf8_lossy(&octets[..end]).to_lowercase();
    let mut rest = &octets[end + 4..];
    if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        let length = length.parse().unwrap();
        return match rest.split_at_checked(length) {
            Some((body, rest)) => Request { body: body.to_vec(), is_whole: true, rest },
            None => unfinished(rest.to_vec()),
        };
    }
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else { return unfinished(body) };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let Some((chunk, behind)) = rest[end + 2..].split_at_checked(size + 2) else { return unfinished(body) };
        body.extend_from_slice(&chunk[..size]);
        rest = behind;
        if size == 0 {
            return Request { body, is_whole: true, rest };
        }
    }
}

fn find(octets: &[u8], sought: &[u8]) -> Option<usize> {
    octets.windows(sought.len()).position(|window| window == sought)
}

/// The peer, from the outside.
pub(crate) struct Peer {
    port: u16,
    tls: Option<Connector>,
    connections: Arc<Mutex<Vec<Heard>>>,
    bell: Arc<Notify>,
    reached: Arc<AtomicUsize>,
}

type Script = dyn Fn(usize) -> Vec<Step> + Send + Sync;

impl Peer {
    /// One that does this on each of its connections, which are numbered from 1.
    pub(crate) async fn start(script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(script))
    }

    /// The same under TLS.
    pub(crate) async fn with_tls(
        (acceptor, connector): (Acceptor, Connector),
        script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some((acceptor, connector)), Arc::new(script))
    }

    /// One with a thread of its own, which goes on while the test's thread is kept busy.
    pub(crate) fn on_a_thread(script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let (sender, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sender.send(Self::start(script).await).unwrap();
                pending::<()>().await;
            });
        });
        started.recv().unwrap()
    }

    fn listen(tls: Option<(Acceptor, Connector)>, script: Arc<Script>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // What is not read stays with whoever sends it.
        socket.set_recv_buffer_size(4096).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (port, listener) = (socket.local_addr().unwrap().port(), socket.listen(16).unwrap());
        let (acceptor, connector) = tls.unzip();
        let peer =
            Self { port, tls: connector, connections: Arc::default(), bell: Arc::default(), reached: Arc::default() };
        let (connections, bell, reached) =
            (Arc::clone(&peer.connections), Arc::clone(&peer.bell), Arc::clone(&peer.reached));
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                connections.lock().unwrap().push(Heard::default());
                let index = connections.lock().unwrap().len() - 1;
                let side = Side {
                    stream: None,
                    index,
                    connections: Arc::clone(&connections),
                    bell: Arc::clone(&bell),
                    reached: Arc::clone(&reached),
                };
                tokio::spawn(side.serve(tcp, acceptor.clone(), script(index + 1)));
            }
        });
        peer
    }

    pub(crate) fn pool(&self, transport: Transport) -> Pool {
        let provider = match transport {
            Transport::Graph => ProviderKind::Outlook,
            Transport::GmailApi | Transport::Smtp => ProviderKind::Gmail,
        };
        let target = Target {
            transport,
            provider,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: if self.tls.is_some() { TlsRule::Implicit } else { TlsRule::None },
            server_name: "smtp.example.com".into(),
            connector: self.tls.clone().unwrap_or_else(|| CONNECTOR.clone()),
            source: None,
            hostname: "relay.example.com".into(),
        };
        Pool::new(target, limits())
    }

    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until so many of the scripts have got to their bell.
    pub(crate) async fn at_bell(&self, count: usize) {
        until(|| self.reached.load(Ordering::SeqCst) >= count).await;
    }

    /// All connections so far.
    pub(crate) fn connections(&self) -> Vec<Heard> {
        self.connections.lock().unwrap().clone()
    }

    /// Whole requests on each connection.
    pub(crate) fn whole(&self) -> Vec<usize> {
        self.connections().iter().map(Heard::whole).collect()
    }

    /// Whether the connection of this number has ended.
    pub(crate) fn has_ended(&self, number: usize) -> bool {
        self.connections.lock().unwrap()[number - 1].has_ended
    }
}

/// The peer's side of one connection.
struct Side {
    stream: Option<Stream>,
    index: usize,
    connections: Arc<Mutex<Vec<Heard>>>,
    bell: Arc<Notify>,
    reached: Arc<AtomicUsize>,
}

impl Side {
    async fn serve(mut self, tcp: TcpStream, acceptor: Option<Acceptor>, script: Vec<Step>) {
        let mut stream = Stream::plain(tcp);
        if let Some(acceptor) = acceptor {
            stream.accept_tls(&acceptor).await.unwrap();
        }
        self.stream = Some(stream);
        let mut asked = 0;
        for step in script {
            let goes_on = match step {
                Step::Head => self.until(|heard| find(&heard.octets, b"\r\n\r\n").is_some()).await,
                Step::Octets(count) => self.until(|heard| heard.octets.len() >= count).await,
                Step::More => self.read().await,
                Step::Request => {
                    asked += 1;
                    self.until(|heard| heard.whole() >= asked).await
                }
                // Whoever has gone does not hear it.
                Step::Say(octets) => self.stream.as_mut().unwrap().send(&octets).await.is_ok(),
                Step::Pause => {
                    sleep(Duration::from_millis(20)).await;
                    true
                }
                Step::Bell => {
                    self.reached.fetch_add(1, Ordering::SeqCst);
                    self.bell.notified().await;
                    true
                }
                Step::Close => {
                    self.stream.as_mut().unwrap().close().await;
                    false
                }
                Step::Cut => false,
                Step::Reset => return self.over(Stream::reset),
            };
            if !goes_on {
                return self.over(drop);
            }
        }
        while self.read().await {}
        self.over(drop);
    }

    fn over(mut self, how: impl FnOnce(Stream)) {
        how(self.stream.take().unwrap());
        self.connections.lock().unwrap()[self.index].has_ended = true;
    }

    /// Reads until that is enough; whether it ever was.
    async fn until(&mut self, enough: impl Fn(&Heard) -> bool) -> bool {
        while !enough(&self.connections.lock().unwrap()[self.index]) {
            if !self.read().await {
                return false;
            }
        }
        true
    }

    async fn read(&mut self) -> bool {
        let stream = self.stream.as_mut().unwrap();
        let octets = timeout(Duration::from_secs(30), stream.receive(<[u8]>::to_vec)).await;
        let octets = octets.expect("no test lasts that long").unwrap_or_default();
        self.connections.lock().unwrap()[self.index].octets.extend_from_slice(&octets);
        !octets.is_empty()
    }
}
