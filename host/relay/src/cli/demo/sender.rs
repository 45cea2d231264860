//! A client of the relay: STARTTLS, AUTH, and one message after the other on the same session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use posthouse_net::connector::Connector;
use posthouse_net::stream::Stream;
use posthouse_smtp::client::login::Login as SmtpLogin;
use posthouse_smtp::client::{ClientSession, Event, Framing, Settings, TlsRule, Transaction};
use posthouse_smtp::command::Body;
use posthouse_smtp::data::Stuffer;
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Reply;
use posthouse_smtp::sasl::{Mechanism, Secret};

use super::scenes::{Login, PASSWORD, Scene};

/// One client.
pub(super) struct Sender<'a> {
    address: SocketAddr,
    connector: &'a Connector,
    login: &'a Login,
    connection: Option<(ClientSession, Stream)>,
}

/// What a client saw of its message.
pub(super) struct Sent {
    pub(super) reply: Reply,
    pub(super) took: Duration,
}

impl<'a> Sender<'a> {
    pub(super) fn new(address: SocketAddr, connector: &'a Connector, login: &'a Login) -> Self {
        Self { address, connector, login, connection: None }
    }

    /// Sends the scene's message; the time is from MAIL to the answer.
    pub(super) async fn send(&mut self, scene: &Scene) -> Result<Sent, String> {
        let (mut session, mut stream) = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let began = Instant::now();
        let reverse_path = ReversePath::Mailbox(scene.from.parse().map_err(|_| "a sender that is none")?);
        let recipients: Vec<ForwardPath> =
            scene.to.iter().filter_map(|to| to.parse().ok().map(ForwardPath::Mailbox)).collect();
        let (reverse_path, recipients) = (&reverse_path, &recipients[..]);
        let transaction = Transaction { reverse_path, recipients, size: None, body: Body::SevenBit, smtputf8: false };
        session.begin(&transaction, Framing::Data).map_err(|error| error.to_string())?;
        loop {
            match next(&mut session, &mut stream).await? {
                Event::RecipientsAccepted => session.send_data(),
                Event::GoAhead => {
                    let (mut stuffer, mut content) = (Stuffer::default(), Vec::new());
                    stuffer.stuff(message(scene).as_bytes(), &mut content);
                    stuffer.finish(&mut content);
                    stream.send(&content).await.map_err(|error| error.to_string())?;
                    session.content_sent();
                }
                Event::Answered(outcome) => {
                    self.connection = session.reusable().then_some((session, stream));
                    return Ok(Sent { reply: outcome.reply, took: began.elapsed() });
                }
                _ => {}
            }
        }
    }

    async fn connect(&self) -> Result<(ClientSession, Stream), String> {
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        let mut stream =
            self.connector.connect_tcp(&host, port, None).await.map_err(|error| format!("cannot connect: {error}"))?;
        let settings = Settings { hostname: "client.example.com".to_owned(), tls: TlsRule::StartTls };
        let mut session = ClientSession::new(settings);
        loop {
            match next(&mut session, &mut stream).await? {
                Event::StartTls => {
                    let secured = stream.connect_tls(self.connector, "relay.example.com").await;
                    secured.map_err(|error| error.to_string())?;
                    session.secured();
                }
                Event::Identified => {
                    session.authenticate(&self.proof(host.clone(), port)).map_err(|error| error.to_string())?
                }
                Event::Ready => return Ok((session, stream)),
                _ => {}
            }
        }
    }

    fn proof(&self, host: String, port: u16) -> SmtpLogin {
        SmtpLogin {
            mechanism: Mechanism::Plain,
            user: self.login.name.to_owned(),
            secret: Secret::new(PASSWORD),
            server: (host, port),
        }
    }
}

async fn next(session: &mut ClientSession, stream: &mut Stream) -> Result<Event, String> {
    loop {
        match session.advance().map_err(|error| error.to_string())? {
            Event::NeedInput => {
                if !session.output().is_empty() {
                    stream.send(session.output()).await.map_err(|error| error.to_string())?;
                    session.output().clear();
                }
                let read = stream.receive(|octets| {
                    session.receive(octets);
                    octets.len()
                });
                if read.await.map_err(|error| error.to_string())? == 0 {
                    return Err("the relay closed the connection".to_owned());
                }
            }
            event => return Ok(event),
        }
    }
}

fn message(scene: &Scene) -> String {
    let to = scene.to.join(", ");
    format!("From: {}\r\nTo: {to}\r\nSubject: {}\r\n\r\nHello from the demonstration.\r\n", scene.from, scene.title)
}
