//! Refresh tokens and access tokens: who may redeem what, and what an access token opens.
//!
//! The rules of the grant and nothing of HTTP. A token opens the one mailbox that it was issued for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::account::Account;
use crate::assertion::encoded;
use crate::options::Rotation;
use crate::provider::{Provider, Service};
use crate::random::Random;

/// Access tokens that are kept before the expired ones are looked for.
const SWEEP: usize = 4_096;

/// Whom Microsoft's tokens are for.
const fn audience(service: Service) -> &'static str {
    match service {
        Service::Smtp => "https://outlook.office.com",
        Service::Api => "https://graph.microsoft.com",
    }
}

/// What an application asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Request<'a> {
    pub(crate) directory: Option<&'a str>,
    pub(crate) grant_type: Option<&'a str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client_secret: Option<&'a str>,
    pub(crate) client_assertion: Option<&'a str>,
    pub(crate) assertion: Option<&'a str>,
    pub(crate) device_code: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) code_verifier: Option<&'a str>,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) refresh_token: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
}

/// What it is given.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) lifetime: Duration,
    pub(crate) service: Service,
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
    /// The secret's time is over.
    ExpiredSecret,
    /// An application that acts for itself has to say in which directory.
    NoDirectory,
    /// And asks for all that it was given.
    ScopeNotDefault,
    /// The assertion is no token.
    Malformed,
    /// The assertion names a key that nobody has uploaded.
    UnknownKey,
    /// The assertion's signature does not hold.
    BadSignature,
    /// The certificate's time is over.
    ExpiredKey,
    /// The assertion is for another endpoint.
    WrongAudience,
    /// The assertion's time is not now.
    Untimely,
    /// The assertion is of somebody else.
    WrongIssuer,
    /// The assertion was used before.
    Replayed,
    /// The other issuer's token is not one that the application trusts.
    NoFederation,
    UnknownServiceAccount,
    /// No administrator has let the service account act for users.
    NotDelegated,
    /// The service account wants to act for nobody who is here.
    UnknownSubject,
    /// The application has a secret, and devices cannot keep one.
    NotPublic,
    /// The device's user has not decided yet.
    Pending,
    SlowDown,
    DeviceExpired,
    Declined,
}

/// What an access token opens.
#[derive(Debug, Clone)]
pub(crate) enum Opened {
    Mailbox(Arc<Account>),
    /// Whatever this application may open.
    Application(String),
}

impl Opened {
    fn is(&self, account: &Arc<Account>) -> bool {
        matches!(self, Self::Mailbox(own) if Arc::ptr_eq(own, account))
    }
}

