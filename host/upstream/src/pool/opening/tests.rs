//! Opening ahead, by what happens while it looks around.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use posthouse_net::connector::{Connector, Trust};
use posthouse_smtp::client::{TlsRule, Transaction};
use posthouse_smtp::command::Body;
use posthouse_smtp::path::{ForwardPath, ReversePath};
use tokio::time::Instant;

use crate::deliver::{Content, deliver};
use crate::limits::PoolLimits;
use crate::login::{LoginError, LoginFuture, LoginSource, SessionLogin};
use crate::pool::Pool;
use crate::provider::ProviderKind;
use crate::replies::unlisted::Unlisted;
use crate::replies::{Replies, Table};
use crate::target::Target;
use crate::transport::Transport;

struct Nobody;

impl LoginSource for Nobody {
    fn login(&self) -> LoginFuture<'_> {
        Box::pin(async { Ok(SessionLogin { login: None, valid_until: None }) })
    }

    fn refused<'a>(&'a self, _refused: &'a SessionLogin) -> LoginFuture<'a> {
        Box::pin(async { Err(LoginError::NothingNewer) })
    }
}

fn replies() -> Replies {
    Replies::new(Table::shipped(), Arc::new(Unlisted::telling(|_| {})))
}

/// A provider that says when a content has come, and takes it when it is told to.
struct Provider {
    port: u16,
    connections: Arc<AtomicUsize>,
    came: Receiver<()>,
    take: Sender<()>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, (coming, came), (take, taking)) = (Arc::<AtomicUsize>::default(), channel(), channel());
        let (counted, taking) = (Arc::clone(&connections), Arc::new(Mutex::new(taking)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (coming, taking) = (coming.clone(), Arc::clone(&taking));
                thread::spawn(move || converse(&stream.unwrap(), &coming, &taking));
            }
        });
        Self { port, connections, came, take }
    }

    fn target(&self) -> Target {
        Target {
            transport: Transport::Smtp,
            provider: ProviderKind::Generic,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: TlsRule::None,
            server_name: "smtp.example.com".into(),
            connector: Connector::new(&Trust::System).unwrap(),
            source: None,
            hostname: "relay.example.com".into(),
        }
    }
}

fn converse(mut stream: &TcpStream, coming: &Sender<()>, taking: &Mutex<Receiver<()>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let mut say = |reply: &str| stream.write_all(reply.as_bytes()).unwrap();
    say("220 smtp.example.com\r\n");
    while let Some(line) = lines.next() {
        match line.get(..4) {
            Some("DATA") => {
                say("354 Go ahead\r\n");
                while lines.next().is_some_and(|line| line != ".") {}
                coming.send(()).unwrap();
                taking.lock().unwrap().recv().unwrap();
                say("250 2.0.0 Taken\r\n");
            }
            _ => say("250 OK\r\n"),
        }
    }
}

async fn send(pool: &Pool) {
    let reverse_path = ReversePath::Mailbox("app@example.com".parse().unwrap());
    let recipients = [ForwardPath::Mailbox("ann@example.org".parse().unwrap())];
    let (size, body) = (None, Body::SevenBit);
    let transaction = Transaction { reverse_path: &reverse_path, recipients: &recipients, size, body, smtputf8: false };
    let content = Content::Whole(&[b"Subject: x\r\n\r\nHello.\r\n"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    deliver(pool, &Nobody, &replies(), &transaction, content, deadline).await.unwrap();
}

/// The one session is put down, and its place is free, when whoever opens ahead has begun to look.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_that_is_put_down_meanwhile_is_not_opened_a_second_time() {
    let provider = Provider::start();
    let limits = PoolLimits { sessions: 1, ..PoolLimits::default() };
    let pool = Pool::new(provider.target(), limits);
    let sending = tokio::spawn({
        let pool = pool.clone();
        async move { send(&pool).await }
    });
    // This thread is none of the runtime's workers.
    provider.came.recv_timeout(Duration::from_secs(20)).unwrap();
    let ahead = {
        // A step that it takes on its way, held up here.
        let held_up = pool.inner.sessions.lessons();
        let (opening, runtime) = (pool.clone(), tokio::runtime::Handle::current());
        let ahead = thread::spawn(move || runtime.block_on(opening.open_ahead(&Nobody, &replies())));
        // Were it slower than this, the test would see nothing; it never fails for that.
        thread::sleep(Duration::from_millis(50));
        provider.take.send(()).unwrap();
        while pool.gauges().idle == 0 || pool.inner.sessions.mailbox.places.held() > 0 {
            thread::yield_now();
        }
        drop(held_up);
        ahead
    };
    ahead.join().unwrap();
    sending.await.unwrap();
    assert_eq!((provider.connections.load(Ordering::SeqCst), pool.gauges().logins), (1, 1));
}
