//! `[accounts.grant]`: what an account logs in with, and whether its provider takes that.

mod application;
mod service_account;

use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::grant::Grant as Asked;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::transport::Transport;

use super::Grant;
use crate::config::provider::{DIRECTORY, DIRECTORY_PLACE, Provider};
use crate::config::section::Section;
use crate::config::value::Entry;

#[derive(Debug, Clone, Copy)]
enum Kind {
    RefreshToken,
    ClientCredentials,
    ServiceAccount,
    Password,
    None,
}

const KINDS: [(&str, Kind); 5] = [
    ("refresh_token", Kind::RefreshToken),
    ("client_credentials", Kind::ClientCredentials),
    ("service_account", Kind::ServiceAccount),
    ("password", Kind::Password),
    ("none", Kind::None),
];
const MEANING: &str = "`refresh_token`, `client_credentials`, `service_account`, `password` or `none`";

/// A grant, and what its section says besides.
pub(super) struct Given {
    pub(super) grant: Grant,
    /// In seconds since 1970.
    pub(super) client_secret_ends: Option<u64>,
    /// Microsoft's directory, as it is written.
    pub(super) directory: Option<String>,
}

/// The grant; none where something in it is a fault. Without a provider only the keys are looked at.
pub(super) fn read(section: Section<'_>, provider: Option<&Provider>, user: Option<&str>) -> Option<Given> {
    let kind = section.required("kind", MEANING, |entry| entry.word(&KINDS));
    let grant = match kind {
        Some(Kind::RefreshToken) => refresh_token(&section, provider),
        Some(Kind::ClientCredentials) => application::read(&section, provider),
        Some(Kind::ServiceAccount) => service_account::read(&section, provider, user),
        Some(Kind::Password) => password(&section, provider),
        Some(Kind::None) => nothing(&section, provider),
        None => return None, // which keys belong here is not known either
    };
    let has_application = matches!(kind, Some(Kind::RefreshToken | Kind::ClientCredentials));
    let client_secret_ends = has_application.then(|| secret_ends(&section)).flatten();
    let directory = section.entry("directory").filter(|_| has_application);
    let directory = directory.and_then(|entry| entry.text().map(str::to_owned));
    section.finish();
    Some(Given { grant: grant?, client_secret_ends, directory })
}

/// The day on which the application's secret ends: neither Microsoft nor Google tells it to who holds one.
fn secret_ends(section: &Section<'_>) -> Option<u64> {
    let ends = section.optional("client_secret_expires", Entry::day)?;
    if section.entry("client_secret").is_none() {
        let reason = "there is no `client_secret` here whose end this could be";
        section.mark_of("client_secret_expires").fault(reason).warning();
    }
    Some(ends)
}

fn refresh_token(section: &Section<'_>, provider: Option<&Provider>) -> Option<Grant> {
    let client_id = client_id(section);
    let client_secret = section.entry("client_secret").map(|entry| entry.secret());
    let refresh_token = section.entry("refresh_token").map(|entry| entry.secret());
    let directory = section.optional("directory", |entry| directory(entry, provider));
    let provider = provider?;
    let token_url = token_url(section, provider, directory.as_deref())?;
    let grant = Asked::RefreshToken {
        client_id: client_id?,
        client_secret: match client_secret {
            Some(secret) => Some(secret?),
            None => None,
        },
        // Without one it is in the store, where `posthouse account login` puts it.
        refresh_token: match refresh_token {
            Some(token) => Some(token?),
            None => None,
        },
    };
    Some(token(section, provider, Endpoint { token_url, scope: provider.scope.clone() }, grant))
}

fn password(section: &Section<'_>, provider: Option<&Provider>) -> Option<Grant> {
    let password = section.required("password", "the mailbox's password", Entry::secret);
    let provider = provider?;
    needs_smtp(section, provider, "a password");
    let mechanism = provider.password_mechanism();
    if !matches!(mechanism, Mechanism::Plain | Mechanism::Login) {
        mismatch(section, "a password", "`plain` or `login`");
    }
    Some(Grant::Password { password: password?, mechanism })
}

fn nothing(section: &Section<'_>, provider: Option<&Provider>) -> Option<Grant> {
    let provider = provider?;
    needs_smtp(section, provider, "no login");
    match (provider.kind, provider.mechanism) {
        (ProviderKind::Generic, None) => {}
        (ProviderKind::Generic, Some(_)) => mismatch(section, "no login", "no `mechanism`"),
        (ProviderKind::Gmail | ProviderKind::Outlook, _) => {
            let reason = format!("`{}` takes no mail without a login", provider.name);
            section.mark_of("kind").fault(reason).error();
        }
    }
    Some(Grant::None)
}

/// The grant of an account that logs in with access tokens.
fn token(section: &Section<'_>, provider: &Provider, endpoint: Endpoint, grant: Asked) -> Grant {
    let mechanism = provider.token_mechanism();
    if !matches!(mechanism, Mechanism::XOAuth2 | Mechanism::OAuthBearer) {
        mismatch(section, "an access token", "`xoauth2` or `oauthbearer`");
    }
    Grant::Token { endpoint, grant, mechanism }
}

fn token_url(section: &Section<'_>, provider: &Provider, directory: Option<&str>) -> Option<String> {
    let Some(token_url) = &provider.token_url else {
        let reason = "the provider has no token_url, so that no access token can be asked for";
        section.mark_of("kind").fault(reason).suggest("give the provider (or the account) a `token_url`").error();
        return None;
    };
    Some(token_url.replace(DIRECTORY_PLACE, directory.unwrap_or(DIRECTORY)))
}

fn client_id(section: &Section<'_>) -> Option<String> {
    section.required("client_id", "the application's id at the provider", visible)
}

/// The providers' interfaces over HTTP know nothing but access tokens.
fn needs_smtp(section: &Section<'_>, provider: &Provider, what: &str) {
    if provider.transport != Transport::Smtp {
        let reason = format!("{what} does not go with `transport = \"{}\"`", provider.transport.word());
        section.mark_of("kind").fault(reason).suggest("it takes access tokens only").error();
    }
}

fn mismatch(section: &Section<'_>, what: &str, needed: &str) {
    let reason = format!("{what} does not fit the `mechanism` that the provider or the account sets");
    section.mark_of("kind").fault(reason).suggest(format!("it goes with {needed}")).error();
}

/// What a form field or a log line can carry unharmed.
fn visible(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    if text.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    entry.fault("expected visible ASCII characters only").error();
    None
}

/// A directory becomes a part of a URL's path.
fn directory(entry: &Entry<'_>, provider: Option<&Provider>) -> Option<String> {
    let directory = entry.text()?;
    if !directory.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet)) {
        entry.fault("expected a directory's id or domain, `organizations`, `consumers` or `common`").error();
    } else if provider
        .is_some_and(|provider| !provider.token_url.as_deref().unwrap_or_default().contains(DIRECTORY_PLACE))
    {
        entry.fault(format!("the provider's token_url has no place for a directory ({DIRECTORY_PLACE})")).error();
    }
    Some(directory.to_owned())
}
