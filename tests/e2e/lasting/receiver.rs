//! A webhook of raw octets, in the clear or under TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthouse_simulator::simulator::Certificate;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Longer than any alert takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(50);

/// What one request brought.
#[derive(Debug, Clone)]
pub(super) struct Brought {
    /// Its head, in lower case.
    pub(super) head: String,
    pub(super) body: String,
}

impl Brought {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn alerts(&self) -> Vec<Value> {
        self.json()["alerts"].as_array().expect("alerts").clone()
    }
}

/// Answers with the status that it is told to.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    status: Arc<Mutex<u16>>,
    brought: watch::Receiver<Vec<Brought>>,
    distrusted: watch::Receiver<usize>,
    task: tokio::task::JoinHandle<()>,
}

/// What the receiver and its connections share.
#[derive(Clone)]
struct Desk {
    status: Arc<Mutex<u16>>,
    brought: Arc<watch::Sender<Vec<Brought>>>,
    distrusted: Arc<watch::Sender<usize>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::on(bound().await, None)
    }

    /// One that shows this certificate.
    pub(super) async fn secured(certificate: &Certificate) -> Self {
        Self::on(bound().await, Some(acceptor(certificate)))
    }

    /// One on a socket that listens already.
    pub(super) fn on(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let (brought, distrusted) = (watch::channel(Vec::new()), watch::channel(0));
        let desk = Desk {
            status: Arc::new(Mutex::new(204)),
            brought: Arc::new(brought.0),
            distrusted: Arc::new(distrusted.0),
        };
        let status = Arc::clone(&desk.status);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(meet(stream, tls.clone(), desk.clone()));
            }
        });
        Self { address, status, brought: brought.1, distrusted: distrusted.1, task }
    }

    pub(super) fn answer(&self, status: u16) {
        *self.status.lock().expect("nobody panics") = status;
    }

    /// All requests, once there are so many.
    pub(super) async fn requests(&self, count: usize) -> Vec<Brought> {
        let mut brought = self.brought.clone();
        let waiting = brought.wait_for(|brought| brought.len() >= count);
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.expect("the alerts come").expect("the receiver is there").clone()
    }

    /// Waits until so many connections were given up in the TLS handshake.
    pub(super) async fn distrusted(&self, count: usize) {
        let mut distrusted = self.distrusted.clone();
        let waiting = distrusted.wait_for(|distrusted| *distrusted >= count);
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        let _seen = waited.expect("the relay tries").expect("the receiver is there");
    }

    pub(super) fn so_far(&self) -> Vec<Brought> {
        self.brought.borrow().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports")
}

fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let chain = CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).expect("a certificate in PEM");
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("a key in PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key);
    TlsAcceptor::from(Arc::new(config.expect("they belong together")))
}

async fn meet(stream: TcpStream, tls: Option<TlsAcceptor>, desk: Desk) {
    let Some(tls) = tls else { return serve(stream, desk).await };
    match tls.accept(stream).await {
        Ok(stream) => serve(stream, desk).await,
        Err(_) => desk.distrusted.send_modify(|count| *count += 1),
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, desk: Desk) {
    let mut octets = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let brought = Brought { head, body: body.to_owned() };
                desk.brought.send_modify(|all| all.push(brought));
                break;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => octets.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    let status = *desk.status.lock().expect("nobody panics");
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
    let _gone = stream.shutdown().await;
}
