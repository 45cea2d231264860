//! The main file, and what has to fit between it and the tenants' files.

use std::collections::HashSet;
use std::path::PathBuf;

use super::fault::Faults;
use super::listener::{self, Listener};
use super::provider::Provider;
use super::reader::{Document, Section};
use super::{Config, Limits, Log, LogFormat, Timeouts, defaults, tenant};

/// The directory that holds the tenants' files.
pub(super) fn tenants_directory(document: &Document, faults: &mut Faults) -> PathBuf {
    // Faults in the file are noted when it is read for itself.
    let mut unnoted = Faults::default();
    let named = document.parse(&mut unnoted).and_then(|table| Section::root(document, &table).text("tenants", faults));
    let directory = document.path.parent().map(PathBuf::from).unwrap_or_default();
    directory.join(named.as_deref().unwrap_or(defaults::TENANTS))
}

pub(super) fn config(document: &Document, tenants: &[Document], faults: &mut Faults) -> Option<Config> {
    let table = document.parse(faults)?;
    let mut root = Section::root(document, &table);
    let hostname = root.parsed("hostname", "a host name such as relay.example.com", faults, |text| {
        let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
        (!text.is_empty() && text.bytes().all(legal)).then(|| text.to_owned())
    });
    root.require("hostname", faults);
    root.text("tenants", &mut Faults::default());
    let state_directory = root.text("state_directory", faults).map(|path| root.directory().join(path));
    let limits = limits(root.table("limits", faults), faults);
    let timeouts = timeouts(root.table("timeouts", faults), faults);
    let log = log(root.table("log", faults), faults);
    let admin = admin(root.table("admin", faults), faults);
    let providers = providers(root.table("providers", faults), faults);
    let tenants: Vec<tenant::Tenant> =
        tenants.iter().filter_map(|document| tenant::read(document, &providers, faults)).collect();
    let listeners = listeners(&mut root, &tenants, faults);
    check_tenants(&root, &tenants, faults);
    root.finish(faults);
    Some(Config { hostname: hostname?, state_directory, limits, timeouts, log, admin, listeners, tenants })
}

fn limits(section: Option<Section<'_>>, faults: &mut Faults) -> Limits {
    let default = defaults::LIMITS;
    let Some(mut section) = section else { return default };
    let limits = Limits {
        connections: section.count("connections", default.connections, faults),
        connections_per_address: section.count("connections_per_address", default.connections_per_address, faults),
        content_memory: section.size("content_memory", default.content_memory, faults),
        message_size: section.size("message_size", default.message_size, faults),
        recipients: section.count("recipients", default.recipients, faults),
        stream_threshold: section.size("stream_threshold", default.stream_threshold, faults),
        errors_per_session: section.count("errors_per_session", default.errors_per_session, faults),
        commands_without_message: section.count("commands_without_message", default.commands_without_message, faults),
        login_failures: section.count("login_failures", default.login_failures, faults),
    };
    if limits.message_size > defaults::LARGEST_MESSAGE {
        section.error("message_size", "no provider takes more than 150 MiB", faults);
    }
    if limits.content_memory < 4 * limits.stream_threshold {
        section.error("content_memory", "at least four times stream_threshold is needed", faults);
    }
    section.finish(faults);
    limits
}

fn timeouts(section: Option<Section<'_>>, faults: &mut Faults) -> Timeouts {
    let default = defaults::TIMEOUTS;
    let Some(mut section) = section else { return default };
    let timeouts = Timeouts {
        command: section.duration("command", default.command, faults),
        content: section.duration("content", default.content, faults),
        message: section.duration("message", default.message, faults),
        handshake: section.duration("handshake", default.handshake, faults),
        delivery: section.duration("delivery", default.delivery, faults),
        connect: section.duration("connect", default.connect, faults),
        session_wait: section.duration("session_wait", default.session_wait, faults),
        shutdown_grace: section.duration("shutdown_grace", default.shutdown_grace, faults),
    };
    section.finish(faults);
    timeouts
}

fn log(section: Option<Section<'_>>, faults: &mut Faults) -> Log {
    let default = Log { format: LogFormat::Json, level: defaults::LOG_LEVEL.to_owned() };
    let Some(mut section) = section else { return default };
    let format = section.parsed("format", "json or text", faults, |text| match text {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    let level = section.parsed("level", "error, warn, info, debug or trace", faults, |text| {
        ["error", "warn", "info", "debug", "trace"].contains(&text).then(|| text.to_owned())
    });
    section.finish(faults);
    Log { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) }
}

fn admin(section: Option<Section<'_>>, faults: &mut Faults) -> Option<std::net::SocketAddr> {
    let mut section = section?;
    let expected = "an address and port such as 127.0.0.1:8025";
    let listen: Option<std::net::SocketAddr> = section.parsed("listen", expected, faults, |text| text.parse().ok());
    section.require("listen", faults);
    if listen.is_some_and(|address| !address.ip().is_loopback()) {
        section.warn("listen", "the admin address has no login yet; keep it on a loopback address", faults);
    }
    section.finish(faults);
    listen
}

/// The profiles that come with the relay, with what the file says of them, and those it adds.
fn providers(section: Option<Section<'_>>, faults: &mut Faults) -> Vec<Provider> {
    let mut providers: Vec<Provider> =
        ["gmail", "outlook", "generic"].into_iter().filter_map(Provider::built_in).collect();
    let Some(mut section) = section else { return providers };
    for (name, mut entry) in section.named_tables(faults) {
        let base = entry.parsed("extends", "gmail, outlook or generic", faults, Provider::built_in);
        let base = base.or_else(|| Provider::built_in(name)).or_else(|| Provider::built_in("generic"));
        let Some(mut provider) = base else { continue };
        name.clone_into(&mut provider.name);
        provider.override_with(&mut entry, faults);
        entry.finish(faults);
        providers.retain(|known| known.name != name);
        providers.push(provider);
    }
    providers
}

fn listeners(root: &mut Section<'_>, tenants: &[tenant::Tenant], faults: &mut Faults) -> Vec<Listener> {
    let logins: HashSet<&str> =
        tenants.iter().flat_map(|tenant| &tenant.logins).map(|login| login.name.as_str()).collect();
    let (mut names, mut addresses) = (HashSet::new(), HashSet::new());
    let mut listeners = Vec::new();
    for section in root.tables("listeners", faults) {
        let Some((listener, section)) = listener::read(section, faults) else { continue };
        if !names.insert(listener.name.clone()) {
            section.error("name", "another listener has this name", faults);
        }
        if listener.address.port() != 0 && !addresses.insert(listener.address) {
            section.error("address", "another listener has this address", faults);
        }
        for entry in listener.networks.iter().filter(|entry| !logins.contains(entry.login.as_str())) {
            section.error("networks", format!("no tenant has a login `{}`", entry.login), faults);
        }
        section.finish(faults);
        listeners.push(listener);
    }
    if !root.has("listeners") {
        root.error("listeners", "missing; at least one [[listeners]] is needed", faults);
    }
    listeners
}

fn check_tenants(root: &Section<'_>, tenants: &[tenant::Tenant], faults: &mut Faults) {
    if tenants.is_empty() {
        root.error("tenants", "there is no tenant: put a file NAME.toml into the directory", faults);
    }
    let mut names = HashSet::new();
    for login in tenants.iter().flat_map(|tenant| &tenant.logins) {
        if !names.insert(&login.name) {
            root.error("tenants", format!("the login `{}` exists more than once over all tenants", login.name), faults);
        }
    }
}
