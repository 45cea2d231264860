//! Applications that act for themselves at Microsoft (client credentials), and service accounts at Google.
//!
//! Who they are is proved here, by secret or signature; what they may open is asked at each login.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::assertion::{Assertion, Claims, Timeliness};
use crate::keys::{ClientCertificate, PublicKey};
use crate::provider::Service;
use crate::tokens::{Denied, Request};

/// What Microsoft wants as the audience of another issuer's token.
pub(crate) const FEDERATION_AUDIENCE: &str = "api://AzureADTokenExchange";
/// The issuer that applications can trust besides.
pub(crate) const ISSUER: &str = "https://issuer.test";

/// An application with permissions of its own (`SMTP.SendAsApp`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    client_id: String,
    directory: Option<String>,
    secrets: Vec<(String, Expiry)>,
    certificates: Vec<(PublicKey, SystemTime)>,
    federated_subject: Option<String>,
    consented: bool,
    mailboxes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Good,
    Expired,
}

impl Application {
    /// An application with the permission to send, and as yet without a proof and without a mailbox.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            directory: None,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_subject: None,
            consented: true,
            mailboxes: Vec::new(),
        }
    }

    /// In this Entra directory; else in any.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<String>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// With this secret.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push((secret.into(), Expiry::Good));
        self
    }

    /// With this secret, whose time is over.
    #[must_use]
    pub fn expired_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push((secret.into(), Expiry::Expired));
        self
    }

    /// With this certificate uploaded.
    #[must_use]
    pub fn certificate(mut self, certificate: &ClientCertificate) -> Self {
        self.certificates.push((certificate.public.clone(), certificate.ends));
        self
    }

    /// Trusting tokens that the simulator's other issuer makes for this subject.
    #[must_use]
    pub fn federated_subject(mut self, subject: impl Into<String>) -> Self {
        self.federated_subject = Some(subject.into());
        self
    }

    /// Without an administrator's consent: it gets tokens, which open nothing.
    #[must_use]
    pub fn without_consent(mut self) -> Self {
        self.consented = false;
        self
    }

    /// With access to this mailbox (`Add-MailboxPermission`).
    #[must_use]
    pub fn mailbox(mut self, address: impl Into<String>) -> Self {
        self.mailboxes.push(address.into());
        self
    }
}

/// Whether a service account may act for the users of its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// An administrator has allowed it (domain-wide delegation).
    Granted,
    /// Nobody has.
    Missing,
}

#[derive(Debug)]
struct ServiceAccount {
    keys: Vec<PublicKey>,
    delegation: Delegation,
}

#[derive(Debug, Default)]
struct State {
    applications: HashMap<String, Application>,
    service_accounts: HashMap<String, ServiceAccount>,
    /// Assertions that were used, and when they may be forgotten.
    used: HashMap<String, SystemTime>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Applications(Mutex<State>);

impl Applications {
    pub(crate) fn register(&self, application: Application) {
        self.state().applications.insert(application.client_id.clone(), application);
    }

    /// A further key of a service account.
    pub(crate) fn add_key(&self, email: &str, delegation: Delegation, key: PublicKey) {
        let mut state = self.state();
        let new = || ServiceAccount { keys: Vec::new(), delegation };
        let account = state.service_accounts.entry(email.to_owned()).or_insert_with(new);
        account.delegation = delegation;
        account.keys.push(key);
    }

    /// Whether the application's token opens this mailbox.
    pub(crate) fn may_open(&self, client_id: &str, address: &str) -> bool {
        let state = self.state();
        state.applications.get(client_id).is_some_and(|application| {
            application.consented && application.mailboxes.iter().any(|own| own.eq_ignore_ascii_case(address))
        })
    }

    /// The permissions that stand in the application's tokens.
    pub(crate) fn roles(&self, client_id: &str, service: Service) -> Vec<&'static str> {
        let consented = self.state().applications.get(client_id).is_some_and(|application| application.consented);
        match service {
            _ if !consented => Vec::new(),
            Service::Smtp => vec!["SMTP.SendAsApp"],
            Service::Api => vec!["Mail.Send"],
        }
    }

