//! What a listener's values amount to together: whom it lets in, and what it lets be overheard.

use std::net::SocketAddr;

use super::{Auth, Listener};
use crate::config::network::Network;
use crate::config::section::Section;
use crate::listener::TlsMode;

/// Addresses that two listeners cannot both have. Port 0 is the system's choice and never the same.
pub(super) fn address(taken: &mut Vec<(SocketAddr, String)>, listener: &Listener, section: &Section<'_>) {
    let mark = section.mark_of("address");
    let address = listener.address;
    let collides = |other: &SocketAddr| {
        let is_same = other.ip() == address.ip()
            || (other.is_ipv4() == address.is_ipv4() && (other.ip().is_unspecified() || address.ip().is_unspecified()));
        is_same && other.port() == address.port() && address.port() != 0
    };
    if let Some((_, place)) = taken.iter().find(|(other, _)| collides(other)) {
        mark.fault(format!("the listener at {place} has this address already")).shown(format!("\"{address}\"")).error();
    }
    taken.push((address, mark.place()));
}

/// Who could send, and whether that is anybody at all or everybody.
pub(super) fn openness(listener: &Listener, section: &Section<'_>) {
    // Networks that are named and cannot be read were told already, and are not none.
    let names_networks = section.entry("networks").is_some_and(|entry| !entry.is_empty_list());
    if listener.auth != Auth::Required && listener.networks.is_empty() && !names_networks {
        let reason = "AUTH is not required and no `networks` are named: whoever connects would have to be served, which is an open relay";
        section
            .mark_of("auth")
            .fault(reason)
            .suggest("write auth = \"required\", or map `networks` to a login")
            .error();
    }
    for (key, networks) in
        [("proxy_protocol_from", &listener.proxy_protocol_from), ("xclient_from", &listener.xclient_from)]
    {
        if !networks.iter().any(Network::is_everything) {
            continue;
        }
        let mark = section.mark_of(key);
        if listener.networks.is_empty() {
            mark.fault("whoever connects may claim to be any address").suggest("name the proxies' networks").warning();
        } else {
            let reason = "whoever connects may claim an address of the listener's `networks`: an open relay";
            mark.fault(reason).suggest("name the proxies' networks").error();
        }
    }
}

/// Whether passwords can be overheard, and whether AUTH can be offered at all.
pub(super) fn cleartext(listener: &Listener, section: &Section<'_>) {
    if !listener.auth.is_offered() {
        return;
    }
    let is_loopback = listener.address.ip().to_canonical().is_loopback();
    match (listener.tls, listener.auth_over_cleartext) {
        (TlsMode::None, false) if listener.auth == Auth::Required => {
            let reason =
                "AUTH is required but never offered: the listener has no TLS, and AUTH in the clear is not allowed";
            let suggestion =
                "set `tls`, or write auth_over_cleartext = true if the network can be trusted with passwords";
            section.mark_of("tls").fault(reason).suggest(suggestion).error();
        }
        (TlsMode::None | TlsMode::StartTls, true) if !is_loopback => {
            let reason = "passwords may cross the network in the clear";
            section.mark_of("auth_over_cleartext").fault(reason).suggest("prefer TLS").warning();
        }
        (TlsMode::Implicit, true) => {
            let reason = "it means nothing here: the listener's connections are encrypted from the first octet";
            section.mark_of("auth_over_cleartext").fault(reason).warning();
        }
        (TlsMode::None | TlsMode::StartTls, true) | (TlsMode::None | TlsMode::StartTls | TlsMode::Implicit, false) => {}
    }
}

/// Names that nothing was heard of: proxies and mapped networks that contradict each other.
pub(super) fn trust(listener: &Listener, section: &Section<'_>) {
    let mapped = |network: &Network| listener.networks.iter().any(|mapped| mapped.network.overlaps(network));
    if listener.proxy_protocol_from.iter().any(mapped) {
        let reason = "a proxy of this network is also mapped to a login: its own connections (health checks) may send";
        section.mark_of("proxy_protocol_from").fault(reason).warning();
    }
}
