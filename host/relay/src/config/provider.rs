//! Providers: hosts, ports, endpoints and limits, as data.
//!
//! Some are built in. `[providers.NAME]` overrides one of them or derives another, and an account
//! overrides once more.

pub mod built_in;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use posthouse_net::connector::{Connector, Trust};
use posthouse_oauth::endpoint::Endpoint;
use posthouse_smtp::client::TlsRule;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::transport::Transport;

use crate::config::defaults;
use crate::config::provider::built_in::BuiltIn;
use crate::config::section::Section;
use crate::config::value::Entry;

/// How a provider is reached, and what it bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Which built-in it goes back to.
    pub built_in: BuiltIn,
    /// How its replies are read.
    pub kind: ProviderKind,
    /// By which protocol it takes mail.
    pub transport: Transport,
    /// Host and port by SMTP, also where another protocol is spoken: what is counted of its mailboxes is counted there.
    pub submission: (String, u16),
    /// Host name or address; never empty in an account.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsRule,
    /// Where access tokens are asked for; `{directory}` stands for the account's directory.
    pub token_url: Option<String>,
    /// Where a browser asks a mailbox's owner for consent.
    pub authorize_url: Option<String>,
    /// Where a device asks for a code that a mailbox's owner types in elsewhere.
    pub device_url: Option<String>,
    /// The scope that is asked for.
    pub scope: Option<String>,
    /// The scope that is asked for by an application that acts for itself.
    pub application_scope: Option<String>,
    /// How logins are presented, where something else than the usual was said.
    pub mechanism: Option<Mechanism>,
    /// Sessions at a time for each account.
    pub sessions: usize,
    /// Messages after which a session is ended.
    pub messages_per_session: u32,
    /// Time after which a session is ended.
    pub session_age: Duration,
    /// Time that a session may lie idle.
    pub idle: Duration,
    /// How long before its access token ends a session is ended.
    pub token_margin: Duration,
    /// Messages in each minute for each account; none is no limit.
    pub messages_per_minute: Option<u32>,
    /// Recipients in one message.
    pub recipients_per_message: usize,
    /// Recipients in any 24 hours for each account; none is no limit.
    pub recipients_per_day: Option<u64>,
    /// Messages in any 24 hours for each account; none is no limit.
    pub messages_per_day: Option<u64>,
    /// How long a refresh token lives that nobody uses; none is for ever.
    pub refresh_token_idle: Option<Duration>,
    /// How long a refresh token lives from the consent on, however often it is used; none is for ever.
    pub refresh_token_age: Option<Duration>,
    /// The name that the certificate has to bear; none is the host.
    pub server_name: Option<String>,
    /// Roots to trust instead of the system's, PEM; all accounts of the provider have the same.
    pub ca_pem: Option<Arc<[u8]>>,
}

/// Microsoft's directory where an account names none: any work or school account.
pub const DIRECTORY: &str = "organizations";
/// What stands in a token URL for the account's directory.
pub const DIRECTORY_PLACE: &str = "{directory}";

const MECHANISMS: [(&str, Mechanism); 4] = [
    ("xoauth2", Mechanism::XOAuth2),
    ("oauthbearer", Mechanism::OAuthBearer),
    ("plain", Mechanism::Plain),
    ("login", Mechanism::Login),
];

impl Provider {
    /// How an access token is presented.
    pub(super) fn token_mechanism(&self) -> Mechanism {
        self.mechanism.unwrap_or(Mechanism::XOAuth2)
    }

    /// How a password is presented: Outlook offers LOGIN only.
    pub(super) fn password_mechanism(&self) -> Mechanism {
        self.mechanism.unwrap_or(match self.kind {
            ProviderKind::Outlook => Mechanism::Login,
            ProviderKind::Gmail | ProviderKind::Generic => Mechanism::Plain,
        })
    }

    /// The provider by another protocol: what goes with the protocol is as nobody has touched it.
    fn by(self, transport: Transport) -> Option<Self> {
        if transport == self.transport {
            return Some(self);
        }
        let usual = self.built_in.by(transport)?;
        Some(Self {
            name: self.name,
            token_url: self.token_url,
            authorize_url: self.authorize_url,
            device_url: self.device_url,
            token_margin: self.token_margin,
            recipients_per_day: self.recipients_per_day,
            messages_per_day: self.messages_per_day,
            ca_pem: self.ca_pem,
            submission: self.submission,
            ..usual
        })
    }