#[derive(Debug)]
struct Issued {
    opens: Opened,
    service: Service,
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
            state.access.retain(|_, issued| !issued.opens.is(account));
        });
    }

    /// The account's access tokens are dead; its refresh tokens bring new ones.
    pub(crate) fn expire(&self, account: &Arc<Account>) {
        self.state(|state| state.access.retain(|_, issued| !issued.opens.is(account)));
    }

    /// The account that this refresh token is for.
    pub(crate) fn owner(&self, refresh_token: &str) -> Option<Arc<Account>> {
        self.state(|state| state.refresh.get(refresh_token).cloned())
    }

    /// What this access token opens.
    pub(crate) fn opened_by(&self, token: &str, now: Instant) -> Option<Opened> {
        self.state(|state| {
            let issued = state.access.get(token)?;
            (issued.expires > now).then(|| issued.opens.clone())
        })
    }

    /// What this access token is for.
    pub(crate) fn service(&self, token: &str) -> Option<Service> {
        self.state(|state| state.access.get(token).map(|issued| issued.service))
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
        let refresh_token = request.refresh_token.ok_or(Denied::Missing("refresh_token"))?;
        let owner = self.owner(refresh_token).filter(|account| account.mailbox.provider == provider);
        let account = owner.ok_or(Denied::InvalidGrant)?;
        check_client(&account, request)?;
        let service = check_scope(provider, request.scope)?;
        account.tokens.add(1);
        Ok(self.state(|state| {
            let opens = Opened::Mailbox(Arc::clone(&account));
            let access_token = state.access_token((provider, service), opens, &[], now + lifetime);
            let next = (rotation != Rotation::Off).then(|| state.refresh_token(&account));
            if rotation == Rotation::OldDie {
                state.refresh.remove(refresh_token);
            }
            Granted { access_token, refresh_token: next, lifetime, service }
        }))
    }

    /// An access token alone.
    pub(crate) fn issue(
        &self,
        (provider, service): (Provider, Service),
        opens: Opened,
        roles: &[&str],
        lifetime: Duration,
        now: Instant,
    ) -> Granted {
        let access_token = self.state(|state| state.access_token((provider, service), opens, roles, now + lifetime));
        Granted { access_token, refresh_token: None, lifetime, service }
    }

    /// An access token and a refresh token: the owner has just consented.
    pub(crate) fn consented(
        &self,
        account: &Arc<Account>,
        service: Service,
        lifetime: Duration,
        now: Instant,
    ) -> Granted {
        account.tokens.add(1);
        self.state(|state| {
            let opens = Opened::Mailbox(Arc::clone(account));
            let access_token = state.access_token((account.mailbox.provider, service), opens, &[], now + lifetime);
            let refresh_token = Some(state.refresh_token(account));
            Granted { access_token, refresh_token, lifetime, service }
        })
    }

    /// A number that was not there before.
    pub(crate) fn number(&self) -> usize {
        self.state(|state| usize::try_from(state.random.number() >> 33).unwrap_or_default())
    }

    fn state<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn access_token(
        &mut self,
        (provider, service): (Provider, Service),
        opens: Opened,
        roles: &[&str],
        expires: Instant,
    ) -> String {
        if self.access.len() >= self.sweep_at {
            let now = Instant::now();
            self.access.retain(|_, issued| issued.expires > now);
            self.sweep_at = SWEEP.max(self.access.len() * 2);
        }
        let token = match provider {
            Provider::Gmail => format!("ya29.{}", self.random.text(217)),
            Provider::Outlook => {
                // As long as the real ones, which do not fit an AUTH line of 2,048 octets once they are encoded.
                let audience = audience(service);
                let scope = provider.scope_of(service).rsplit('/').next();
                let claims = match &opens {
                    Opened::Mailbox(_) => json!({ "aud": audience, "scp": scope, "rnd": self.random.text(980) }),
                    Opened::Application(id) => {
                        json!({ "aud": audience, "appid": id, "roles": roles, "rnd": self.random.text(980) })
                    }
                };
                let claims = encoded(claims.to_string().as_bytes());
                format!("eyJ0eXAiOiJKV1QifQ.{claims}.{}", self.random.text(342))
            }
        };
        self.access.insert(token.clone(), Issued { opens, service, expires });
        token
    }

    fn refresh_token(&mut self, account: &Arc<Account>) -> String {
        let token = format!("1.{}", self.random.text(400));
        self.refresh.insert(token.clone(), Arc::clone(account));
        token
    }
}

/// Whether the application is the one that the mailbox' owner consented to.
pub(crate) fn check_client(account: &Account, request: Request<'_>) -> Result<(), Denied> {
    let client_id = request.client_id.ok_or(Denied::Missing("client_id"))?;
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

/// What a token of this scope is for. A scope is only given to narrow what was consented to; a token is for one service,
/// and for SMTP where nothing is said.
pub(crate) fn check_scope(provider: Provider, scope: Option<&str>) -> Result<Service, Denied> {
    let of = |scope: &str| match (provider, scope) {
        (Provider::Gmail, "https://mail.google.com/") => Some(Service::Smtp),
        (Provider::Gmail, "https://www.googleapis.com/auth/gmail.send") => Some(Service::Api),
        (
            Provider::Outlook,
            "https://outlook.office.com/SMTP.Send"
            | "https://outlook.office365.com/SMTP.Send"
            | "https://outlook.office365.com/.default",
        ) => Some(Service::Smtp),
        (Provider::Outlook, "https://graph.microsoft.com/Mail.Send" | "https://graph.microsoft.com/.default") => {
            Some(Service::Api)
        }
        _ => None,
    };
    let mut service = None;
    for scope in scope.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty() && *scope != "offline_access") {
        let this = of(scope).ok_or(Denied::InvalidScope)?;
        if service.replace(this).is_some_and(|before| before != this) {
            return Err(Denied::InvalidScope);
        }
    }
    Ok(service.unwrap_or(Service::Smtp))
}

#[cfg(test)]
mod tests;
