//! Asks a relay's admin address, as the commands for operators do: one request, one answer in JSON.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, Uri, header};
use hyper_util::rt::TokioIo;
use posthouse_net::connector::{Connector, Trust};
use posthouse_net::stream::Stream;
use posthouse_oauth::secret::Secret;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The variable that holds a token.
const TOKEN: &str = "POSTHOUSE_ADMIN_TOKEN";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take: a reload compiles policies.
const ANSWER: Duration = Duration::from_secs(300);
/// The most octets of an answer.
const MOST: usize = 64 * 1024 * 1024;

/// Which relay, and with which token.
#[derive(Debug, clap::Args)]
pub(super) struct Reach {
    /// The relay's admin address
    #[arg(long, value_name = "URL", env = "POSTHOUSE_ADMIN_URL", default_value = "http://127.0.0.1:8025")]
    admin: String,
    /// The file that holds the token; without it the variable POSTHOUSE_ADMIN_TOKEN does
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Roots that the relay's certificate is verified against, PEM; those of the system without it
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// A relay that can be asked.
#[derive(Debug)]
pub(super) struct AdminClient {
    url: Uri,
    host: String,
    port: u16,
    token: Secret,
    /// By TLS where there is one.
    connector: Option<Connector>,
}

/// What comes with a request.
#[derive(Debug)]
pub(super) enum Body {
    Nothing,
    Json(Value),
    /// A component, with header fields that say more of it.
    Wasm(Vec<u8>, Vec<(&'static str, String)>),
}

/// Why there is no answer as asked for.
#[derive(Debug)]
pub(super) struct Failed {
    /// What went wrong and what to do next.
    pub(super) message: String,
    /// The relay's report, where it has one.
    pub(super) report: Option<Value>,
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        failed.message
    }
}

impl AdminClient {
    pub(super) fn new(reach: &Reach) -> Result<Self, String> {
        let wrong = |reason: &str| format!("--admin {}: {reason}; expected such as http://127.0.0.1:8025", reach.admin);
        let url: Uri = reach.admin.parse().map_err(|_| wrong("this is no URL"))?;
        let is_tls = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it is neither http nor https")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(wrong("it has a path"));
        }
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if !is_tls && !is_loopback(&host) {
            let next = "use https, or a tunnel (`ssh -L 8025:127.0.0.1:8025 HOST`)";
            return Err(format!("--admin {}: the token would cross the network in the clear; {next}", reach.admin));
        }
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let connector = is_tls.then(|| connector(reach.ca_file.as_deref())).transpose()?;
        Ok(Self { host, port, token: token(reach.token_file.as_deref())?, connector, url })
    }

    /// What is there.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.ask(Method::GET, path, Body::Nothing).await
    }

    /// Has something changed.
    pub(super) async fn post(&self, path: &str, body: Option<Value>) -> Result<Value, Failed> {
        self.ask(Method::POST, path, body.map_or(Body::Nothing, Body::Json)).await
    }

    /// Has something changed by what is in the body.
    pub(super) async fn send(&self, path: &str, body: Body) -> Result<Value, Failed> {
        self.ask(Method::POST, path, body).await
    }

    async fn ask(&self, method: Method, path: &str, body: Body) -> Result<Value, Failed> {
        let failed = |reason: String| Failed { message: format!("{}: {reason}", self.url), report: None };
        let answer = timeout(ANSWER, self.exchange(method, path, body)).await;
        let (status, body) = answer.map_err(|_| failed("no answer came in time".to_owned()))?.map_err(failed)?;
        let Ok(body) = serde_json::from_slice::<Value>(&body) else {
            return Err(failed(format!("answered {status} and no JSON; is this a relay's admin address?")));
        };
        if status.is_success() {
            return Ok(body);
        }
        let text = |key: &str| body[key].as_str().unwrap_or("no reason is given").to_owned();
        let message = format!("{} ({status}); {}", text("error"), text("next"));
        Err(Failed { message, report: body.get("report").cloned() })
    }

    async fn exchange(&self, method: Method, path: &str, body: Body) -> Result<(hyper::StatusCode, Bytes), String> {
        let stream = timeout(CONNECT, self.connect()).await.unwrap_or_else(|_| Err("nobody answers".to_owned()));
        let next = "is the relay running, with [admin] in its configuration?";
        let stream = stream.map_err(|reason| format!("cannot connect: {reason}; {next}"))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream.into_octets())).await.map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.url.authority().map_or("", |authority| authority.as_str()))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()));
        let octets = match body {
            Body::Nothing => Vec::new(),
            Body::Json(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                body.to_string().into_bytes()
            }
            Body::Wasm(component, fields) => {
                request = request.header(header::CONTENT_TYPE, "application/wasm");
                for (name, value) in fields {
                    request = request.header(name, value);
                }
                component
            }
        };
        let body = Full::new(Bytes::from(octets));
        let request =
            request.body(body).map_err(|_| "the token or the address cannot stand in a request".to_owned())?;
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|error| error.to_string())?;
        connection.abort();
        Ok((status, body.to_bytes()))
    }

    async fn connect(&self) -> Result<Stream, String> {
        let socket = TcpStream::connect((&*self.host, self.port)).await.map_err(|error| error.to_string())?;
        let mut stream = Stream::plain(socket);
        if let Some(connector) = &self.connector {
            stream.connect_tls(connector, &self.host).await.map_err(|error| error.to_string())?;
        }
        Ok(stream)
    }
}

/// A piece of a path: whatever is in an id, it stays one piece.
pub(super) fn piece(id: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._~@+-".contains(&octet);
    id.bytes().map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") }).collect()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn connector(ca_file: Option<&Path>) -> Result<Connector, String> {
    let trust = match ca_file {
        Some(file) => Trust::Pem(std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?),
        None => Trust::System,
    };
    Connector::new(&trust).map_err(|error| format!("roots of trust: {error}"))
}

fn token(file: Option<&Path>) -> Result<Secret, String> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => std::env::var(TOKEN).map_err(|_| {
            format!(
                "there is no token: name its file with --token-file, or set {TOKEN}; `posthouse admin-token` makes one"
            )
        })?,
    };
    match text.trim() {
        "" => Err("the token is empty".to_owned()),
        token => Ok(Secret::new(token)),
    }
}

#[cfg(test)]
mod tests;
