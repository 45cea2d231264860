//! A client of raw octets: what a test says is what goes over the wire, and the other way round.
//!
//! Deliberately without the relay's own codec, so that a bug cannot agree with itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Longer than anything that is to happen; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(20);

trait Octets: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Octets for T {}

/// One connection.
pub(crate) struct Wire {
    stream: Box<dyn Octets>,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the listener is there");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Self { stream: Box::new(stream), unread: Vec::new() }
    }

    /// The same connection under TLS, verified against this CA for `localhost`.
    pub(crate) async fn secured(self, ca_pem: &str) -> Self {
        Self { stream: Box::new(handshake(self.stream, ca_pem).await), unread: Vec::new() }
    }

    /// The certificate that is shown in a TLS handshake, in the base 64 of PEM, on one line.
    pub(crate) async fn certificate(self, ca_pem: &str) -> String {
        let stream = handshake(self.stream, ca_pem).await;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).expect("a verified certificate");
        base64(shown)
    }

    /// Sends octets as they are.
    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.expect("the peer reads");
        self.stream.flush().await.expect("the peer reads");
    }

    /// Sends a line.
    pub(crate) async fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n")).await;
    }

    /// Sends a line and takes the reply.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.reply().await
    }

    /// Sends a line; the reply must begin with `expected`.
    pub(crate) async fn expect(&mut self, line: &str, expected: &str) -> String {
        let reply = self.ask(line).await;
        assert!(reply.starts_with(expected), "C: {line}\nS: {reply}expected {expected}");
        reply
    }

    /// The next reply, all its lines with their ends; it must begin with `expected`.
    pub(crate) async fn hear(&mut self, expected: &str) -> String {
        let reply = self.reply().await;
        assert!(reply.starts_with(expected), "S: {reply}expected {expected}");
        reply
    }

    /// The next reply, all its lines with their ends.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line().await;
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if last {
                return reply;
            }
        }
    }

    /// The next line with its end.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.unread.drain(..end + 2).collect();
                return String::from_utf8(line).expect("replies are UTF-8");
            }
            assert!(self.fill().await, "the connection ended; unread: {:?}", String::from_utf8_lossy(&self.unread));
        }
    }

    /// Reads until the peer ends the connection, and gives what came.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.unread)
    }

    async fn fill(&mut self) -> bool {
        let mut chunk = vec![0; 16 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("the peer says something");
        let count = read.unwrap_or(0);
        self.unread.extend_from_slice(&chunk[..count]);
        count > 0
    }
}

async fn handshake(stream: Box<dyn Octets>, ca_pem: &str) -> TlsStream<Box<dyn Octets>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("a CA in PEM")).expect("a usable CA");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a host name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a TLS handshake")
}

/// RFC 4648 4.
fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).expect("six bits");
            text.push(if place <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}
