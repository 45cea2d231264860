//! The main file's own keys, and the order in which everything is read: what others refer to comes first.

use std::path::PathBuf;

use posthouse_smtp::path::Mailbox;
use toml::Spanned;
use toml::de::DeTable;

use crate::config::Config;
use crate::config::account::Account;
use crate::config::defaults;
use crate::config::directory;
use crate::config::fault::Findings;
use crate::config::files::{self, File};
use crate::config::limits;
use crate::config::listener;
use crate::config::section::Section;
use crate::config::source::Source;
use crate::config::tenant::{self, AllTenants, Tenant};
use crate::config::value::Entry;
use crate::config::{admin, alerts, log, policy, provider, replies, store};

/// The files that the main file's `tenants` leads to, with each tenant's id; none where that cannot
/// be told. (The key's own faults are told by `read`.)
pub(super) fn tenant_files(main: &File, findings: &Findings) -> Option<Vec<(String, File)>> {
    let silent = Findings::default();
    let source = main.source(0, &silent);
    let table = source.parse()?;
    let root = Section::root(&source, table.get_ref());
    let directory = root.or("tenants", source.path(defaults::TENANTS), Entry::path);
    findings.tenants_in(&directory);
    let place = main.source(0, findings);
    let mut mark = root.mark_of("tenants");
    mark.source = &place;
    let paths = match files::tenants(&directory) {
        Ok(paths) => paths,
        Err(error) => {
            mark.fault(format!("cannot read the directory {}: {error}", directory.display())).error();
            return None;
        }
    };
    let read = |(index, path): (usize, &PathBuf)| {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (id, File::read(index + 1, path, findings))
    };
    Some(paths.iter().enumerate().map(read).collect())
}

/// Reads all of it. A configuration is made even where something was wrong, as far as it goes; it
/// counts only if nothing was noted as an error.
pub(super) fn read(main: &File, tenants: Option<&[(String, File)]>, findings: &Findings) -> Option<Config> {
    let tenant_sources: Vec<Source<'_>> =
        tenants.unwrap_or_default().iter().zip(1..).map(|((_, file), order)| file.source(order, findings)).collect();
    let tenant_tables: Vec<Option<Spanned<DeTable<'_>>>> = tenant_sources.iter().map(Source::parse).collect();
    let source = main.source(0, findings);
    let table = source.parse()?;
    let root = Section::root(&source, table.get_ref());
    let providers = provider::read(&root);
    let mut all = AllTenants::none(directory::read(&root));
    let mut read_tenants = Vec::new();
    let ids = tenants.unwrap_or_default().iter().map(|(id, _)| id);
    for ((id, source), table) in ids.zip(&tenant_sources).zip(&tenant_tables) {
        check_id(id, source);
        let Some(table) = table else { continue };
        read_tenants.push(tenant::read(id, Section::root(source, table.get_ref()), &providers, &mut all));
    }
    let all_are_known = tenants.is_some() && tenant_tables.iter().all(Option::is_some);
    read_main(root, tenants, read_tenants, &all, all_are_known)
}

fn read_main(
    root: Section<'_>,
    files: Option<&[(String, File)]>,
    tenants: Vec<Tenant>,
    all: &AllTenants<'_>,
    all_are_known: bool,
) -> Option<Config> {
    let hostname = root.required("hostname", "the relay's own name, such as \"relay.example.com\"", hostname);
    let directory = root.or("tenants", root.mark.source.path(defaults::TENANTS), Entry::path);
    if files.is_some_and(<[_]>::is_empty) {
        let reason = format!("there is no tenant: {} holds no *.toml", directory.display());
        root.mark_of("tenants").fault(reason).suggest("a tenant is a file there: NAME.toml").error();
    }
    let limits = limits::read_limits(&root);
    let listeners = listener::read(&root, all_are_known.then_some(&all.logins));
    let config = Config {
        hostname: hostname.unwrap_or_default(),
        state_directory: root.optional("state_directory", state_directory),
        store_keys: store::read(&root),
        timeouts: limits::read_timeouts(&root),
        log: log::read(&root),
        replies: replies::read(&root, files.map_or(0, <[_]>::len) + 1),
        policies: policy::read_policies(&root),
        admin: admin::read(&root, &listeners, &all.tokens),
        alerts: alerts::read(&root),
        limits,
        listeners,
        tenants,
    };
    let uploads = |tenant: &&Tenant| tenant.policy.as_ref().is_some_and(|policy| policy.file.is_none());
    if let Some(tenant) = config.tenants.iter().find(uploads).filter(|_| config.state_directory.is_none()) {
        let reason =
            format!("the policies of tenant {} are uploaded (its [policy] has no `file`), and kept there", tenant.id);
        root.missing("state_directory", &reason);
    }
    let kept = |account: &&Account| account.lacks_refresh_token();
    let without =
        |tenant: &Tenant| tenant.accounts.iter().find(kept).map(|account| format!("{}/{}", tenant.id, account.id));
    if let Some(account) = config.tenants.iter().find_map(without).filter(|_| config.state_directory.is_none()) {
        let reason =
            format!("the refresh token of {account} is not in the configuration (`refresh_token`), and kept there");
        root.missing("state_directory", &reason);
    }
    root.finish_with(|key| {
        let is_tenants = ["logins", "accounts", "routes", "default_route", "policy", "tokens"].contains(&key);
        is_tenants.then_some("it belongs into a tenant's file: tenants/NAME.toml")
    });
    all.directories.warn_of_unused();
    warn_of_idle_logins(&config, all);
    Some(config)
}

fn hostname(entry: &Entry<'_>) -> Option<String> {
    let name = entry.text()?;
    if !name.is_ascii() || format!("postmaster@{name}").parse::<Mailbox>().is_err() {
        entry.fault("expected a domain name, or an address as `[192.0.2.1]` (RFC 5321 2.3.5)").error();
    } else if !name.contains(['.', ':']) {
        entry.fault("it is not fully qualified; providers and spam filters look at it").warning();
    }
    Some(name.to_owned())
}

fn state_directory(entry: &Entry<'_>) -> Option<PathBuf> {
    let path = entry.path()?;
    if path.is_file() {
        entry.fault("it is a file, and a directory is wanted").error();
    } else if !path.is_dir() {
        let reason = "there is no such directory (yet): renewed refresh tokens could not be kept";
        entry.fault(reason).suggest("make it, readable by the relay only").warning();
    }
    Some(path)
}

fn check_id(id: &str, source: &Source<'_>) {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    if id.len() > 64 || !id.bytes().all(fits) {
        let reason = "the tenant's id is the file's name without .toml: at most 64 letters, digits and `.`, `_`, `-`";
        source.whole().fault(reason).error();
    }
}

/// A login that neither a password nor a network opens is of no use, and often a forgotten line.
fn warn_of_idle_logins(config: &Config, all: &AllTenants<'_>) {
    let is_mapped = |name: &str| {
        config.listeners.iter().flat_map(|listener| &listener.networks).any(|network| network.login == name)
    };
    for (name, mark) in &all.without_password {
        if !is_mapped(name) {
            let reason = "nobody can be this login: it has no `password`, and no listener maps a network to it";
            mark.fault(reason).warning();
        }
    }
}
