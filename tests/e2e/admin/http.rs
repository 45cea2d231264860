//! Requests of raw octets, and answers taken apart by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: String,
    path: String,
    host: String,
    fields: String,
    body: Vec<u8>,
    from: Ipv4Addr,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (method, path, host) = (method.to_uppercase(), path.to_owned(), "localhost".to_owned());
        Self { method, path, host, fields: String::new(), body: Vec::new(), from: Ipv4Addr::LOCALHOST }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.field("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// The same at another path.
    pub(crate) fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(crate) fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.field("content-type", "application/json").body(body)
    }

    pub(crate) fn body(self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self { body: body.to_vec(), ..self.field("content-length", &body.len().to_string()) }
    }

    /// From this address of loopback: failures are counted by address.
    pub(crate) fn from(self, from: [u8; 4]) -> Self {
        Self { from: from.into(), ..self }
    }

    /// Its head.
    pub(crate) fn octets(&self) -> String {
        let Self { method, path, host, fields, .. } = self;
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{fields}connection: close\r\n\r\n")
    }

    /// Sends it, and reads to the end of the answer; of a stream of events only the head.
    pub(crate) async fn send(&self, address: SocketAddr) -> Answer {
        let mut stream = connect(address, self.from).await;
        // The relay may have answered and closed before it has read everything.
        let _ = stream.write_all(&[self.octets().as_bytes(), &self.body].concat()).await;
        timeout(PATIENCE, answer(&mut stream)).await.expect("an answer in time")
    }
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(field, _)| field.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    /// The body, which is JSON and says so.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.field("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A refusal with this status says what was wrong and what to do next.
    pub(crate) fn refused(&self, status: u16) -> String {
        let body = self.json();
        assert_eq!(self.status, status, "{self:?}");
        assert!(!body["next"].as_str().expect("a next step").is_empty(), "{self:?}");
        body["error"].as_str().expect("a reason").to_owned()
    }

    /// The body of a request that was done.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }
}

pub(crate) async fn connect(address: SocketAddr, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("all of 127/8 is this host's");
    socket.connect(address).await.expect("the admin address is there")
}

pub(crate) async fn answer(stream: &mut TcpStream) -> Answer {
    let mut octets = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        octets.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&octets);
        let is_stream = text.split_once("\r\n\r\n").is_some_and(|(head, _)| head.contains("text/event-stream"));
        if read == 0 || is_stream {
            return taken_apart(&text);
        }
    }
}

pub(crate) fn taken_apart(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
}
