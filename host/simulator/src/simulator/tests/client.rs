//! A client that says what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{GMAIL, OUTLOOK};
use crate::provider::Provider;
use crate::simulator::Simulator;

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Client {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    /// On the port with STARTTLS, without using it; the greeting is read.
    pub(super) async fn greeted(simulator: &Simulator, provider: Provider) -> Self {
        let mut client = Self::connect(simulator.starttls_address(provider)).await;
        assert!(client.reply().await.starts_with("220 "));
        client
    }

    /// Logged in with a fresh token.
    pub(super) async fn logged_in(simulator: &Simulator, provider: Provider) -> Self {
        let mut client = Self::greeted(simulator, provider).await;
        let token = fresh_token(simulator, provider).await;
        client.ask("EHLO client.test\r\n").await;
        let reply = client.ask(&auth(user(provider), &token)).await;
        assert!(reply.starts_with("235 "), "{reply}");
        client
    }

    pub(super) async fn say(&mut self, octets: impl AsRef<[u8]>) {
        self.socket.write_all(octets.as_ref()).await.unwrap();
    }

    /// The next reply, its lines with their ends; empty at the connection's end, and `reset` where it was reset.
    pub(super) async fn reply(&mut self) -> String {
        loop {
            if let Some(end) = end_of_reply(&self.read) {
                let reply = self.read.drain(..end).collect();
                return String::from_utf8(reply).unwrap();
            }
            let mut octets = [0; 4_096];
            match timeout(PATIENCE, self.socket.read(&mut octets)).await.expect("a reply or an end in time") {
                Ok(0) => return String::from_utf8(std::mem::take(&mut self.read)).unwrap(),
                Ok(count) => self.read.extend_from_slice(&octets[..count]),
                Err(_) => return "reset".to_owned(),
            }
        }
    }

    pub(super) async fn ask(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.say(octets).await;
        self.reply().await
    }

    /// One message by DATA, step by step; the reply that decides.
    pub(super) async fn send(&mut self, from: &str, to: &str) -> String {
        for command in [format!("MAIL FROM:<{from}>\r\n"), format!("RCPT TO:<{to}>\r\n"), "DATA\r\n".to_owned()] {
            let reply = self.ask(&command).await;
            if !reply.starts_with("250 ") && !reply.starts_with("354 ") {
                return reply;
            }
        }
        self.ask("Subject: hello\r\n\r\ntext\r\n.\r\n").await
    }

    /// Whether nothing comes for this long.
    pub(super) async fn is_quiet_for(&mut self, time: Duration) -> bool {
        let mut octets = [0; 1];
        self.read.is_empty() && timeout(time, self.socket.peek(&mut octets)).await.is_err()
    }
}

fn end_of_reply(octets: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        end += line.len();
        if line.ends_with(b"\r\n") && line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}

pub(super) fn user(provider: Provider) -> &'static str {
    match provider {
        Provider::Gmail => GMAIL,
        Provider::Outlook => OUTLOOK,
    }
}

/// AUTH XOAUTH2 with its initial response.
pub(super) fn auth(user: &str, token: &str) -> String {
    format!("AUTH XOAUTH2 {}\r\n", base64(&format!("user={user}\x01auth=Bearer {token}\x01\x01")))
}

pub(super) fn base64(text: &str) -> String {
    let mut encoded = Vec::new();
    posthouse_smtp::base64::encode(text.as_bytes(), &mut encoded);
    String::from_utf8(encoded).unwrap()
}

/// A form's way to the token endpoint and back: the status line, the head and the body.
pub(super) async fn post(simulator: &Simulator, path: &str, form: &str) -> (String, serde_json::Value) {
    let (head, body) = exchange(simulator, path, form).await;
    let value = serde_json::from_str(&body).unwrap_or(serde_json::Value::Null);
    (head, value)
}

/// The same, whatever comes back.
pub(super) async fn exchange(simulator: &Simulator, path: &str, form: &str) -> (String, String) {
    let mut socket = TcpStream::connect(simulator.token_address()).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) => (head.to_owned(), body.to_owned()),
        None => (answer, String::new()),
    }
}

pub(super) fn form(refresh_token: &str) -> String {
    format!(
        "grant_type=refresh_token&client_id=posthouse&client_secret=posthouse-secret&refresh_token={}",
        refresh_token.replace('@', "%40")
    )
}

pub(super) const fn path(provider: Provider) -> &'static str {
    match provider {
        Provider::Gmail => "/google/token",
        Provider::Outlook => "/contoso.test/oauth2/v2.0/token",
    }
}

pub(super) async fn fresh_token(simulator: &Simulator, provider: Provider) -> String {
    let form = form(&format!("refresh-{}", user(provider)));
    let (_, answer) = post(simulator, path(provider), &form).await;
    answer["access_token"].as_str().unwrap().to_owned()
}
