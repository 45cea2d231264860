//! The providers that everybody has, and what is known of them from their vendors' documentation.

use posthouse_smtp::client::TlsRule;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::transport::Transport;

use super::{DIRECTORY_PLACE, Provider};
use crate::config::defaults;

/// A built-in provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// Gmail and Google Workspace.
    Gmail,
    /// Microsoft 365 and Outlook.com, in one of Microsoft's clouds.
    Outlook(Cloud),
    /// Nothing is known of it.
    Generic,
}

/// Microsoft's clouds: each has hosts, scopes and directories of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Everybody's.
    Worldwide,
    /// That of the government of the United States.
    UsGov,
    /// That in China, run by 21Vianet.
    China,
}

/// What is different from one cloud to the other.
struct Places {
    smtp: &'static str,
    login: &'static str,
    resource: &'static str,
    application_resource: &'static str,
    graph: &'static str,
}

impl BuiltIn {
    /// All of them, with their names.
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("gmail", Self::Gmail),
        ("outlook", Self::Outlook(Cloud::Worldwide)),
        ("outlook-us-gov", Self::Outlook(Cloud::UsGov)),
        ("outlook-china", Self::Outlook(Cloud::China)),
        ("generic", Self::Generic),
    ];

    /// The provider, as nobody has touched it.
    pub fn provider(self) -> Provider {
        let provider = match self {
            Self::Gmail => gmail(generic()),
            Self::Outlook(cloud) => outlook(generic(), &cloud.places()),
            Self::Generic => generic(),
        };
        let name = Self::ALL.iter().find(|(_, which)| *which == self).map_or("", |(name, _)| name);
        let submission = (provider.host.clone(), provider.port);
        Provider { name: name.to_owned(), built_in: self, submission, ..provider }
    }

    /// The provider by this protocol; none where it does not speak it.
    pub(super) fn by(self, transport: Transport) -> Option<Provider> {
        match (self, transport) {
            (_, Transport::Smtp) => Some(self.provider()),
            (Self::Outlook(cloud), Transport::Graph) => Some(graph(self.provider(), &cloud.places())),
            (Self::Gmail, Transport::GmailApi) => Some(gmail_api(self.provider())),
            _ => None,
        }
    }
}

impl Cloud {
    fn places(self) -> Places {
        match self {
            Self::Worldwide => Places {
                smtp: "smtp.office365.com",
                login: "login.microsoftonline.com",
                resource: "outlook.office.com",
                application_resource: "outlook.office365.com",
                graph: "graph.microsoft.com",
            },
            Self::UsGov => Places {
                smtp: "smtp.office365.us",
                login: "login.microsoftonline.us",
                resource: "outlook.office365.us",
                application_resource: "outlook.office365.us",
                graph: "graph.microsoft.us",
            },
            Self::China => Places {
                smtp: "smtp.partner.outlook.cn",
                login: "login.partner.microsoftonline.cn",
                resource: "partner.outlook.cn",
                application_resource: "partner.outlook.cn",
                graph: "microsoftgraph.chinacloudapi.cn",
            },
        }
    }
}

fn generic() -> Provider {
    Provider {
        name: String::new(),
        built_in: BuiltIn::Generic,
        kind: ProviderKind::Generic,
        transport: Transport::Smtp,
        submission: (String::new(), defaults::SUBMISSION_PORT),
        host: String::new(),
        port: defaults::SUBMISSION_PORT,
        tls: TlsRule::StartTls,
        token_url: None,
        authorize_url: None,
        device_url: None,
        scope: None,
        application_scope: None,
        mechanism: None,
        sessions: defaults::GENERIC_SESSIONS,
        messages_per_session: defaults::MESSAGES_PER_SESSION,
        session_age: defaults::SESSION_AGE,
        idle: defaults::IDLE,
        token_margin: defaults::TOKEN_MARGIN,
        messages_per_minute: None,
        recipients_per_message: defaults::GENERIC_RECIPIENTS,
        recipients_per_day: None,
        messages_per_day: None,
        refresh_token_idle: None,
        refresh_token_age: None,
        server_name: None,
        ca_pem: None,
    }
}

fn gmail(common: Provider) -> Provider {
    Provider {
        kind: ProviderKind::Gmail,
        host: "smtp.gmail.com".to_owned(),
        port: defaults::SUBMISSIONS_PORT,
        tls: TlsRule::Implicit,
        token_url: Some("https://oauth2.googleapis.com/token".to_owned()),
        authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
        scope: Some("https://mail.google.com/".to_owned()),
        sessions: defaults::GMAIL_SESSIONS,
        recipients_per_message: defaults::GMAIL_RECIPIENTS,
        recipients_per_day: Some(defaults::GMAIL_RECIPIENTS_PER_DAY),
        messages_per_day: Some(defaults::GMAIL_MESSAGES_PER_DAY),
        refresh_token_idle: Some(defaults::GMAIL_REFRESH_TOKEN_IDLE),
        ..common
    }
}

fn outlook(common: Provider, places: &Places) -> Provider {
    let at = |what| Some(format!("https://{}/{DIRECTORY_PLACE}/oauth2/v2.0/{what}", places.login));
    Provider {
        kind: ProviderKind::Outlook,
        host: places.smtp.to_owned(),
        token_url: at("token"),
        authorize_url: at("authorize"),
        device_url: at("devicecode"),
        scope: Some(format!("https://{}/SMTP.Send offline_access", places.resource)),
        application_scope: Some(format!("https://{}/.default", places.application_resource)),
        sessions: defaults::OUTLOOK_SESSIONS,
        session_age: defaults::OUTLOOK_SESSION_AGE,
        messages_per_minute: Some(defaults::OUTLOOK_MESSAGES_PER_MINUTE),
        recipients_per_message: defaults::OUTLOOK_RECIPIENTS,
        recipients_per_day: Some(defaults::OUTLOOK_RECIPIENTS_PER_DAY),
        refresh_token_idle: Some(defaults::OUTLOOK_REFRESH_TOKEN_IDLE),
        ..common
    }
}

/// Microsoft 365 by Graph's `sendMail`.
fn graph(outlook: Provider, places: &Places) -> Provider {
    let resource = format!("https://{}", places.graph);
    Provider {
        transport: Transport::Graph,
        host: places.graph.to_owned(),
        port: defaults::HTTPS_PORT,
        tls: TlsRule::Implicit,
        scope: Some(format!("{resource}/Mail.Send offline_access")),
        application_scope: Some(format!("{resource}/.default")),
        sessions: defaults::GRAPH_SESSIONS,
        idle: defaults::HTTP_IDLE,
        ..outlook
    }
}

/// Gmail by its own interface.
fn gmail_api(gmail: Provider) -> Provider {
    Provider {
        transport: Transport::GmailApi,
        host: "gmail.googleapis.com".to_owned(),
        port: defaults::HTTPS_PORT,
        tls: TlsRule::Implicit,
        scope: Some("https://www.googleapis.com/auth/gmail.send".to_owned()),
        messages_per_minute: Some(defaults::GMAIL_API_MESSAGES_PER_MINUTE),
        recipients_per_message: defaults::GMAIL_API_RECIPIENTS,
        idle: defaults::HTTP_IDLE,
        ..gmail
    }
}
