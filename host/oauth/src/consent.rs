//! How a mailbox's owner consents: by a code on a device (RFC 8628), or in a browser with PKCE (RFC 7636, RFC 8252).
//!
//! Nothing here shows anything, opens a browser or listens: whoever asks for consent does. What comes of it is a refresh
//! token, once.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use crate::base64url;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::response::{self, Issued};
use crate::secret::Secret;

/// RFC 8628 3.2: where nothing is said.
const INTERVAL: u64 = 5;
/// RFC 8628 3.5.
const SLOWER: Duration = Duration::from_secs(5);

/// The application that consent is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub client_id: String,
    /// Its proof, where it has one.
    pub client_secret: Option<Secret>,
}

/// What a device shows, and what it waits with.
#[derive(Debug)]
pub struct DeviceCode {
    /// The page that its user opens.
    pub page: String,
    /// The code that its user types in there.
    pub user_code: String,
    /// How long there is time.
    pub lifetime: Duration,
    interval: Duration,
    device_code: Secret,
}

impl DeviceCode {
    /// How long to wait before asking again.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

/// What came of asking whether a device's user has decided.
#[derive(Debug)]
pub enum Decision {
    /// Not yet.
    Waiting,
    /// Yes.
    Granted(Issued),
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

/// What ties a code to whoever asked for it.
#[derive(Debug)]
pub struct Challenge {
    verifier: Secret,
    state: String,
}

impl Challenge {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new() -> Result<Self, Error> {
        let random = || {
            let mut octets = [0; 32];
            aws_lc_rs::rand::fill(&mut octets).map_err(|_| Error::NoRandomness)?;
            Ok(base64url::text(&octets))
        };
        Ok(Self { verifier: Secret::new(random()?), state: random()? })
    }

    /// What the browser brings back, so that no other answer is taken for it.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The link to be opened (RFC 6749 4.1.1). `hint` is the mailbox.
    ///
    /// # Errors
    /// The page's URL is none that can be trusted.
    pub fn link(
        &self,
        page: &Endpoint,
        application: &Application,
        redirect_uri: &str,
        hint: Option<&str>,
    ) -> Result<String, Error> {
        let mut url = page.check()?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &application.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", page.scope.as_deref().unwrap_or_default())
            .append_pair("state", &self.state)
            .append_pair(
                "code_challenge",
                &base64url::text(digest(&SHA256, self.verifier.expose().as_bytes()).as_ref()),
            )
            .append_pair("code_challenge_method", "S256")
            // Google gives a refresh token only so; Microsoft passes over the first, and knows the second.
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent")
            .extend_pairs(hint.map(|hint| ("login_hint", hint)));
        Ok(url.into())
    }
}

impl Client {
    /// Asks for a code for a device to show; `page` is where, with the scope.
    ///
    /// # Errors
    /// There is none.
    pub async fn device_code(&self, page: &Endpoint, client_id: &str) -> Result<DeviceCode, Error> {
        let form = [("client_id", client_id), ("scope", page.scope.as_deref().unwrap_or_default())];
        let answer = self.post(page.check()?, &form).await?;
        if answer.status != 200 {
            return Err(match response::read(answer.status, answer.retry_after, &answer.body) {
                Err(error) => error,
                Ok(_) => Error::Nonsense("a token where a code was asked for"),
            });
        }
        let nonsense = |_| Error::Nonsense("no JSON with a device_code");
        let answer: DeviceAnswer = serde_json::from_slice(&answer.body).map_err(nonsense)?;
        Ok(DeviceCode {
            page: answer.verification_uri,
            user_code: answer.user_code,
            lifetime: Duration::from_secs(answer.expires_in),
            interval: Duration::from_secs(answer.interval.unwrap_or(INTERVAL).clamp(1, 60)),
            device_code: Secret::new(answer.device_code),
        })
    }

    /// Asks whether the device's user has decided.
    ///
    /// # Errors
    /// The user said no, or the time is over.
    pub async fn device_decision(
        &self,
        endpoint: &Endpoint,
        application: &Application,
        code: &mut DeviceCode,
    ) -> Result<Decision, Error> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &application.client_id),
            ("device_code", code.device_code.expose()),
        ];
        let answer = self.post(endpoint.check()?, &form).await?;
        match response::error_code(&answer.body).as_deref() {
            Some("authorization_pending") => Ok(Decision::Waiting),
            Some("slow_down") => {
                code.interval += SLOWER;
                Ok(Decision::Waiting)
            }
            _ => response::read(answer.status, answer.retry_after, &answer.body).map(Decision::Granted),
        }
    }

    /// Redeems the code that a browser has brought back.
    ///
    /// # Errors
    /// It is not taken.
    pub async fn redeem_code(
        &self,
        endpoint: &Endpoint,
        application: &Application,
        challenge: &Challenge,
        redirect_uri: &str,
        code: &Secret,
    ) -> Result<Issued, Error> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &application.client_id),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", challenge.verifier.expose()),
        ];
        form.extend(application.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let answer = self.post(endpoint.check()?, &form).await?;
        response::read(answer.status, answer.retry_after, &answer.body)
    }
}
