//! Consents that are being given: device codes (RFC 8628) and authorization codes with PKCE (RFC 7636).
//!
//! Nobody types a password here: whoever asks names the mailbox, and the test or the reader of the page approves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::account::Account;
use crate::assertion;
use crate::random::Random;
use crate::tokens::{Denied, Request};

/// How long a code can be used.
pub(crate) const LIFETIME: Duration = Duration::from_secs(900);
/// How often a device may ask.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// What its owner says to a device.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    Approved(Arc<Account>),
    Declined,
}

#[derive(Debug)]
struct Device {
    client_id: String,
    user_code: String,
    ends: Instant,
    asked: Option<Instant>,
    decision: Option<Decision>,
}

/// A code on its way through somebody's browser.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) account: Arc<Account>,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) ends: Instant,
}

#[derive(Debug)]
struct State {
    random: Random,
    devices: HashMap<String, Device>,
    codes: HashMap<String, Code>,
}

/// All consents that are being given.
#[derive(Debug)]
pub(crate) struct Consents(Mutex<State>);

impl Default for Consents {
    fn default() -> Self {
        let random = Random::unpredictable();
        Self(Mutex::new(State { random, devices: HashMap::new(), codes: HashMap::new() }))
    }
}

impl Consents {
    /// A device code and what its user is to type.
    pub(crate) fn device(&self, client_id: &str, now: Instant) -> (String, String) {
        let mut state = self.state();
        let (code, user_code) = (state.random.text(64), state.random.text(9).to_uppercase().replace(['-', '_'], "X"));
        let (client_id, ends) = (client_id.to_owned(), now + LIFETIME);
        let device = Device { client_id, user_code: user_code.clone(), ends, asked: None, decision: None };
        state.devices.insert(code.clone(), device);
        (code, user_code)
    }

    /// What the user says; whether there is such a code.
    pub(crate) fn decide(&self, user_code: &str, decision: Decision) -> bool {
        let mut state = self.state();
        let device = state.devices.values_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.decision = Some(decision)).is_some()
    }

    /// The codes that devices show and that nobody has decided on.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let state = self.state();
        let waiting = state.devices.values().filter(|device| device.decision.is_none());
        waiting.map(|device| device.user_code.clone()).collect()
    }

    /// A device asks whether its user has decided.
    pub(crate) fn poll(&self, request: Request<'_>, now: Instant) -> Result<Arc<Account>, Denied> {
        let code = request.device_code.ok_or(Denied::Missing("device_code"))?;
        let mut state = self.state();
        let device = state.devices.get_mut(code).ok_or(Denied::InvalidGrant)?;
        if request.client_id != Some(device.client_id.as_str()) {
            return Err(Denied::UnknownClient);
        }
        if device.ends <= now {
            return Err(Denied::DeviceExpired);
        }
        let is_hasty = device.asked.replace(now).is_some_and(|asked| now - asked < INTERVAL.mul_f64(0.9));
        match &device.decision {
            _ if is_hasty => Err(Denied::SlowDown),
            None => Err(Denied::Pending),
            Some(Decision::Declined) => Err(Denied::Declined),
            Some(Decision::Approved(account)) => {
                let account = Arc::clone(account);
                state.devices.remove(code);
                Ok(account)
            }
        }
    }

    /// A code for somebody's browser to carry.
    pub(crate) fn code(&self, code: Code) -> String {
        let mut state = self.state();
        let text = state.random.text(80);
        state.codes.insert(text.clone(), code);
        text
    }

    /// The mailbox that a code is for; it is used up, whatever comes of it.
    pub(crate) fn exchange(&self, request: Request<'_>, now: Instant) -> Result<Arc<Account>, Denied> {
        let code = request.code.ok_or(Denied::Missing("code"))?;
        let verifier = request.code_verifier.ok_or(Denied::Missing("code_verifier"))?;
        let known = self.state().codes.remove(code).ok_or(Denied::InvalidGrant)?;
        let fits = request.client_id == Some(known.client_id.as_str())
            && request.redirect_uri == Some(known.redirect_uri.as_str())
            && assertion::fingerprint(verifier.as_bytes()) == known.challenge
            && now < known.ends;
        if fits { Ok(known.account) } else { Err(Denied::InvalidGrant) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