    /// The transport that the section names, where the provider has it.
    fn transport(&self, entry: &Entry<'_>) -> Option<Transport> {
        let transport = entry.word(&Transport::ALL.map(|transport| (transport.word(), transport)))?;
        if self.built_in.by(transport).is_some() {
            return Some(transport);
        }
        let has = Transport::ALL.into_iter().filter(|transport| self.built_in.by(*transport).is_some());
        let has: Vec<String> = has.map(|transport| format!("`{}`", transport.word())).collect();
        let reason = "the provider does not take mail by it";
        entry.fault(reason).suggest(format!("`{}` takes it by {}", self.name, has.join(" and "))).error();
        None
    }

    /// The provider with what this section, a provider's or an account's, says otherwise.
    pub(super) fn overridden(self, section: &Section<'_>) -> Self {
        let transport = section.optional("transport", |entry| self.transport(entry)).unwrap_or(self.transport);
        let own = self.clone().by(transport).unwrap_or(self).with_keys(section);
        let submission = if own.transport == Transport::Smtp { (own.host.clone(), own.port) } else { own.submission };
        Self { submission, ..own }
    }

    fn with_keys(mut self, section: &Section<'_>) -> Self {
        self.host = section.optional("host", host).unwrap_or(self.host);
        self.port = section.or("port", self.port, |entry| entry.number(1..=u16::MAX));
        self.tls = section.or("tls", self.tls, tls);
        self.token_url = section.optional("token_url", token_url).or(self.token_url);
        self.authorize_url = section.optional("authorize_url", token_url).or(self.authorize_url);
        self.device_url = section.optional("device_url", token_url).or(self.device_url);
        self.scope = section.optional("scope", |entry| entry.text().map(str::to_owned)).or(self.scope);
        self.application_scope =
            section.optional("application_scope", |entry| entry.text().map(str::to_owned)).or(self.application_scope);
        self.mechanism = section.optional("mechanism", |entry| entry.word(&MECHANISMS)).or(self.mechanism);
        self.sessions = section.or("sessions", self.sessions, |entry| entry.number(1..=defaults::SESSIONS_MOST));
        self.messages_per_session =
            section.or("messages_per_session", self.messages_per_session, |entry| entry.number(1..=u32::MAX));
        self.session_age = section.or("session_age", self.session_age, Entry::duration);
        self.idle = section.or("idle", self.idle, Entry::duration);
        self.token_margin = section.or("token_margin", self.token_margin, Entry::duration);
        self.messages_per_minute =
            section.optional("messages_per_minute", |entry| entry.number(1..=u32::MAX)).or(self.messages_per_minute);
        self.recipients_per_message = section.or("recipients_per_message", self.recipients_per_message, |entry| {
            entry.number(1..=defaults::RECIPIENTS_MOST)
        });
        self.recipients_per_day = per_day(section, "recipients_per_day", self.recipients_per_day);
        self.messages_per_day = per_day(section, "messages_per_day", self.messages_per_day);
        self.refresh_token_idle = life(section, "refresh_token_idle", self.refresh_token_idle);
        self.refresh_token_age = life(section, "refresh_token_age", self.refresh_token_age);
        self.server_name = section.optional("server_name", host).or(self.server_name);
        self.ca_pem = section.optional("ca_file", roots).map(Arc::from).or(self.ca_pem);
        self
    }

