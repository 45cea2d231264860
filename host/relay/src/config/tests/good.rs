//! What a configuration without a fault amounts to.

use std::net::IpAddr;
use std::time::Duration;

use posthouse_smtp::client::TlsRule;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;

use super::fixture::{ACME, MAIN, config, loaded, warnings};
use crate::config::account::Grant;
use crate::config::limits::{Limits, Timeouts};
use crate::config::listener::Auth;
use crate::config::log::{Level, LogFormat};
use crate::config::provider::Provider;
use crate::config::provider::built_in::{BuiltIn, Cloud};
use crate::listener::TlsMode;

#[test]
fn what_is_not_said_has_its_default() {
    let config = config(MAIN, ACME);
    assert_eq!(config.hostname, "relay.example.com");
    assert_eq!((config.limits, config.timeouts), (Limits::default(), Timeouts::default()));
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, Level::Info));
    assert_eq!((config.admin, config.state_directory), (None, None));
    let listener = &config.listeners[0];
    assert_eq!((listener.tls, listener.auth), (TlsMode::None, Auth::Required));
    assert!(listener.auth_over_cleartext, "on loopback nobody listens in");
    assert_eq!((listener.message_size, listener.chunking, listener.verify_recipients), (None, true, false));
    assert_eq!(warnings(MAIN, ACME), Vec::<String>::new());
}

#[test]
fn what_is_said_holds() {
    let main = format!(
        r#"
        state_directory = "state"
        {MAIN}
        message_size = "1 MiB"
        chunking = false
        auth = "optional"
        networks = [{{ network = "192.0.2.0/24", login = "acme-app" }}]
        proxy_protocol_from = ["10.0.0.0/8", "2001:db8::1"]
        xclient_from = ["10.1.0.0/16"]
        verify_recipients = true
        [limits]
        connections = 50
        content_memory = "8 MiB"
        stream_threshold = "128 KiB"
        [timeouts]
        command = "90 s"
        delivery = "1 min"
        [log]
        format = "text"
        level = "debug"
        [admin]
        listen = "127.0.0.1:8025"
        "#
    );
    let config = config(&main, ACME);
    assert_eq!((config.limits.connections, config.limits.connections_per_address), (50, 50));
    assert_eq!((config.limits.content_memory, config.limits.stream_threshold), (8 << 20, 128 << 10));
    assert_eq!(config.timeouts.command, Duration::from_secs(90));
    assert_eq!(config.timeouts.delivery, Duration::from_secs(60));
    assert_eq!((config.log.format, config.log.level), (LogFormat::Text, Level::Debug));
    assert_eq!(config.admin.map(|admin| admin.listen), "127.0.0.1:8025".parse().ok());
    assert_eq!(config.state_directory, Some("state".into()));
    let listener = &config.listeners[0];
    assert_eq!((listener.message_size, listener.verify_recipients, listener.chunking), (Some(1 << 20), true, false));
    assert_eq!(listener.auth, Auth::Optional);
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert!(listener.networks[0].network.contains(address("192.0.2.9")));
    assert_eq!(listener.networks[0].login, "acme-app");
    assert!(listener.proxy_protocol_from[1].contains(address("2001:db8::1")));
    assert!(listener.xclient_from[0].contains(address("10.1.2.3")));
}

#[test]
fn an_account_is_its_provider_with_two_layers_of_its_own() {
    let main = format!("{MAIN}[providers.gmail]\nsessions = 4\nidle = \"30 s\"\n");
    let acme =
        ACME.replace("provider = \"gmail\"", "provider = \"gmail\"\nsessions = 2\nsource_address = \"127.0.0.2\"");
    let config = config(&main, &acme);
    let account = &config.tenants[0].accounts[0];
    let gmail = BuiltIn::Gmail.provider();
    let expected = Provider { sessions: 2, idle: Duration::from_secs(30), ..gmail };
    assert_eq!(account.provider, expected);
    assert_eq!(account.user, "app@example.com");
    assert_eq!(account.source_address, "127.0.0.2".parse().ok());
    let Grant::Token { endpoint, mechanism, .. } = &account.grant else { unreachable!("{account:?}") };
    assert_eq!(endpoint.token_url, "https://oauth2.googleapis.com/token");
    assert_eq!((endpoint.scope.as_deref(), *mechanism), (Some("https://mail.google.com/"), Mechanism::XOAuth2));
}

