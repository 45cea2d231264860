//! Refresh tokens and access tokens: who may redeem what, and what an access token opens.
//!
//! The rules of the grant and nothing of HTTP. A token opens the one mailbox that it was issued for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::account::Account;
use crate::options::Rotation;
use crate::provider::Provider;
use crate::random::Random;

/// Access tokens that are kept before the expired ones are looked for.
const SWEEP: usize = 4_096;

/// What an application asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Request<'a> {
    pub(crate) directory: Option<&'a str>,
    pub(crate) grant_type: Option<&'a str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client_secret: Option<&'a str>,
    pub(crate) refresh_token: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
}

/// What it is given.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) lifetime: Duration,
}

/// Why it is given nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// This parameter is missing.
    Missing(&'static str),
    UnsupportedGrantType,
    UnknownDirectory,
    UnknownClient,
    WrongSecret,
    InvalidGrant,
    InvalidScope,
}

#[derive(Debug)]
struct Issued {
    account: Arc<Account>,
    expires: Instant,
}

#[derive(Debug)]
struct State {
    random: Random,
    refresh: HashMap<String, Arc<Account>>,
    access: HashMap<String, Issued>,
    sweep_at: usize,
}

/// The tokens of both providers.
#[derive(Debug)]
pub(crate) struct Tokens(Mutex<State>);

impl Default for Tokens {
    fn default() -> Self {
        Self(Mutex::new(State {
            random: Random::unpredictable(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            sweep_at: SWEEP,
        }))
    }
}

impl Tokens {
    /// The account's refresh token may be redeemed from now on.
    pub(crate) fn consent(&self, account: &Arc<Account>) {
        let token = account.mailbox.refresh_token.clone();
        self.state(|state| state.refresh.insert(token, Arc::clone(account)));
    }

    /// The account's refresh tokens and access tokens are dead.
    pub(crate) fn revoke(&self, account: &Arc<Account>) {
        self.state(|state| {
            state.refresh.retain(|_, owner| !Arc::ptr_eq(owner, account));
            state.access.retain(|_, issued| !Arc::ptr_eq(&issued.account, account));
        });
    }

    /// The account's access tokens are dead; its refresh tokens bring new ones.
    pub(crate) fn expire(&self, account: &Arc<Account>) {
        self.state(|state| state.access.retain(|_, issued| !Arc::ptr_eq(&issued.account, account)));
    }

    /// The account that this refresh token is for.
    pub(crate) fn owner(&self, refresh_token: &str) -> Option<Arc<Account>> {
        self.state(|state| state.refresh.get(refresh_token).cloned())
    }

    /// The account that this access token opens.
    pub(crate) fn opened_by(&self, token: &str, now: Instant) -> Option<Arc<Account>> {
        self.state(|state| {
            let issued = state.access.get(token)?;
            (issued.expires > now).then(|| Arc::clone(&issued.account))
        })
    }

    /// Redeems a refresh token.
    pub(crate) fn redeem(
        &self,
        provider: Provider,
        request: Request<'_>,
        rules: (Rotation, Duration),
        now: Instant,
    ) -> Result<Granted, Denied> {
        let (rotation, lifetime) = rules;
        let grant_type = request.grant_type.ok_or(Denied::Missing("grant_type"))?;
        if grant_type != "refresh_token" {
            return Err(Denied::UnsupportedGrantType);
        }
        let client_id = request.client_id.ok_or(Denied::Missing("client_id"))?;
        let refresh_token = request.refresh_token.ok_or(Denied::Missing("refresh_token"))?;
        let owner = self.owner(refresh_token).filter(|account| account.mailbox.provider == provider);
        let account = owner.ok_or(Denied::InvalidGrant)?;
        check_client(&account, client_id, request)?;
        check_scope(provider, request.scope)?;
        account.tokens.add(1);
        self.state(|state| Ok(state.issue(&account, refresh_token, rotation, now + lifetime)))
            .map(|(access_token, refresh_token)| Granted { access_token, refresh_token, lifetime })
    }

    fn state<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn issue(
        &mut self,
        account: &Arc<Account>,
        used: &str,
        rotation: Rotation,
        expires: Instant,
    ) -> (String, Option<String>) {
        if self.access.len() >= self.sweep_at {
            let now = Instant::now();
            self.access.retain(|_, issued| issued.expires > now);
            self.sweep_at = SWEEP.max(self.access.len() * 2);
        }
        let access_token = match account.mailbox.provider {
            Provider::Gmail => format!("ya29.{}", self.random.text(217)),
            // As long as the real ones, which do not fit an AUTH line of 2,048 octets once they are encoded.
            Provider::Outlook => {
                format!("eyJ0eXAiOiJKV1QifQ.{}.{}", self.random.text(1_440), self.random.text(342))
            }
        };
        self.access.insert(access_token.clone(), Issued { account: Arc::clone(account), expires });
        if rotation == Rotation::Off {
            return (access_token, None);
        }
        let next = format!("1.{}", self.random.text(400));
        self.refresh.insert(next.clone(), Arc::clone(account));
        if rotation == Rotation::OldDie {
            self.refresh.remove(used);
        }
        (access_token, Some(next))
    }
}

fn check_client(account: &Account, client_id: &str, request: Request<'_>) -> Result<(), Denied> {
    let mailbox = &account.mailbox;
    let is_common = |directory: &str| matches!(directory, "common" | "organizations" | "consumers");
    let asked = request.directory.filter(|asked| !is_common(asked));
    if asked.zip(mailbox.directory.as_deref()).is_some_and(|(asked, own)| !asked.eq_ignore_ascii_case(own)) {
        return Err(Denied::UnknownDirectory);
    }
    if client_id != mailbox.client_id {
        return Err(Denied::UnknownClient);
    }
    if request.client_secret != mailbox.client_secret.as_deref() {
        return Err(Denied::WrongSecret);
    }
    Ok(())
}

/// A scope is only given to narrow what was consented to; it has to be one that SMTP takes.
fn check_scope(provider: Provider, scope: Option<&str>) -> Result<(), Denied> {
    let is_known = |scope: &str| match provider {
        Provider::Gmail => scope == "https://mail.google.com/",
        Provider::Outlook => matches!(
            scope,
            "offline_access"
                | "https://outlook.office.com/SMTP.Send"
                | "https://outlook.office365.com/SMTP.Send"
                | "https://outlook.office365.com/.default"
        ),
    };
    match scope {
        Some(scope) if !scope.split(' ').filter(|scope| !scope.is_empty()).all(is_known) => Err(Denied::InvalidScope),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
