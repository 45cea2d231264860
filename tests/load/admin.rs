//! The admin address of a relay under measurement, by the plainest of requests.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peers::{Peer, TOKEN};

/// Where it is.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    address: SocketAddr,
}

impl Admin {
    pub(crate) fn of(relay: &Peer) -> io::Result<Self> {
        let address = relay.admin.ok_or_else(|| io::Error::other("this relay has no admin address"))?;
        Ok(Self { address })
    }

    pub(crate) async fn get(&self, path: &str) -> io::Result<String> {
        self.ask("GET", path, "", b"").await
    }

    /// Brings a component with these settings, to decide at once.
    pub(crate) async fn push(&self, tenant: &str, component: &[u8], settings: &str) -> io::Result<String> {
        let fields = format!("content-type: application/wasm\r\nposthouse-settings: {settings}\r\n");
        self.ask("POST", &format!("/v1/tenants/{tenant}/policies?stage=active"), &fields, component).await
    }

    /// Gives the policy that decides other settings.
    pub(crate) async fn settings(&self, tenant: &str, settings: &str) -> io::Result<String> {
        let body = format!("{{\"settings\": {settings}, \"stage\": \"active\"}}");
        let fields = "content-type: application/json\r\n";
        self.ask("POST", &format!("/v1/tenants/{tenant}/policies/settings"), fields, body.as_bytes()).await
    }

    async fn ask(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> io::Result<String> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\
             {fields}content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => Err(io::Error::other(format!("{method} {path}: {answer}"))),
        }
    }
}