    /// Notes what only the values together show, where the section changed something about it.
    pub(super) fn check(&self, before: &Self, section: &Section<'_>) {
        let may_be_cleartext = self.kind == ProviderKind::Generic && (self.host.is_empty() || is_loopback(&self.host));
        let is_new = (self.tls, &self.host) != (before.tls, &before.host);
        if self.tls == TlsRule::None && is_new && !may_be_cleartext {
            let reason =
                "credentials and mail would go out in the clear; `none` is only for a generic provider on loopback";
            section.mark_of("tls").fault(reason).suggest("write `starttls` or `implicit`").error();
        }
        if self.transport != Transport::Smtp && self.tls != TlsRule::Implicit {
            let reason = format!("`{}` is HTTP under TLS from the first octet", self.transport.word());
            section.mark_of("tls").fault(reason).suggest("write `implicit`, or leave it out").error();
        }
        let is_offered = match self.mechanism {
            Some(Mechanism::Plain | Mechanism::OAuthBearer) => self.kind != ProviderKind::Outlook,
            Some(Mechanism::Login | Mechanism::XOAuth2) | None => true,
        };
        if !is_offered && self.mechanism != before.mechanism {
            section.mark_of("mechanism").fault("Outlook offers `xoauth2` and `login` only").error();
        }
    }
}

/// The providers that accounts may name: the built-in ones and those of `[providers]`.
pub(super) fn read(root: &Section<'_>) -> BTreeMap<String, Provider> {
    let built_in = BuiltIn::ALL.map(|(name, which)| (name.to_owned(), named(name, which)));
    let mut providers = BTreeMap::from(built_in);
    for (name, entry) in root.section("providers").iter().flat_map(Section::named) {
        if let Some(section) = entry.section() {
            providers.insert(name.to_owned(), read_one(name, section));
        }
    }
    providers
}

fn read_one(name: &str, section: Section<'_>) -> Provider {
    let own = BuiltIn::ALL.iter().find(|(known, _)| *known == name).map(|(_, which)| *which);
    let extends = section.optional("extends", |entry| {
        let which = entry.word(&BuiltIn::ALL)?;
        if own.is_some_and(|own| own != which) {
            entry.fault(format!("`{name}` is built in and extends only itself")).suggest("choose another name").error();
        }
        Some(which)
    });
    if own.is_none() && section.entry("extends").is_none() {
        section.missing("extends", "which provider it is like: `gmail`, `outlook` or `generic`");
    }
    let before = named(name, own.or(extends).unwrap_or(BuiltIn::Generic));
    let provider = before.clone().overridden(&section);
    provider.check(&before, &section);
    section.finish();
    provider
}

fn named(name: &str, which: BuiltIn) -> Provider {
    Provider { name: name.to_owned(), ..which.provider() }
}

fn tls(entry: &Entry<'_>) -> Option<TlsRule> {
    entry.word(&[("implicit", TlsRule::Implicit), ("starttls", TlsRule::StartTls), ("none", TlsRule::None)])
}

/// Roots that providers are verified against.
fn roots(entry: &Entry<'_>) -> Option<Vec<u8>> {
    let pem = entry.contents()?;
    match Connector::new(&Trust::Pem(pem.clone())) {
        Ok(_) => Some(pem),
        Err(error) => {
            entry.fault(error.to_string()).error();
            None
        }
    }
}

/// A number of 24 hours, where 0 is no limit.
fn per_day(section: &Section<'_>, key: &'static str, default: Option<u64>) -> Option<u64> {
    let said = section.optional(key, |entry| entry.number(0..=u64::from(u32::MAX)));
    said.or(default).filter(|limit| *limit > 0)
}

/// How long a refresh token lives.
fn life(section: &Section<'_>, key: &'static str, default: Option<Duration>) -> Option<Duration> {
    section.optional(key, |entry| entry.duration_within(defaults::CONSENT_LEAST..=defaults::CONSENT_MOST)).or(default)
}

fn host(entry: &Entry<'_>) -> Option<String> {
    let host = entry.text()?;
    let is_name = |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet));
    if is_name(host) || host.parse::<IpAddr>().is_ok() {
        return Some(host.to_owned());
    }
    entry.fault("expected a host name or an IP address, without port").error();
    None
}

fn token_url(entry: &Entry<'_>) -> Option<String> {
    let token_url = entry.text()?.to_owned();
    let filled = token_url.replace(DIRECTORY_PLACE, DIRECTORY);
    match (Endpoint { token_url: filled, scope: None }).check() {
        Ok(_) => Some(token_url),
        Err(error) => {
            entry.fault(error.to_string()).error();
            None
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
