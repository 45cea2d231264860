//! `[[accounts]]`: the mailboxes that a tenant's mail leaves through.

mod grant;

use std::collections::BTreeMap;
use std::net::IpAddr;

use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::secret::Secret;
use posthouse_smtp::path::Mailbox;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;

use crate::config::directory::Directory;
use crate::config::nearest::{listed, nearest};
use crate::config::provider::Provider;
use crate::config::provider::built_in::BuiltIn;
use crate::config::section::Section;
use crate::config::value::Entry;

/// Directories that are nobody's own.
const SHARED_DIRECTORIES: [&str; 3] = ["organizations", "consumers", "common"];

/// A mailbox at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Unique in the tenant.
    pub id: String,
    /// The mailbox's address.
    pub address: Mailbox,
    /// Who logs in: the address unless something else was said.
    pub user: String,
    /// The provider, with all that was overridden for it and for this account.
    pub provider: Provider,
    /// What it logs in with.
    pub grant: Grant,
    /// When the application's secret ends, in seconds since 1970, where the operator has said it.
    pub client_secret_ends: Option<u64>,
    /// The Microsoft directory that it is in, as the grant names it.
    pub in_directory: Option<String>,
    /// The same directory, where that has a limit.
    pub directory: Option<Directory>,
    /// The local address to connect from; none leaves it to the system.
    pub source_address: Option<IpAddr>,
}

/// What an account logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Access tokens, which are asked for at an endpoint (`refresh_token`, `client_credentials`, `service_account`).
    Token {
        /// Where.
        endpoint: Endpoint,
        /// With what.
        grant: posthouse_oauth::grant::Grant,
        /// How the token is presented.
        mechanism: Mechanism,
    },
    /// A password (`kind = "password"`).
    Password {
        /// The password.
        password: Secret,
        /// How it is presented.
        mechanism: Mechanism,
    },
    /// Nothing: the server asks for no login (`kind = "none"`).
    None,
}

impl Account {
    /// The Microsoft directory that it is in, in lower case, where the configuration names it.
    pub(crate) fn own_directory(&self) -> Option<String> {
        let named = self.in_directory.as_ref().filter(|_| self.provider.kind == ProviderKind::Outlook)?;
        Some(named.to_lowercase()).filter(|name| !SHARED_DIRECTORIES.contains(&name.as_str()))
    }

    /// Whether its refresh token is in the store only, where `posthouse account login` puts it.
    pub(crate) fn lacks_refresh_token(&self) -> bool {
        use posthouse_oauth::grant::Grant as Asked;
        matches!(&self.grant, Grant::Token { grant: Asked::RefreshToken { refresh_token: None, .. }, .. })
    }
}

/// An account and all that its section says; none where something in it is a fault.
pub(super) fn read(section: Section<'_>, providers: &BTreeMap<String, Provider>) -> Option<Account> {
    let id = section.required("id", "the account's name", |entry| entry.name().map(str::to_owned));
    let address = section.required("address", "the mailbox's address", |entry| {
        entry.parsed::<Mailbox>("an address as `user@example.com`")
    });
    let user = section.optional("user", |entry| entry.text().map(str::to_owned));
    let provider =
        section.required("provider", "a provider, such as `gmail` or `outlook`", |entry| known(entry, providers));
    let source_address = section.optional("source_address", |entry| entry.parsed::<IpAddr>("an IP address"));
    let provider = with_overrides(&section, provider);
    let grant = section.required("grant", "what the account logs in with", Entry::section);
    let user = user.or_else(|| address.as_ref().map(ToString::to_string));
    let grant = grant.and_then(|grant| grant::read(grant, provider.as_ref(), user.as_deref()));
    section.finish_with(|key| {
        let is_hourly = key == "messages_per_hour";
        is_hourly.then_some("limits are kept by the minute and by the day: write messages_per_minute, a 60th of it")
    });
    let (address, user) = (address?, user?);
    let grant::Given { grant, client_secret_ends, directory: in_directory } = grant?;
    let (id, provider, directory) = (id?, provider?, None);
    Some(Account { id, user, address, provider, grant, client_secret_ends, in_directory, directory, source_address })
}

/// The provider as this account has it. Without a known provider the keys are read all the
/// same, so that their faults are told; what they amount to nobody can judge.
fn with_overrides(section: &Section<'_>, provider: Option<Provider>) -> Option<Provider> {
    let Some(provider) = provider else {
        let _ = BuiltIn::Generic.provider().overridden(section);
        return None;
    };
    let own = provider.clone().overridden(section);
    own.check(&provider, section);
    if own.host.is_empty() {
        section.missing("host", "where mail is handed over; the provider names no host");
    }
    Some(own)
}

fn known(entry: &Entry<'_>, providers: &BTreeMap<String, Provider>) -> Option<Provider> {
    let name = entry.text()?;
    if let Some(provider) = providers.get(name) {
        return Some(provider.clone());
    }
    let names = || providers.keys().map(String::as_str);
    let suggestion = match nearest(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "known are {}; others need a [providers.NAME] in the main file",
            listed(names()).replace(" or ", " and ")
        ),
    };
    entry.fault("unknown provider").suggest(suggestion).error();
    None
}
