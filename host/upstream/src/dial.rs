//! Opening a session: connect, greet, secure, log in.
//!
//! Refused credentials are renewed once and tried once more. Invariant: credentials are sent only
//! over a connection that is protected as the target demands.

use std::time::Duration;

use posthouse_net::stream::Stream;
use posthouse_smtp::client::{self, ClientSession, Event, Settings, TlsRule};
use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::error::Error;
use crate::gate::Cause;
use crate::http::HttpWire;
use crate::limits::{Earlier, PoolLimits};
use crate::login::{LoginError, LoginSource, SessionLogin};
use crate::meaning::Meaning;
use crate::replies::{Reading, Replies};
use crate::session::{Interruption, Line, Wire};
use crate::stage::Stage;
use crate::target::Target;
use crate::transport::Transport;

/// What a new session starts with.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) line: Line,
    /// The end of its time, be it for its age or for its token.
    pub(crate) ends_at: Instant,
}

/// A session that was not opened.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Whether it keeps others from trying, and the refusal that says so.
    pub(crate) closes: Option<(Cause, (Reading, Reply))>,
}

/// Opens a session, at the latest at `due`.
pub(crate) async fn open(
    target: &Target,
    limits: &PoolLimits,
    logins: &dyn LoginSource,
    replies: &Replies,
    due: Instant,
) -> Result<Opened, Failed> {
    let now = Instant::now();
    let mut alarm = Alarm::new(now, due);
    let mut login = credentials(logins.login(), &mut alarm).await.map_err(Failed::alone)?;
    let (mut renewed, mut repeated) = (false, false);
    loop {
        let opened = match target.transport {
            Transport::Smtp => log_in(target, &login, replies, &mut alarm).await.map(Line::Smtp),
            // Credentials go with each request: the first one shows what they are worth.
            Transport::Graph | Transport::GmailApi => prepared(target, &login, &mut alarm).await.map(Line::Http),
        };
        let error = match opened {
            Ok(line) => return Ok(Opened { line, ends_at: ends_at(limits, &login, Instant::now()) }),
            Err(error) => error,
        };
        match error.meaning() {
            Some(Meaning::CredentialsRefused) if !renewed => {
                renewed = true;
                login = renew(logins, &login, &mut alarm, error).await?;
            }
            Some(Meaning::LoginUnavailable) if !repeated => repeated = true,
            _ => return Err(Failed::new(error)),
        }
    }
}

/// Has the credentials renewed that a request was refused for.
///
/// # Errors
/// What is known of the login now.
pub(crate) async fn renewed(
    logins: &dyn LoginSource,
    refused: &SessionLogin,
    alarm: &mut Alarm,
    refusal: Error,
) -> Result<(), Failed> {
    renew(logins, refused, alarm, refusal).await.map(drop)
}

impl Failed {
    fn alone(error: Error) -> Self {
        Self { error, closes: None }
    }

    pub(crate) fn new(error: Error) -> Self {
        let closes = match &error {
            Error::Refused { reading, reply, .. } => {
                closes(reading.meaning).map(|cause| (cause, (reading.clone(), reply.clone())))
            }
            _ => None,
        };
        Self { error, closes }
    }
}

/// Which refusals before MAIL keep others from trying.
fn closes(meaning: Meaning) -> Option<Cause> {
    match meaning {
        Meaning::CredentialsRefused | Meaning::LoginDisabled => Some(Cause::Broken),
        Meaning::TooManyLogins
        | Meaning::LoginUnavailable
        | Meaning::TooManySessions
        | Meaning::ServerBusy
        | Meaning::UnusualRate
        | Meaning::Closing => Some(Cause::Throttled),
        Meaning::NotAuthenticated
        | Meaning::DailyQuota
        | Meaning::OrganisationQuota
        | Meaning::SenderNotAllowed
        | Meaning::Blocked
        | Meaning::MailboxFull
        | Meaning::TooManyRecipients
        | Meaning::Unwelcome
        | Meaning::OutOfStep
        | Meaning::Deferred
        | Meaning::Refused => None,
    }
}

fn ends_at(limits: &PoolLimits, login: &SessionLogin, now: Instant) -> Instant {
    let by_age = now + limits.age_of(Earlier::by_chance());
    match login.valid_until {
        Some(until) => by_age.min(until.checked_sub(limits.token_margin).unwrap_or(now)),
        None => by_age,
    }
}

