//! The configuration of a relay in front of simulated providers: for the demonstration, for
//! `posthouse simulate`, and for measuring.
//!
//! Text, as an operator would write it, so that it goes through the same reader as any other.

use std::fmt::Write as _;
use std::net::SocketAddr;

use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::config::provider::DIRECTORY_PLACE;

/// How a relay is to be reached.
#[derive(Debug, Clone, Copy)]
pub struct Doors<'a> {
    /// The listener without TLS.
    pub plain: SocketAddr,
    /// The listener with STARTTLS, and its certificate and key in PEM.
    pub starttls: Option<(SocketAddr, &'a str, &'a str)>,
    /// Metrics and health.
    pub admin: Option<SocketAddr>,
}

/// The main file. The providers' own names stand for the simulated ones.
pub fn main_file(simulator: &Simulator, doors: &Doors<'_>, ca_file: &str) -> String {
    let mut text = "hostname = \"relay.example.com\"\n\n[limits]\nconnections_per_address = 10000\n\n".to_owned();
    if let Some(admin) = doors.admin {
        let _ = writeln!(text, "[admin]\nlisten = \"{admin}\"\n");
    }
    let _ = writeln!(
        text,
        "[[listeners]]\nname = \"plain\"\naddress = \"{}\"\ntls = \"none\"\nauth_over_cleartext = true\n",
        doors.plain
    );
    if let Some((address, certificate, key)) = doors.starttls {
        let _ = writeln!(
            text,
            "[[listeners]]\nname = \"submission\"\naddress = \"{address}\"\ntls = \"starttls\"\n\
             certificate_pem = '''\n{certificate}'''\nkey_pem = '''\n{key}'''\n"
        );
    }
    for (provider, name) in [(Provider::Gmail, "gmail"), (Provider::Outlook, "outlook")] {
        let (port, tls) = match provider {
            Provider::Gmail => (simulator.implicit_address(provider).port(), "implicit"),
            Provider::Outlook => (simulator.starttls_address(provider).port(), "starttls"),
        };
        let _ = writeln!(
            text,
            "[providers.{name}]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\nserver_name = \"{}\"\n\
             ca_file = \"{ca_file}\"\ntoken_url = \"{}\"",
            provider.hostname(),
            simulator.token_url(provider, Some(DIRECTORY_PLACE)),
        );
        let _ = writeln!(text, "authorize_url = \"{}\"", simulator.authorize_url(provider, Some(DIRECTORY_PLACE)));
        if provider == Provider::Outlook {
            let _ = writeln!(text, "device_url = \"{}\"", simulator.device_url(Some(DIRECTORY_PLACE)));
        }
        text.push('\n');
    }
    text
}

/// Lines of an account that have it use its provider's interface over HTTP: Microsoft Graph, the Gmail API.
pub fn over_http(simulator: &Simulator, provider: Provider) -> String {
    let transport = match provider {
        Provider::Gmail => "gmail-api",
        Provider::Outlook => "graph",
    };
    format!(
        "transport = \"{transport}\"\nhost = \"127.0.0.1\"\nport = {}\nserver_name = \"{}\"\n",
        simulator.api_address(provider).port(),
        provider.hostname()
    )
}

/// The account of a simulated mailbox; `more` are further lines of it.
pub fn account(id: &str, mailbox: &Mailbox, more: &str) -> String {
    let provider = match mailbox.provider {
        Provider::Gmail => "gmail",
        Provider::Outlook => "outlook",
    };
    let secret =
        mailbox.client_secret.as_deref().map(|secret| format!("client_secret = \"{secret}\"\n")).unwrap_or_default();
    format!(
        "[[accounts]]\nid = \"{id}\"\naddress = \"{}\"\nprovider = \"{provider}\"\n{more}[accounts.grant]\n\
         kind = \"refresh_token\"\nclient_id = \"{}\"\n{secret}refresh_token = \"{}\"\n\n",
        mailbox.address, mailbox.client_id, mailbox.refresh_token
    )
}

/// A login with its password's hash; `more` are further lines of it.
pub fn login(name: &str, hash: &str, senders: &[&str], more: &str) -> String {
    let senders: Vec<String> = senders.iter().map(|sender| format!("\"{sender}\"")).collect();
    format!("[[logins]]\nname = \"{name}\"\npassword = \"{hash}\"\nsenders = [{}]\n{more}\n", senders.join(", "))
}
