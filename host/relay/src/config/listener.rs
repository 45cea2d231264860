//! `[[listeners]]`: the addresses that clients connect to, and what holds there.

mod check;

use std::net::SocketAddr;

use posthouse_net::acceptor::Acceptor;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::verdict::Clients;
use toml::de::DeValue;

use crate::config::defaults;
use crate::config::limits;
use crate::config::nearest::nearest;
use crate::config::network::Network;
use crate::config::section::Section;
use crate::config::taken::Taken;
use crate::config::value::Entry;
use crate::listener::TlsMode;

/// One address that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name, unique; in logs.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: TlsMode,
    /// Its certificate; there is one unless `tls` is none.
    pub certificate: Option<Certificate>,
    /// Whether AUTH is offered.
    pub auth: Auth,
    /// Whether AUTH is taken on a connection that is not encrypted.
    pub auth_over_cleartext: bool,
    /// Networks whose clients are a login without saying so.
    pub networks: Vec<NetworkLogin>,
    /// Proxies whose PROXY protocol v2 header is believed.
    pub proxy_protocol_from: Vec<Network>,
    /// Servers whose XCLIENT is believed.
    pub xclient_from: Vec<Network>,
    /// What its clients do with a 4yz.
    pub clients: Clients,
    /// Whether each recipient is put to the provider before it is answered.
    pub verify_recipients: bool,
    /// Whether BDAT is offered.
    pub chunking: bool,
    /// Octets of one message, where it has a bound of its own.
    pub message_size: Option<u64>,
}

/// Who has to log in. No message is taken from a client without a login either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Whoever is not in one of the listener's networks, and everybody can.
    Required,
    /// Likewise, but the networks are what the listener is for: AUTH is offered only if the channel allows it.
    Optional,
    /// Nobody can: AUTH is not offered, only the listener's networks may send.
    None,
}

impl Auth {
    /// Whether AUTH is offered at all.
    pub fn is_offered(self) -> bool {
        match self {
            Self::Required | Self::Optional => true,
            Self::None => false,
        }
    }
}

/// A certificate and its key; they belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, PEM.
    pub chain: Vec<u8>,
    /// The private key, PEM.
    pub key: Secret,
}

/// Clients of this network are this login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLogin {
    /// The network.
    pub network: Network,
    /// The login's name.
    pub login: String,
}

const TLS_MODES: [(&str, TlsMode); 3] =
    [("none", TlsMode::None), ("starttls", TlsMode::StartTls), ("implicit", TlsMode::Implicit)];
const CLIENTS: [(&str, Clients); 2] = [("queueing", Clients::Queueing), ("interactive", Clients::Interactive)];
const AUTHS: [(&str, Auth); 3] = [("required", Auth::Required), ("optional", Auth::Optional), ("none", Auth::None)];

/// All listeners of the configuration. `logins` are the logins of all tenants; none where a tenant
/// could not be read, so that nothing can be said of a login that is not among them.
pub(super) fn read(root: &Section<'_>, logins: Option<&Taken<'_>>) -> Vec<Listener> {
    let sections = root.sections("listeners");
    if sections.is_empty() {
        root.missing("listeners", "at least one [[listeners]] is needed");
    }
    let mut names = Taken::none();
    let mut addresses = Vec::new();
    let mut listeners = Vec::new();
    for section in sections {
        if let Some(entry) = section.entry("name") {
            entry.name().into_iter().for_each(|name| names.claim(name, &entry.mark));
        }
        if let Some(listener) = read_one(&section, logins) {
            check::address(&mut addresses, &listener, &section);
            check::openness(&listener, &section);
            check::cleartext(&listener, &section);
            check::trust(&listener, &section);
            listeners.push(listener);
        }
        section.finish();
    }
    listeners
}

fn read_one(section: &Section<'_>, logins: Option<&Taken<'_>>) -> Option<Listener> {
    let name = section.required("name", "the listener's name", |entry| match entry.value {
        DeValue::String(name) => Some(name.to_string()),
        _ => None,
    });
    let address = section.required("address", "IP address and port", |entry| {
        entry.parsed::<SocketAddr>("an IP address and port, such as \"127.0.0.1:2525\" or \"[::1]:2525\"")
    });
    let tls = section.required("tls", "`none`, `starttls` or `implicit`", |entry| entry.word(&TLS_MODES));
    let certificate = certificate(section, tls);
    let is_private =
        tls == Some(TlsMode::None) && address.is_some_and(|address| address.ip().to_canonical().is_loopback());
    let listener = Listener {
        name: name?,
        certificate,
        auth: section.or("auth", defaults::AUTH, |entry| entry.word(&AUTHS)),
        auth_over_cleartext: section.or("auth_over_cleartext", is_private, Entry::boolean),
        networks: section.or("networks", Vec::new(), |entry| mapped_networks(entry, logins)),
        proxy_protocol_from: section.or("proxy_protocol_from", Vec::new(), Entry::networks),
        xclient_from: section.or("xclient_from", Vec::new(), Entry::networks),
        clients: section.or("clients", defaults::CLIENTS, |entry| entry.word(&CLIENTS)),
        verify_recipients: section.or("verify_recipients", defaults::VERIFY_RECIPIENTS, Entry::boolean),
        chunking: section.or("chunking", defaults::CHUNKING, Entry::boolean),
        message_size: section.optional("message_size", limits::message_size),
        address: address?,
        tls: tls?,
    };
    Some(listener)
}

