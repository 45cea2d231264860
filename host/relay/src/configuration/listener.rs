//! A listener as the configuration says it.

use std::fs;
use std::net::SocketAddr;

use super::fault::Faults;
use super::network::Network;
use super::reader::Section;
use crate::listener::TlsMode;

/// A front door.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: TlsMode,
    /// Certificate chain and key in PEM, where TLS begins at all.
    pub certificate: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether AUTH is offered.
    pub auth: bool,
    /// Whether AUTH is offered without TLS.
    pub auth_over_cleartext: bool,
    /// Networks whose clients are a login without AUTH.
    pub networks: Vec<NetworkLogin>,
    /// Whose PROXY header is believed.
    pub proxy_protocol_from: Vec<Network>,
    /// Whose XCLIENT is believed.
    pub xclient_from: Vec<Network>,
    /// Whether each recipient is put to the provider before it is answered.
    pub verify_recipients: bool,
    /// Whether BDAT is offered.
    pub chunking: bool,
    /// Bytes of a message, where it differs from the limits.
    pub message_size: Option<u64>,
}

/// A network and the login that its clients are.
#[derive(Debug, Clone)]
pub struct NetworkLogin {
    /// The network.
    pub network: Network,
    /// The login's name.
    pub login: String,
}

const NETWORK: &str = "a network such as 192.0.2.0/24";

pub(super) fn read<'a>(mut section: Section<'a>, faults: &mut Faults) -> Option<(Listener, Section<'a>)> {
    let name = section.required("name", faults);
    let address =
        section.parsed("address", "an address and port such as 127.0.0.1:2525", faults, |text| text.parse().ok());
    section.require("address", faults);
    let tls = section.parsed("tls", "none, starttls or implicit", faults, |text| match text {
        "none" => Some(TlsMode::None),
        "starttls" => Some(TlsMode::StartTls),
        "implicit" => Some(TlsMode::Implicit),
        _ => None,
    });
    section.require("tls", faults);
    let certificate = certificate(&mut section, tls, faults);
    let network = |text: &str| text.parse::<Network>().ok();
    let message_size = section.has("message_size");
    let size = section.size("message_size", super::defaults::LIMITS.message_size, faults);
    let listener = Listener {
        name: name.unwrap_or_default(),
        address: address?,
        tls: tls?,
        certificate,
        auth: section.flag("auth", true, faults),
        auth_over_cleartext: section.flag("auth_over_cleartext", false, faults),
        networks: networks(&mut section, faults),
        proxy_protocol_from: section.list("proxy_protocol_from", NETWORK, faults, network),
        xclient_from: section.list("xclient_from", NETWORK, faults, network),
        verify_recipients: section.flag("verify_recipients", false, faults),
        chunking: section.flag("chunking", true, faults),
        message_size: message_size.then_some(size),
    };
    check(&listener, &section, faults);
    Some((listener, section))
}

fn certificate(section: &mut Section<'_>, tls: Option<TlsMode>, faults: &mut Faults) -> Option<(Vec<u8>, Vec<u8>)> {
    let paths = [section.text("certificate", faults), section.text("key", faults)];
    let inline = [section.text("certificate_pem", faults), section.text("key_pem", faults)];
    if tls.is_none_or(|tls| tls == TlsMode::None) {
        return None;
    }
    if let [Some(certificate), Some(key)] = inline {
        return Some((certificate.into_bytes(), key.into_bytes()));
    }
    let mut read = |key: &'static str, path: &Option<String>| {
        let Some(path) = path else {
            section.error(key, "missing; TLS needs `certificate` and `key`, two PEM files", faults);
            return None;
        };
        let file = fs::read(section.directory().join(path));
        file.map_err(|error| section.error(key, format!("{path} cannot be read: {error}"), faults)).ok()
    };
    let [certificate, key] = &paths;
    let certificate = read("certificate", certificate);
    read("key", key).and_then(|key| Some((certificate?, key)))
}

fn networks(section: &mut Section<'_>, faults: &mut Faults) -> Vec<NetworkLogin> {
    let mut networks = Vec::new();
    for mut entry in section.tables("networks", faults) {
        let network = entry.parsed("network", NETWORK, faults, |text| text.parse().ok());
        entry.require("network", faults);
        let login = entry.required("login", faults);
        networks.extend(network.zip(login).map(|(network, login)| NetworkLogin { network, login }));
        entry.finish(faults);
    }
    networks
}

fn check(listener: &Listener, section: &Section<'_>, faults: &mut Faults) {
    let is_loopback = listener.address.ip().is_loopback();
    if listener.tls == TlsMode::None && listener.auth && !listener.auth_over_cleartext {
        let reason = "without TLS nobody could log in: choose tls = \"starttls\", or say auth_over_cleartext = true";
        section.error("tls", reason, faults);
    }
    if listener.auth_over_cleartext && !is_loopback {
        section.warn("auth_over_cleartext", "passwords cross the network in the clear", faults);
    }
    if !listener.auth && listener.networks.is_empty() {
        section.error("auth", "nobody could send: offer AUTH, or map `networks` to a login", faults);
    }
}
