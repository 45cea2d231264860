//! Provider profiles: what is known of Gmail and Microsoft 365, and what an operator says otherwise.
//!
//! A profile is data: hosts, scopes, limits. The figures are of November 2026 (providers' documentation).

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use posthouse_smtp::client::TlsRule;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;

use super::fault::Faults;
use super::reader::Section;

/// A profile, after all that was said of it.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// The dialect of its replies.
    pub kind: ProviderKind,
    /// The submission host.
    pub host: String,
    /// The submission port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsRule,
    /// The name that its certificate bears; the host where nothing else is said.
    pub server_name: Option<String>,
    /// The roots that its certificate is verified against; the system's where none.
    pub ca_pem: Option<Vec<u8>>,
    /// How accounts log in.
    pub mechanism: Mechanism,
    /// Where tokens are asked for; `{directory}` stands for the Microsoft directory.
    pub token_url: Option<String>,
    /// The scope that is asked for.
    pub scope: Option<String>,
    /// Connections of one mailbox.
    pub sessions: usize,
    /// Messages after which a session is ended.
    pub messages_per_session: u32,
    /// Time after which a session is ended.
    pub session_age: Duration,
    /// Time that a session may lie idle.
    pub idle: Duration,
    /// How long before its token a session is ended.
    pub token_margin: Duration,
    /// Messages that one mailbox may send in a minute.
    pub messages_per_minute: Option<u32>,
    /// Recipients of one message.
    pub recipients_per_message: usize,
}

impl Provider {
    /// The profile of this name that comes with the relay.
    pub fn built_in(name: &str) -> Option<Self> {
        let minutes = Duration::from_mins;
        let generic = Self {
            name: name.to_owned(),
            kind: ProviderKind::Generic,
            host: String::new(),
            port: 587,
            tls: TlsRule::StartTls,
            server_name: None,
            ca_pem: None,
            mechanism: Mechanism::Plain,
            token_url: None,
            scope: None,
            sessions: 5,
            messages_per_session: 100,
            session_age: minutes(30),
            idle: minutes(4),
            token_margin: minutes(1),
            messages_per_minute: None,
            recipients_per_message: 100,
        };
        match name {
            "gmail" => Some(Self {
                kind: ProviderKind::Gmail,
                host: "smtp.gmail.com".to_owned(),
                port: 465,
                tls: TlsRule::Implicit,
                mechanism: Mechanism::XOAuth2,
                token_url: Some("https://oauth2.googleapis.com/token".to_owned()),
                scope: Some("https://mail.google.com/".to_owned()),
                // About 16 logins at once are where Gmail begins to refuse.
                sessions: 10,
                ..generic
            }),
            "outlook" => Some(Self {
                kind: ProviderKind::Outlook,
                host: "smtp.office365.com".to_owned(),
                mechanism: Mechanism::XOAuth2,
                token_url: Some("https://login.microsoftonline.com/{directory}/oauth2/v2.0/token".to_owned()),
                scope: Some("https://outlook.office.com/SMTP.Send offline_access".to_owned()),
                sessions: 3,
                // Sessions end after 20 minutes in all, idle ones after 5.
                session_age: minutes(15),
                messages_per_minute: Some(30),
                recipients_per_message: 500,
                ..generic
            }),
            "generic" => Some(generic),
            _ => None,
        }
    }

    /// Takes over what a section says.
    pub(super) fn override_with(&mut self, section: &mut Section<'_>, faults: &mut Faults) {
        let mechanism = |text: &str| Mechanism::named(text.as_bytes());
        let tls = |text: &str| match text {
            "implicit" => Some(TlsRule::Implicit),
            "starttls" => Some(TlsRule::StartTls),
            "none" => Some(TlsRule::None),
            _ => None,
        };
        let url = |text: &str| (text.starts_with("https://") || text.starts_with("http://")).then(|| text.to_owned());
        replace(&mut self.host, section.text("host", faults));
        self.port = section.count("port", self.port, faults);
        replace(&mut self.tls, section.parsed("tls", "implicit, starttls or none", faults, tls));
        replace(&mut self.server_name, section.text("server_name", faults).map(Some));
        replace(
            &mut self.mechanism,
            section.parsed("mechanism", "xoauth2, oauthbearer, plain or login", faults, mechanism),
        );
        replace(&mut self.token_url, section.parsed("token_url", "a URL", faults, url).map(Some));
        replace(&mut self.scope, section.text("scope", faults).map(Some));
        self.sessions = section.count("sessions", self.sessions, faults);
        self.messages_per_session = section.count("messages_per_session", self.messages_per_session, faults);
        self.session_age = section.duration("session_age", self.session_age, faults);
        self.idle = section.duration("idle", self.idle, faults);
        self.token_margin = section.duration("token_margin", self.token_margin, faults);
        if section.has("messages_per_minute") {
            self.messages_per_minute = Some(section.count("messages_per_minute", 1, faults));
        } else {
            section.count("messages_per_minute", 1_u32, faults);
        }
        self.recipients_per_message = section.count("recipients_per_message", self.recipients_per_message, faults);
        self.read_ca(section, faults);
        self.check_tls(section, faults);
    }

    fn read_ca(&mut self, section: &mut Section<'_>, faults: &mut Faults) {
        let Some(path) = section.text("ca_file", faults) else { return };
        match fs::read(section.directory().join(&path)) {
            Ok(pem) => self.ca_pem = Some(pem),
            Err(error) => section.error("ca_file", format!("{path} cannot be read: {error}"), faults),
        }
    }

    /// Without TLS only to this host itself, and never to a provider that is known by name.
    fn check_tls(&self, section: &Section<'_>, faults: &mut Faults) {
        let is_loopback = self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
        if self.tls == TlsRule::None && (self.kind != ProviderKind::Generic || !is_loopback) {
            section.error("tls", "none is allowed for generic providers on a loopback address only", faults);
        }
    }
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
