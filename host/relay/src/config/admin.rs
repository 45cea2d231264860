//! `[admin]`: where operators and their programs are served, and who they are.

use std::net::SocketAddr;

use crate::config::listener::{self, Certificate, Listener};
use crate::config::section::Section;
use crate::config::taken::Taken;
use crate::config::token::{self, Token};
use crate::config::value::Entry;
use crate::listener::TlsMode;

/// The admin address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate; none serves it in the clear.
    pub certificate: Option<Certificate>,
    /// Names by which it is asked for, besides those of loopback and its own address; in lower case, without ports.
    pub hosts: Vec<String>,
    /// Whether `/metrics` needs a token.
    pub metrics_token: bool,
    /// Who may see, and change, all of the relay.
    pub tokens: Vec<Token>,
}

/// `[admin]`, if there is one. `of_tenants` are the hashes of the tokens that tenants have.
pub(super) fn read(root: &Section<'_>, listeners: &[Listener], of_tenants: &Taken<'_>) -> Option<Admin> {
    let section = root.section("admin")?;
    let listen = section.required("listen", "IP address and port", |entry| {
        let address = entry.parsed::<SocketAddr>("an IP address and port, such as \"127.0.0.1:8025\"")?;
        if address.port() != 0 && listeners.iter().any(|listener| listener.address == address) {
            entry.fault("a listener has this address already").error();
        }
        Some(address)
    });
    let certificate = certificate(&section);
    let is_insecure = section.or("insecure", false, Entry::boolean);
    if let Some(listen) = listen {
        check_channel(&section, listen, certificate.is_some(), is_insecure);
    }
    let hosts = section.or("hosts", Vec::new(), |entry| Some(entry.list()?.iter().filter_map(host).collect()));
    let metrics_token = section.or("metrics_token", false, Entry::boolean);
    let tokens = token::of_admin(&section, of_tenants);
    section.finish();
    Some(Admin { listen: listen?, certificate, hosts, metrics_token, tokens })
}

fn certificate(section: &Section<'_>) -> Option<Certificate> {
    let keys = ["certificate", "key", "certificate_pem", "key_pem"];
    let named = keys.into_iter().filter(|key| section.entry(key).is_some()).count();
    (named > 0).then(|| listener::certificate(section, Some(TlsMode::Implicit))).flatten()
}

/// Tokens are as good as passwords: whoever overhears one has what it opens.
fn check_channel(section: &Section<'_>, listen: SocketAddr, has_certificate: bool, is_insecure: bool) {
    let is_loopback = listen.ip().to_canonical().is_loopback();
    match (is_loopback || has_certificate, is_insecure) {
        (false, false) => {
            let reason = "it leaves this host in the clear, and tokens with it";
            let suggestion = "name `certificate` and `key`, listen on 127.0.0.1, or write insecure = true if something \
                              in front of it encrypts";
            section.mark_of("listen").fault(reason).shown(format!("\"{listen}\"")).suggest(suggestion).error();
        }
        (false, true) => {
            let reason = "tokens and metrics cross the network in the clear";
            section.mark_of("insecure").fault(reason).suggest("prefer TLS: `certificate` and `key`").warning();
        }
        (true, true) => {
            let reason = "it means nothing here: nothing leaves this host in the clear";
            section.mark_of("insecure").fault(reason).warning();
        }
        (true, false) => {}
    }
}

/// A name, without a port: browsers are told apart by what they ask for.
fn host(entry: &Entry<'_>) -> Option<String> {
    let name = entry.text()?;
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b".-_:[]".contains(&octet);
    let has_port = name.rsplit_once(':').is_some_and(|(before, _)| !before.contains(':') || before.ends_with(']'));
    if !name.bytes().all(fits) || has_port {
        entry.fault("expected a name without a port, such as \"relay.example.com\"").error();
        return None;
    }
    Some(name.to_ascii_lowercase())
}
