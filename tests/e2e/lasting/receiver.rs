//! A webhook of raw octets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address")).await
    }

    pub(super) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("it is bound");
        let (tell, brought) = watch::channel(Vec::new());
        let (status, tell) = (Arc::new(Mutex::new(204)), Arc::new(tell));
        let answered = Arc::clone(&status);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answered), Arc::clone(&tell)));
            }
        });
        Self { address, status, brought, task }
    }

    pub(super) fn answer(&self, status: u16) {
        *self.status.lock().expect("nobody panics") = status;
    }

    /// All requests, once there are so many.
    pub(super) async fn requests(&self, count: usize) -> Vec<Brought> {
        let mut brought = self.brought.clone();
        let waiting = brought.wait_for(|brought| brought.len() >= count);
        let waited = tokio::time::timeout(Duration::from_secs(50), waiting).await;
        waited.expect("the alerts come").expect("the receiver is there").clone()
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

async fn serve(mut stream: TcpStream, status: Arc<Mutex<u16>>, tell: Arc<watch::Sender<Vec<Brought>>>) {
    let mut octets = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let brought = Brought { head, body: body.to_owned() };
                tell.send_modify(|all| all.push(brought));
                break;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => octets.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    let status = *status.lock().expect("nobody panics");
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
}