    /// The application that asks for itself, if it proves that it is the one.
    pub(crate) fn client(
        &self,
        request: Request<'_>,
        place: &str,
        issuer: &PublicKey,
        now: SystemTime,
    ) -> Result<String, Denied> {
        let client_id = request.client_id.ok_or(Denied::Missing("client_id"))?;
        let directory = request.directory.unwrap_or_default();
        if matches!(directory, "common" | "organizations" | "consumers") {
            return Err(Denied::NoDirectory);
        }
        let mut state = self.state();
        let known = state.applications.get(client_id).filter(|application| {
            application.directory.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(directory))
        });
        let application = known.ok_or(Denied::UnknownClient)?;
        if !request.scope.ok_or(Denied::Missing("scope"))?.ends_with("/.default") {
            return Err(Denied::ScopeNotDefault);
        }
        let once = match (request.client_secret, request.client_assertion) {
            (Some(secret), _) => return check_secret(application, secret).map(|()| client_id.to_owned()),
            (None, Some(token)) => {
                let assertion = Assertion::parse(token).ok_or(Denied::Malformed)?;
                if assertion.header("kid") == issuer.name {
                    check_federated(application, &assertion, issuer, now)?;
                    None
                } else {
                    Some(check_assertion(application, &assertion, place, now)?)
                }
            }
            (None, None) => return Err(Denied::Missing("client_secret")),
        };
        if let Some((name, until)) = once {
            state.use_up(format!("{client_id} {name}"), until, now)?;
        }
        Ok(client_id.to_owned())
    }

    /// The mailbox that a service account asks for, and the scope.
    pub(crate) fn delegated(&self, token: &str, place: &str, now: SystemTime) -> Result<(String, String), Denied> {
        let assertion = Assertion::parse(token).ok_or(Denied::Malformed)?;
        let state = self.state();
        let account = state.service_accounts.get(assertion.issuer()).ok_or(Denied::UnknownServiceAccount)?;
        let key = account.keys.iter().find(|key| key.name == assertion.header("kid")).ok_or(Denied::BadSignature)?;
        let claims = assertion.claims(&key.octets, &["RS256"]).ok_or(Denied::BadSignature)?;
        if claims.text("aud") != place {
            return Err(Denied::WrongAudience);
        }
        if claims.timeliness("iat", now) == Timeliness::Untimely {
            return Err(Denied::Untimely);
        }
        let scope = claims.text("scope").to_owned();
        if scope.is_empty() {
            return Err(Denied::InvalidScope);
        }
        match account.delegation {
            Delegation::Granted => Ok((claims.text("sub").to_owned(), scope)),
            Delegation::Missing => Err(Denied::NotDelegated),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn use_up(&mut self, name: String, until: SystemTime, now: SystemTime) -> Result<(), Denied> {
        self.used.retain(|_, until| *until > now);
        match self.used.insert(name, until) {
            None => Ok(()),
            Some(_) => Err(Denied::Replayed),
        }
    }
}

fn check_secret(application: &Application, secret: &str) -> Result<(), Denied> {
    match application.secrets.iter().find(|(own, _)| own == secret) {
        Some((_, Expiry::Good)) => Ok(()),
        Some((_, Expiry::Expired)) => Err(Denied::ExpiredSecret),
        None => Err(Denied::WrongSecret),
    }
}

/// The assertion's own name, so that it is used once, and its end.
fn check_assertion(
    application: &Application,
    assertion: &Assertion<'_>,
    place: &str,
    now: SystemTime,
) -> Result<(String, SystemTime), Denied> {
    let thumbprint = assertion.header("x5t#S256");
    let known = application.certificates.iter().find(|(key, _)| key.name == thumbprint);
    let (key, ends) = known.ok_or(Denied::UnknownKey)?;
    let claims = assertion.claims(&key.octets, &["PS256", "RS256"]).ok_or(Denied::BadSignature)?;
    if *ends < now {
        return Err(Denied::ExpiredKey);
    }
    if claims.text("aud") != place {
        return Err(Denied::WrongAudience);
    }
    if claims.timeliness("nbf", now) == Timeliness::Untimely {
        return Err(Denied::Untimely);
    }
    let client_id = application.client_id.as_str();
    if (claims.text("iss"), claims.text("sub")) != (client_id, client_id) || claims.text("jti").is_empty() {
        return Err(Denied::WrongIssuer);
    }
    Ok((claims.text("jti").to_owned(), claims.forgotten_at()))
}

fn check_federated(
    application: &Application,
    assertion: &Assertion<'_>,
    issuer: &PublicKey,
    now: SystemTime,
) -> Result<(), Denied> {
    let claims: Claims<'_> = assertion.claims(&issuer.octets, &["RS256"]).ok_or(Denied::BadSignature)?;
    let is_trusted = claims.text("iss") == ISSUER
        && claims.text("aud") == FEDERATION_AUDIENCE
        && application.federated_subject.as_deref() == Some(claims.text("sub"));
    match claims.timeliness("iat", now) {
        _ if !is_trusted => Err(Denied::NoFederation),
        Timeliness::Untimely => Err(Denied::Untimely),
        Timeliness::Timely => Ok(()),
    }
}
