//! A tenant's file: its logins, accounts and routes, and that they refer to each other.

use std::collections::HashSet;
use std::net::IpAddr;

use posthouse_oauth::grant::Grant as OAuthGrant;
use posthouse_oauth::secret::Secret;
use posthouse_smtp::path::Mailbox;
use posthouse_smtp::sasl::Mechanism;

use super::fault::Faults;
use super::provider::Provider;
use super::reader::{Document, Section};
use super::{password, secret};
use crate::tenant::{Login, Sender};

/// A tenant.
#[derive(Debug)]
pub struct Tenant {
    /// The stem of its file's name.
    pub id: String,
    /// Who may send.
    pub logins: Vec<Login>,
    /// Its mailboxes.
    pub accounts: Vec<Account>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// The route of a message that no other rule places.
    pub default_route: Option<String>,
}

/// A mailbox.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id, unique in its tenant.
    pub id: String,
    /// Its address.
    pub address: Mailbox,
    /// Whom it logs in as.
    pub user: String,
    /// Its provider's profile, with what was said of this account.
    pub provider: Provider,
    /// What it logs in with.
    pub grant: Grant,
    /// The local address that it is connected from.
    pub source_address: Option<IpAddr>,
}

/// What an account logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Tokens, asked for with this.
    OAuth(OAuthGrant),
    /// A password that does not change (smarthosts).
    Password(Secret),
    /// Nothing (smarthosts that know us by address).
    None,
}

/// Accounts in an order.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// The accounts' ids.
    pub accounts: Vec<String>,
}

pub(super) fn read(document: &Document, providers: &[Provider], faults: &mut Faults) -> Option<Tenant> {
    let table = document.parse(faults)?;
    let mut root = Section::root(document, &table);
    let id = document.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let accounts: Vec<Account> =
        root.tables("accounts", faults).into_iter().filter_map(|section| account(section, providers, faults)).collect();
    let ids: HashSet<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    if ids.len() < accounts.len() {
        root.error("accounts", "two accounts have the same id", faults);
    }
    let routes: Vec<Route> =
        root.tables("routes", faults).into_iter().filter_map(|section| route(section, &ids, faults)).collect();
    let default_route = root.text("default_route", faults);
    if let Some(name) = default_route.as_ref().filter(|name| !routes.iter().any(|route| route.name == **name)) {
        root.error("default_route", format!("there is no route `{name}`"), faults);
    }
    let logins: Vec<Login> =
        root.tables("logins", faults).into_iter().filter_map(|section| login(section, &ids, faults)).collect();
    if logins.is_empty() {
        root.error("logins", "a tenant needs at least one login: [[logins]]", faults);
    }
    root.finish(faults);
    Some(Tenant { id, logins, accounts, routes, default_route })
}

fn account(mut section: Section<'_>, providers: &[Provider], faults: &mut Faults) -> Option<Account> {
    let id = section.required("id", faults);
    let address =
        section.parsed("address", "a mailbox such as app@example.com", faults, |text| text.parse::<Mailbox>().ok());
    section.require("address", faults);
    let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    let expected = format!("one of {}", names.join(", "));
    let provider = section
        .parsed("provider", &expected, faults, |name| providers.iter().find(|provider| provider.name == name).cloned());
    section.require("provider", faults);
    let user = section.text("user", faults);
    let source_address = section.parsed("source_address", "an address of this host", faults, |text| text.parse().ok());
    let directory = section.text("directory", faults).unwrap_or_else(|| "organizations".to_owned());
    let mut provider = provider;
    if let Some(provider) = &mut provider {
        provider.override_with(&mut section, faults);
        provider.token_url = provider.token_url.take().map(|url| url.replace("{directory}", &directory));
        if provider.host.is_empty() {
            section.error("host", "missing; a generic provider has none of its own", faults);
        }
    }
    let grant = grant(&mut section, provider.as_ref(), faults);
    section.finish(faults);
    let (address, provider) = (address?, provider?);
    let user = user.unwrap_or_else(|| address.as_str().to_owned());
    Some(Account { id: id?, address, user, provider, grant: grant?, source_address })
}