/// The certificate's files, or the certificate itself (`certificate_pem`, `key_pem`: for tests and
/// whoever makes configurations by program).
pub(super) fn certificate(section: &Section<'_>, tls: Option<TlsMode>) -> Option<Certificate> {
    let inline_chain = section.optional("certificate_pem", |entry| entry.text().map(|text| text.as_bytes().to_vec()));
    let inline_key = section.optional("key_pem", |entry| {
        entry
            .mark
            .fault("the private key stands in the configuration itself")
            .suggest("name its file: `key`")
            .warning();
        entry.text().map(Secret::new)
    });
    let chain_file = section.entry("certificate");
    let key_file = section.entry("key");
    if tls == Some(TlsMode::None) {
        for entry in [chain_file, key_file].into_iter().flatten() {
            entry.fault("it is not used, since the listener says tls = \"none\"").warning();
        }
        return None;
    }
    if tls.is_some() && inline_chain.is_none() && chain_file.is_none() {
        section.missing("certificate", "the file of the certificate's chain, PEM");
    }
    if tls.is_some() && inline_key.is_none() && key_file.is_none() {
        section.missing("key", "the file of the certificate's private key, PEM");
    }
    let (chain_at, key_at) = (
        if inline_chain.is_some() { "certificate_pem" } else { "certificate" },
        if inline_key.is_some() { "key_pem" } else { "key" },
    );
    let chain = inline_chain.or_else(|| chain_file.and_then(|entry| entry.contents()));
    let key = inline_key.or_else(|| key_file.and_then(|entry| entry.private_contents()));
    let certificate = Certificate { chain: chain?, key: key? };
    if let Err(error) = Acceptor::from_pem(&certificate.chain, certificate.key.expose().as_bytes()) {
        let at = if error.is_of_key() { key_at } else { chain_at };
        section.mark_of(at).fault(error.to_string()).error();
    }
    Some(certificate)
}

fn mapped_networks(entry: &Entry<'_>, logins: Option<&Taken<'_>>) -> Option<Vec<NetworkLogin>> {
    let sections = entry.list()?.iter().filter_map(mapping).collect::<Vec<_>>();
    let mut read: Vec<NetworkLogin> = Vec::new();
    for section in sections {
        let network = section.required("network", "whose clients are the login", |entry| mapped_network(entry, &read));
        let login = section.required("login", "the login that they are", |entry| {
            let name = entry.text()?;
            if logins.is_some_and(|logins| !logins.has(name)) {
                unknown_login(entry, name, logins);
            }
            Some(name.to_owned())
        });
        section.finish();
        read.extend(network.zip(login).map(|(network, login)| NetworkLogin { network, login }));
    }
    Some(read)
}

/// What most people write first is a network alone.
fn mapping<'s>(entry: &Entry<'s>) -> Option<Section<'s>> {
    if !matches!(entry.value, DeValue::Table(_)) {
        entry.fault("expected `{ network = \"192.0.2.0/24\", login = \"NAME\" }`: who its clients are").error();
        return None;
    }
    entry.section()
}

fn mapped_network(entry: &Entry<'_>, before: &[NetworkLogin]) -> Option<Network> {
    let network = entry.network()?;
    if network.is_everything() {
        entry.fault("it holds every address: whoever connects could send, which is an open relay").error();
    }
    if let Some(other) = before.iter().find(|other| other.network.overlaps(&network)) {
        let reason = format!("it overlaps with {}, which stands first and is asked first", other.network);
        entry.fault(reason).warning();
    }
    Some(network)
}

fn unknown_login(entry: &Entry<'_>, name: &str, logins: Option<&Taken<'_>>) {
    let draft = entry.fault("no tenant has such a login");
    match logins.and_then(|logins| nearest(name, logins.names())) {
        Some(meant) => draft.suggest(format!("did you mean `{meant}`?")).error(),
        None => draft.error(),
    }
}