#[test]
fn outlook_asks_for_tokens_in_the_accounts_directory() {
    let token_url = |more: &str| {
        let acme = ACME.replace("\"gmail\"", "\"outlook\"").replace("kind =", &format!("{more}kind ="));
        match &config(MAIN, &acme).tenants[0].accounts[0].grant {
            Grant::Token { endpoint, .. } => endpoint.token_url.clone(),
            other => unreachable!("{other:?}"),
        }
    };
    assert_eq!(token_url(""), "https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
    assert_eq!(
        token_url("directory = \"example.com\"\n"),
        "https://login.microsoftonline.com/example.com/oauth2/v2.0/token"
    );
}

#[test]
fn the_built_in_providers_keep_their_limits() {
    let outlook = BuiltIn::Outlook(Cloud::Worldwide).provider();
    assert_eq!((outlook.sessions, outlook.messages_per_minute, outlook.recipients_per_message), (3, Some(30), 500));
    assert_eq!((outlook.session_age, outlook.idle), (Duration::from_mins(15), Duration::from_mins(4)));
    assert_eq!((outlook.host.as_str(), outlook.port, outlook.tls), ("smtp.office365.com", 587, TlsRule::StartTls));
    let gmail = BuiltIn::Gmail.provider();
    assert_eq!((gmail.sessions, gmail.messages_per_session, gmail.recipients_per_message), (10, 100, 100));
    assert_eq!((gmail.host.as_str(), gmail.port, gmail.tls), ("smtp.gmail.com", 465, TlsRule::Implicit));
}

#[test]
fn national_clouds_have_hosts_and_scopes_of_their_own() {
    for (name, host, login, resource) in [
        ("outlook-us-gov", "smtp.office365.us", "login.microsoftonline.us", "outlook.office365.us"),
        ("outlook-china", "smtp.partner.outlook.cn", "login.partner.microsoftonline.cn", "partner.outlook.cn"),
    ] {
        let acme = ACME.replace("\"gmail\"", &format!("\"{name}\""));
        let account = config(MAIN, &acme).tenants[0].accounts[0].clone();
        assert_eq!((account.provider.host.as_str(), account.provider.kind), (host, ProviderKind::Outlook));
        let Grant::Token { endpoint, .. } = &account.grant else { unreachable!("{account:?}") };
        assert_eq!(endpoint.token_url, format!("https://{login}/organizations/oauth2/v2.0/token"));
        assert_eq!(endpoint.scope, Some(format!("https://{resource}/SMTP.Send offline_access")));
        assert_eq!(account.provider.application_scope, Some(format!("https://{resource}/.default")));
    }
    let own = format!("{MAIN}[providers.agency]\nextends = \"outlook-us-gov\"\nsessions = 2\n");
    let account = config(&own, &ACME.replace("\"gmail\"", "\"agency\"")).tenants[0].accounts[0].clone();
    assert_eq!((account.provider.host.as_str(), account.provider.sessions), ("smtp.office365.us", 2));
}

#[test]
fn a_smarthost_takes_a_password_or_nothing() {
    let main = format!(
        "{MAIN}[providers.smarthost]\nextends = \"generic\"\nhost = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n"
    );
    let start = ACME.find("[accounts.grant]").unwrap();
    let end = ACME.find("[[routes]]").unwrap();
    let with = |grant: &str| {
        let acme = format!("{}[accounts.grant]\n{grant}\n{}", &ACME[..start], &ACME[end..])
            .replace("\"gmail\"", "\"smarthost\"");
        config(&main, &acme).tenants[0].accounts[0].clone()
    };
    let account = with("kind = \"password\"\npassword = \"env:CARGO_PKG_NAME\"");
    let Grant::Password { password, mechanism } = &account.grant else { unreachable!("{account:?}") };
    assert_eq!((password.expose(), *mechanism), ("posthouse-relay", Mechanism::Plain));
    assert_eq!((account.provider.name.as_str(), account.provider.tls), ("smarthost", TlsRule::None));
    assert_eq!(with("kind = \"none\"").grant, Grant::None);
}

#[test]
fn a_good_configuration_is_reported_in_a_sentence() {
    assert_eq!(
        loaded(MAIN, ACME).report().to_string(),
        "The configuration is good: 1 listener, 1 tenant, 1 login, 1 account."
    );
}

#[test]
fn one_of_several_tenants_has_half_of_the_relay_and_an_only_one_has_all() {
    let limits = Limits::default();
    assert_eq!((limits.connections_of_one(1), limits.connections_of_one(2)), (10_000, 5_000));
    let mib = 1024 * 1024;
    assert_eq!((limits.content_memory_of_one(1), limits.content_memory_of_one(9)), (256 * mib, 128 * mib));
    let said = "[limits]\nconnections_per_tenant = 7\ncontent_memory_per_tenant = \"32 MiB\"\n";
    let limits = config(&format!("{MAIN}{said}"), ACME).limits;
    assert_eq!((limits.connections_of_one(1), limits.content_memory_of_one(2)), (7, 32 * mib));
    // The least that all of it may be is the least for one tenant too.
    let least = Limits { content_memory: mib, ..Limits::default() };
    assert_eq!(least.content_memory_of_one(2), mib);
}