fn grant(section: &mut Section<'_>, provider: Option<&Provider>, faults: &mut Faults) -> Option<Grant> {
    let Some(mut grant) = section.table("grant", faults) else {
        section.require("grant", faults);
        return None;
    };
    let kind = grant.parsed("kind", "refresh_token, password or none", faults, |text| {
        ["refresh_token", "password", "none"].into_iter().find(|kind| *kind == text)
    });
    grant.require("kind", faults);
    let read = match kind? {
        "refresh_token" => {
            let client_id = grant.required("client_id", faults);
            let client_secret = secret::read(&mut grant, "client_secret", faults);
            let refresh_token = secret::read(&mut grant, "refresh_token", faults);
            grant.require("refresh_token", faults);
            client_id.zip(refresh_token).map(|(client_id, refresh_token)| {
                Grant::OAuth(OAuthGrant::RefreshToken { client_id, client_secret, refresh_token })
            })
        }
        "password" => {
            let password = secret::read(&mut grant, "password", faults);
            grant.require("password", faults);
            password.map(Grant::Password)
        }
        _ => Some(Grant::None),
    };
    if let (Some(read), Some(provider)) = (&read, provider) {
        check_mechanism(read, provider, &grant, faults);
    }
    grant.finish(faults);
    read
}

/// Tokens belong to the mechanisms that carry tokens, passwords to the others.
fn check_mechanism(read: &Grant, provider: &Provider, grant: &Section<'_>, faults: &mut Faults) {
    let carries_tokens = matches!(provider.mechanism, Mechanism::XOAuth2 | Mechanism::OAuthBearer);
    match read {
        Grant::OAuth(_) if !carries_tokens => {
            grant.error("kind", "tokens need mechanism = \"xoauth2\" or \"oauthbearer\"", faults);
        }
        Grant::OAuth(_) if provider.token_url.is_none() => {
            grant.error("kind", "tokens need a token_url; this provider has none of its own", faults);
        }
        Grant::Password(_) if carries_tokens => {
            grant.error("kind", "a password needs mechanism = \"plain\" or \"login\"", faults);
        }
        Grant::OAuth(_) | Grant::Password(_) | Grant::None => {}
    }
}

fn route(mut section: Section<'_>, ids: &HashSet<&str>, faults: &mut Faults) -> Option<Route> {
    let name = section.required("name", faults);
    let accounts = section
        .list("accounts", "ids of accounts of this tenant", faults, |text| ids.contains(text).then(|| text.to_owned()));
    section.require("accounts", faults);
    section.finish(faults);
    Some(Route { name: name?, accounts })
}

fn login(mut section: Section<'_>, ids: &HashSet<&str>, faults: &mut Faults) -> Option<Login> {
    let name = section.required("name", faults);
    let hash = section.text("password", faults);
    if let Some(complaint) = hash.as_deref().and_then(password::complaint) {
        section.error("password", complaint, faults);
    }
    let senders = section.list("senders", "an address such as app@example.com, or @example.com", faults, sender);
    if senders.is_empty() {
        section.error("senders", "missing; name what this login may put into MAIL FROM", faults);
    }
    let account = section.parsed("account", "the id of an account of this tenant", faults, |text| {
        ids.contains(text).then(|| text.to_owned())
    });
    section.finish(faults);
    Some(Login { name: name?, password: hash, senders, account })
}

fn sender(text: &str) -> Option<Sender> {
    match text.strip_prefix('@') {
        Some(domain) => format!("x@{domain}").parse::<Mailbox>().ok().map(|_| Sender::Domain(domain.to_owned())),
        None => text.parse().ok().map(Sender::Address),
    }
}
