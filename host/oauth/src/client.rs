//! The request itself: one POST, bounded in time, in size, and in where it may lead.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;

use crate::endpoint::Endpoint;
use crate::error::{Error, Skew};
use crate::grant::Grant;
use crate::jwt::{CLOCK_AHEAD, CLOCK_BEHIND};
use crate::pace::{Pace, Urgency};
use crate::response;

pub use crate::response::Issued;

/// For all of it, from the name's resolution to the answer's last octet.
const TIMEOUT: Duration = Duration::from_secs(10);
/// No answer with a token is longer.
const BODY: usize = 64 * 1024;
/// The longest pause that an endpoint can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// Asks token endpoints. One is shared by all accounts: it holds their connections and the roots, and keeps to a pace.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    pace: Arc<Pace>,
}

impl Client {
    /// A client that trusts the system's roots, and this one besides (PEM).
    ///
    /// # Errors
    /// The root is none, or the system has none.
    pub fn new(extra_root_pem: Option<&[u8]>) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("posthouse/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .no_proxy();
        if let Some(pem) = extra_root_pem {
            let roots =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|_| Error::Endpoint("the CA file is no PEM"))?;
            builder = builder.tls_certs_merge(roots);
        }
        let http =
            builder.build().map_err(|_| Error::Endpoint("TLS cannot be set up: are CA certificates installed?"))?;
        Ok(Self { http, pace: Arc::default() })
    }

    /// Asks for a token, when it is this request's turn.
    ///
    /// # Errors
    /// There is none; see [`Error::is_permanent`].
    pub async fn redeem(&self, endpoint: &Endpoint, grant: &Grant, urgency: Urgency) -> Result<Issued, Error> {
        let url = endpoint.check()?;
        if grant.lacks_consent() {
            return Err(Error::NoConsent);
        }
        let _turn = self.pace.turn(url.host_str().unwrap_or_default(), urgency).await;
        // A request takes some KiB, and two thousand of them may stand in line.
        Box::pin(self.exchange(url, endpoint, grant)).await
    }

    /// The request itself. What is signed is signed now: the turn may have been long in coming.
    async fn exchange(&self, url: reqwest::Url, endpoint: &Endpoint, grant: &Grant) -> Result<Issued, Error> {
        let now = SystemTime::now();
        let form = grant.form(endpoint, now).await?;
        let answer = self.post(url, &form).await?;
        let issued = response::read(answer.status, answer.retry_after, &answer.body);
        issued.map_err(|error| explained(error, grant, now, answer.date))
    }

    /// Sends a form, and reads the answer within its bounds.
    pub(crate) async fn post<F: serde::Serialize>(&self, url: reqwest::Url, form: &F) -> Result<Answer, Error> {
        self.ask(self.http.post(url).form(form)).await
    }

    /// A request that is to be filled.
    pub(crate) fn request(&self, url: reqwest::Url) -> reqwest::RequestBuilder {
        self.http.post(url)
    }

    /// Sends a request, and reads the answer within its bounds.
    pub(crate) async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, Error> {
        let mut answer = request.send().await.map_err(|error| unreachable_because(&error))?;
        let (status, retry_after) = (answer.status().as_u16(), retry_after(answer.headers()));
        let date = answer.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| unreachable_because(&error))? {
            if body.len() + piece.len() > BODY {
                return Err(Error::Nonsense("more than 64 KiB"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, retry_after, date, body })
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The time there.
    pub(crate) date: Option<SystemTime>,
    pub(crate) body: Vec<u8>,
}

/// A refusal with the cause that can be seen from here: endpoints tell a wrong clock by many names.
fn explained(error: Error, grant: &Grant, now: SystemTime, date: Option<SystemTime>) -> Error {
    let Error::Refused { code, description } = error else { return error };
    if let Some(clock) = date.filter(|_| grant.is_dated()).and_then(|date| skew(now, date)) {
        return Error::ClockSkew { clock, code, description };
    }
    match grant.certificate_ends() {
        Some(ended) if ended < now => Error::CertificateExpired { ended, code, description },
        _ => Error::Refused { code, description },
    }
}

/// How far this clock is from theirs, where that is more than what is signed allows for.
fn skew(ours: SystemTime, theirs: SystemTime) -> Option<Skew> {
    match ours.duration_since(theirs) {
        Ok(ahead) => (ahead > CLOCK_AHEAD).then_some(Skew::Ahead(ahead)),
        Err(behind) => (behind.duration() > CLOCK_BEHIND).then_some(Skew::Behind(behind.duration())),
    }
}

/// The cause in words; the URL is left out, since some people put secrets there.
fn unreachable_because(error: &reqwest::Error) -> Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Error::Unreachable(if error.is_timeout() { "timed out".to_owned() } else { cause.to_string() })
}

/// RFC 9110 10.2.3: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default(),
    };
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests;
