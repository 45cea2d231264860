//! The name, the connection, TLS and EHLO.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use posthouse_net::connector::{Connector, Trust};
use posthouse_net::stream::Stream;
use posthouse_smtp::client::{ClientSession, Error, Event, Settings, TlsRule};
use posthouse_smtp::sasl::Mechanism;
use tokio::time::{Instant, timeout};

use super::steps::Steps;
use crate::account::Surroundings;
use crate::config::account::Account;

/// A conversation with the server.
pub(super) struct Session {
    pub(super) client: ClientSession,
    stream: Stream,
    patience: Duration,
}

/// Why a conversation did not go on.
pub(super) enum Ended {
    Protocol(Error),
    Lost(String),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Protocol(Error::Refused { reply, detail: Some(detail), .. }) => write!(f, "{reply} ({detail})"),
            Self::Protocol(Error::Refused { reply, .. }) => write!(f, "{reply}"),
            Self::Protocol(error) => write!(f, "{error}"),
            Self::Lost(what) => f.write_str(what),
        }
    }
}

impl Session {
    /// The next thing that the protocol has to say.
    pub(super) async fn next(&mut self) -> Result<Event, Ended> {
        loop {
            match self.client.advance().map_err(Ended::Protocol)? {
                Event::NeedInput => self.exchange().await?,
                event => return Ok(event),
            }
        }
    }

    async fn exchange(&mut self) -> Result<(), Ended> {
        let waited = self.client.state().name;
        let Self { client, stream, patience } = self;
        let work = async {
            if !client.output().is_empty() {
                stream.send(client.output()).await?;
                client.output().clear();
            }
            let take = |octets: &[u8]| {
                client.receive(octets);
                octets.len()
            };
            stream.receive(take).await
        };
        match timeout(*patience, work).await {
            Ok(Ok(0)) => Err(Ended::Lost(format!("the server ended the connection {waited}"))),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Ended::Lost(format!("the connection broke {waited}: {error}"))),
            Err(_) => Err(Ended::Lost(format!("no answer {waited}"))),
        }
    }

    /// Sends octets that are not the protocol's own.
    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), Ended> {
        let sent = timeout(self.patience, self.stream.send(octets)).await;
        sent.map_err(|_| Ended::Lost("the server takes nothing".to_owned()))?
            .map_err(|error| Ended::Lost(error.to_string()))
    }

    pub(super) async fn quit(mut self) {
        self.client.quit();
        // Whether goodbye was heard changes nothing.
        let _ = timeout(Duration::from_secs(2), self.stream.send(self.client.output())).await;
    }
}

/// A server that is ready for the login.
pub(super) async fn opened(account: &Account, around: &Surroundings<'_>, steps: &mut Steps) -> Option<Session> {
    let (connector, stream) = reached(account, around, steps).await?;
    let settings = Settings { hostname: around.hostname.to_owned(), tls: account.provider.tls };
    let session = Session { client: ClientSession::new(settings), stream, patience: around.connect };
    greeted(account, &connector, session, steps).await
}

/// A connection on which nothing was said yet, under TLS where that comes first.
pub(super) async fn reached(
    account: &Account,
    around: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<(Connector, Stream)> {
    resolved(account, steps).await?;
    let trust = account.provider.ca_pem.as_ref().map_or(Trust::System, |pem| Trust::Pem(pem.to_vec()));
    let connector = match Connector::new(&trust) {
        Ok(connector) => connector,
        Err(error) => {
            steps.fail("TLS", &error.to_string());
            return None;
        }
    };
    let mut stream = connected(account, &connector, around.connect, steps).await?;
    if account.provider.tls == TlsRule::Implicit {
        secured(account, &connector, &mut stream, around.connect, steps).await?;
    }
    Some((connector, stream))
}

async fn resolved(account: &Account, steps: &mut Steps) -> Option<()> {
    let (host, port) = (account.provider.host.as_str(), account.provider.port);
    if host.parse::<IpAddr>().is_ok() {
        steps.skipped("DNS", "the host is an address");
        return Some(());
    }
    match tokio::net::lookup_host((host, port)).await {
        Ok(found) => {
            let addresses: Vec<String> = found.map(|address: SocketAddr| address.ip().to_string()).collect();
            steps.ok("DNS", &format!("{host} is {}", addresses.join(", ")));
            Some(())
        }
        Err(error) => {
            steps.fail("DNS", &format!("{host}: {error}"));
            None
        }
    }
}

async fn connected(account: &Account, connector: &Connector, patience: Duration, steps: &mut Steps) -> Option<Stream> {
    let (host, port) = (account.provider.host.as_str(), account.provider.port);
    let start = Instant::now();
    let said = match timeout(patience, connector.connect_tcp(host, port, account.source_address)).await {
        Ok(Ok(stream)) => {
            steps.ok("TCP", &format!("connected to port {port} in {} ms", start.elapsed().as_millis()));
            return Some(stream);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", patience.as_secs()),
    };
    let from = account.source_address.map(|address| format!(" from {address}")).unwrap_or_default();
    steps.fail("TCP", &format!("port {port}{from}: {said}"));
    None
}

async fn secured(
    account: &Account,
    connector: &Connector,
    stream: &mut Stream,
    patience: Duration,
    steps: &mut Steps,
) -> Option<()> {
    let name = account.provider.server_name.as_ref().unwrap_or(&account.provider.host);
    match timeout(patience, stream.connect_tls(connector, name)).await {
        Ok(Ok(())) => {
            steps.ok("TLS", &format!("the certificate is good for {name}"));
            return Some(());
        }
        Ok(Err(error)) => steps.fail("TLS", &error.to_string()),
        Err(_) => steps.fail("TLS", "no answer to the handshake"),
    }
    None
}

async fn greeted(account: &Account, connector: &Connector, mut session: Session, steps: &mut Steps) -> Option<Session> {
    loop {
        match session.next().await {
            Ok(Event::StartTls) => {
                let patience = session.patience;
                secured(account, connector, &mut session.stream, patience, steps).await?;
                session.client.secured();
            }
            Ok(Event::Identified) => {
                if account.provider.tls == TlsRule::None {
                    steps.skipped("TLS", "none, as configured");
                }
                steps.ok("EHLO", &format!("offers {}", offers(&session.client)));
                return Some(session);
            }
            Ok(_) => {}
            Err(ended @ Ended::Protocol(Error::TlsNotOffered)) => {
                steps.fail("TLS", &ended.to_string());
                return None;
            }
            Err(ended) => {
                steps.fail("EHLO", &ended.to_string());
                return None;
            }
        }
    }
}

fn offers(client: &ClientSession) -> String {
    let offered = client.capabilities();
    let named = [
        (Mechanism::XOAuth2, "XOAUTH2"),
        (Mechanism::OAuthBearer, "OAUTHBEARER"),
        (Mechanism::Plain, "PLAIN"),
        (Mechanism::Login, "LOGIN"),
    ];
    let known = named.iter().filter(|(mechanism, _)| offered.auth.contains(*mechanism)).map(|(_, name)| *name);
    let auth: Vec<&str> = known.collect();
    let auth =
        if auth.is_empty() { "no login that is known here".to_owned() } else { format!("AUTH {}", auth.join(" ")) };
    let size = offered.size.filter(|size| *size > 0).map(|size| format!(", SIZE {size}")).unwrap_or_default();
    format!("{auth}{size}")
}
