//! The request itself: one POST, bounded in time, in size, and in where it may lead.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::grant::Grant;
use crate::response;

pub use crate::response::Issued;

/// For all of it, from the name's resolution to the answer's last octet.
const TIMEOUT: Duration = Duration::from_secs(10);
/// No answer with a token is longer.
const BODY: usize = 64 * 1024;
/// The longest pause that an endpoint can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// Asks token endpoints. One is shared by all accounts: it holds their connections and the roots.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
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
        Ok(Self { http })
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// There is none; see [`Error::is_permanent`].
    pub async fn redeem(&self, endpoint: &Endpoint, grant: &Grant) -> Result<Issued, Error> {
        let url = endpoint.check()?;
        let request = self.http.post(url).form(&grant.form(endpoint.scope.as_deref()));
        let mut answer = request.send().await.map_err(|error| unreachable_because(&error))?;
        let (status, retry_after) = (answer.status().as_u16(), retry_after(answer.headers()));
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| unreachable_because(&error))? {
            if body.len() + piece.len() > BODY {
                return Err(Error::Nonsense("more than 64 KiB"));
            }
            body.extend_from_slice(&piece);
        }
        response::read(status, retry_after, &body)
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