async fn credentials(
    asked: impl Future<Output = Result<SessionLogin, LoginError>>,
    alarm: &mut Alarm,
) -> Result<SessionLogin, Error> {
    match alarm.within(Duration::MAX, asked).await {
        Some(login) => login.map_err(Error::NoLogin),
        None => Err(Error::TimedOut { stage: Stage::Connection, state: "waiting for credentials" }),
    }
}

/// Newer credentials than the refused ones. Without them the refusal stands, and is remembered:
/// asking with the same ones again and again is what providers take for an attack.
async fn renew(
    logins: &dyn LoginSource,
    login: &SessionLogin,
    alarm: &mut Alarm,
    refusal: Error,
) -> Result<SessionLogin, Failed> {
    let Failed { error: refusal, closes } = Failed::new(refusal);
    credentials(logins.refused(login), alarm).await.map_err(|error| match (error, closes) {
        (Error::NoLogin(LoginError::NothingNewer), closes) => Failed { error: refusal, closes },
        (error @ Error::NoLogin(LoginError::NeedsConsent(_)), closes) => Failed { error, closes },
        (error, closes) => Failed { error, closes: closes.map(|(_, refusal)| (Cause::Throttled, refusal)) },
    })
}

/// One connection, up to the reply to AUTH.
async fn log_in(target: &Target, login: &SessionLogin, replies: &Replies, alarm: &mut Alarm) -> Result<Wire, Error> {
    let stream = connect(target, alarm).await?;
    let client = ClientSession::new(Settings { hostname: target.hostname.clone(), tls: target.tls });
    let mut wire = Wire { client, stream };
    loop {
        match wire.next(alarm).await {
            Ok(Event::StartTls) => {
                secure(target, &mut wire.stream, Stage::StartTls, alarm).await?;
                wire.client.secured();
            }
            Ok(Event::Identified) => match &login.login {
                Some(login) => wire.client.authenticate(login).map_err(|error| complaint(target, replies, error))?,
                None => wire.client.skip_login(),
            },
            Ok(Event::Ready) => {
                // An idle session keeps no buffer of the size of a token.
                *wire.client.output() = Vec::new();
                return Ok(wire);
            }
            Ok(_) => {}
            Err(Interruption::Protocol(error)) => return Err(complaint(target, replies, error)),
            Err(interruption) => return Err(interruption.at(Stage::Connection, wire.state())),
        }
    }
}

/// One connection for requests.
async fn prepared(target: &Target, login: &SessionLogin, alarm: &mut Alarm) -> Result<Box<HttpWire>, Error> {
    let stream = connect(target, alarm).await?;
    let lost = |source| Error::Unreachable { target: target.to_string(), source };
    HttpWire::open(stream, login.clone()).await.map(Box::new).map_err(lost)
}

async fn connect(target: &Target, alarm: &mut Alarm) -> Result<Stream, Error> {
    let connecting = target.connector.connect_tcp(&target.host, target.port, target.source);
    let mut stream = match alarm.within(Duration::MAX, connecting).await {
        Some(Ok(stream)) => stream,
        Some(Err(source)) => return Err(Error::Unreachable { target: target.to_string(), source }),
        None => return Err(Error::TimedOut { stage: Stage::Connection, state: "connecting" }),
    };
    if target.tls == TlsRule::Implicit {
        secure(target, &mut stream, Stage::Connection, alarm).await?;
    }
    Ok(stream)
}

async fn secure(target: &Target, stream: &mut Stream, stage: Stage, alarm: &mut Alarm) -> Result<(), Error> {
    let handshake = stream.connect_tls(&target.connector, &target.server_name);
    match alarm.within(Duration::MAX, handshake).await {
        Some(Ok(())) => Ok(()),
        Some(Err(source)) => Err(Error::Insecure { target: target.to_string(), source }),
        None => Err(Error::TimedOut { stage, state: "waiting for the TLS handshake" }),
    }
}

/// A refusal before MAIL as such; everything else is the protocol's complaint.
fn complaint(target: &Target, replies: &Replies, error: client::Error) -> Error {
    match error {
        client::Error::Refused { stage, reply, detail } => {
            let stage = stage.into();
            let reply = with_detail(reply, detail);
            let reading = replies.read(target.provider, stage, &reply);
            Error::Refused { stage, reading, reply, recipients: Vec::new() }
        }
        source => Error::Protocol { stage: Stage::Connection, source },
    }
}

/// The reply with what a token's refusal said before it: the reason stands there, and only there.
fn with_detail(reply: Reply, detail: Option<String>) -> Reply {
    match detail {
        Some(detail) => Reply::new(reply.code(), reply.enhanced(), format!("{} {detail}", reply.text())),
        None => reply,
    }
}
