//! Who may log in: the credentials, and the limits that stand before them.

use std::sync::Arc;

use posthouse_smtp::reply::Reply;
use posthouse_smtp::sasl::Credentials;
use tokio::time::Instant;

use crate::account::{Account, Attendance};
use crate::provider::{Provider, Refusal, Service};
use crate::tokens::Opened;
use crate::world::World;

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) attendance: Attendance,
    pub(super) mailbox: Arc<str>,
}

impl Login {
    pub(super) const fn account(&self) -> &Arc<Account> {
        self.attendance.account()
    }
}

/// The user that the credentials are for.
pub(super) fn user(credentials: &Credentials) -> &str {
    match credentials {
        Credentials::Password { login, .. } => login,
        Credentials::Bearer { user, .. } => user,
    }
}

/// Lets a client in, or says why not.
pub(super) fn admit(world: &World, provider: Provider, credentials: &Credentials) -> Result<Login, Reply> {
    let account = world.accounts.find(provider, user(credentials));
    let outcome = match &account {
        Some(account) => enter(world, provider, account, credentials),
        None => Err(Refusal::BadCredentials),
    };
    let refused = outcome.is_err();
    let counts = world.ledger.counts(provider);
    if refused { &counts.refused_logins } else { &counts.logins }.add(1);
    if let Some(account) = &account {
        if refused { &account.refused_logins } else { &account.logins }.add(1);
    }
    outcome.map_err(|refusal| provider.refusal(refusal))
}

fn enter(
    world: &World,
    provider: Provider,
    account: &Arc<Account>,
    credentials: &Credentials,
) -> Result<Login, Refusal> {
    let now = Instant::now();
    if !account.admits_login(now) {
        account.violated.logins.add(1);
        return Err(Refusal::LoginRate);
    }
    if account.is_disabled() {
        return Err(Refusal::Disabled);
    }
    if !opens(world, account, credentials, now) {
        return Err(Refusal::BadCredentials);
    }
    let attendance = Attendance::begin(account);
    let is_over = account.limits.connections.is_some_and(|limit| attendance.rank > limit);
    // Outlook lets it in and refuses its messages.
    if is_over && provider == Provider::Gmail {
        account.violated.connections.add(1);
        return Err(Refusal::Concurrency);
    }
    Ok(Login { attendance, mailbox: Arc::from(account.mailbox.address.as_str()) })
}

fn opens(world: &World, account: &Arc<Account>, credentials: &Credentials, now: Instant) -> bool {
    match credentials {
        Credentials::Password { password, .. } => {
            account.mailbox.password.as_ref().is_some_and(|own| own.as_bytes() == password.expose())
        }
        Credentials::Bearer { token, .. } => std::str::from_utf8(token.expose())
            .ok()
            .filter(|token| world.tokens.service(token) == Some(Service::Smtp))
            .and_then(|token| world.tokens.opened_by(token, now))
            .is_some_and(|opened| match opened {
                Opened::Mailbox(own) => Arc::ptr_eq(&own, account),
                Opened::Application(client_id) => world.applications.may_open(&client_id, &account.mailbox.address),
            }),
    }
}
