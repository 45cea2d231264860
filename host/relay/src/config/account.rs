//! `[[accounts]]`: the mailboxes that a tenant's mail leaves through.

mod grant;

use std::collections::BTreeMap;
use std::net::IpAddr;

use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::secret::Secret;
use posthouse_smtp::path::Mailbox;
use posthouse_smtp::sasl::Mechanism;

use crate::config::nearest::{listed, nearest};
use crate::config::profile::Profile;
use crate::config::section::Section;
use crate::config::value::Entry;

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
    pub profile: Profile,
    /// What it logs in with.
    pub grant: Grant,
    /// The local address to connect from; none leaves it to the system.
    pub source_address: Option<IpAddr>,
}

/// What an account logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Access tokens, which are asked for at an endpoint (`kind = "refresh_token"`).
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

/// An account and all that its section says; none where something in it is a fault.
pub(super) fn read(section: Section<'_>, profiles: &BTreeMap<String, Profile>) -> Option<Account> {
    let id = section.required("id", "the account's name", |entry| entry.name().map(str::to_owned));
    let address = section.required("address", "the mailbox's address", |entry| {
        entry.parsed::<Mailbox>("an address as `user@example.com`")
    });
    let user = section.optional("user", |entry| entry.text().map(str::to_owned));
    let provider = section.required("provider", "a provider, such as `gmail` or `outlook`", |entry| known(entry, profiles));
    let source_address = section.optional("source_address", |entry| entry.parsed::<IpAddr>("an IP address"));
    let profile = match &provider {
        Some(profile) => Some(profile.clone().overridden(&section)),
        None => {
            // Nothing is told of the values that nobody can judge without the provider.
            section.leave(&Profile::KEYS);
            None
        }
    };
    let needs_host = profile.as_ref().is_some_and(|profile| profile.host.is_empty());
    if needs_host {
        section.missing("host", "where mail is handed over; the provider names no host");
    }
    let grant = section.required("grant", "what the account logs in with", Entry::section);
    let grant = grant.and_then(|grant| grant::read(grant, profile.as_ref()));
    section.finish();
    let address = address?;
    let user = user.unwrap_or_else(|| address.to_string());
    Some(Account { id: id?, user, address, profile: profile?, grant: grant?, source_address })
}

fn known(entry: &Entry<'_>, profiles: &BTreeMap<String, Profile>) -> Option<Profile> {
    let name = entry.text()?;
    if let Some(profile) = profiles.get(name) {
        return Some(profile.clone());
    }
    let names = || profiles.keys().map(String::as_str);
    let suggestion = match nearest(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}; others need a [providers.NAME] in the main file", listed(names()).replace(" or ", " and ")),
    };
    entry.fault("unknown provider").suggest(suggestion).error();
    None
}
