//! `tenants/NAME.toml`: a tenant's logins, accounts, routes and limits.

use std::collections::BTreeMap;

use posthouse_smtp::path::Mailbox;
use posthouse_upstream::provider::ProviderKind;
use toml::de::DeValue;

use crate::config::account::{self, Account};
use crate::config::defaults;
use crate::config::directory::Directories;
use crate::config::nearest::nearest;
use crate::config::password;
use crate::config::policy::{self, Policy};
use crate::config::provider::Provider;
use crate::config::section::Section;
use crate::config::source::Mark;
use crate::config::taken::Taken;
use crate::config::token::{self, Token};
use crate::config::value::Entry;
use crate::tenant::{Login, Select, Sender};

/// One tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// The stem of its file's name.
    pub id: String,
    /// Who may send for it.
    pub logins: Vec<Login>,
    /// The mailboxes that its mail leaves through.
    pub accounts: Vec<Account>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// The route of a message that no other rule places.
    pub default_route: Option<String>,
    /// What decides on its messages; none leaves it to the relay.
    pub policy: Option<Policy>,
    /// How much of everything it may have.
    pub limits: Limits,
    /// Who may see and change it by the admin API, and nothing else.
    pub tokens: Vec<Token>,
}

/// A tenant's `[limits]`, over all its accounts; none is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Deliveries at a time.
    pub sessions: Option<usize>,
    /// Messages in each minute.
    pub messages_per_minute: Option<u32>,
    /// Recipients in any 24 hours.
    pub recipients_per_day: Option<u64>,
}

/// A named way out: accounts in order of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name, unique in the tenant.
    pub name: String,
    /// Ids of the tenant's accounts.
    pub accounts: Vec<String>,
    /// Which of those that can carry a message does.
    pub select: Select,
}

const SELECTS: [(&str, Select); 4] = [
    ("order", Select::Order),
    ("least_loaded", Select::LeastLoaded),
    ("most_budget", Select::MostBudget),
    ("sticky_sender", Select::StickySender),
];

/// What has to be unique, or known, over all tenants.
#[derive(Debug)]
pub(super) struct AllTenants<'s> {
    /// The names of logins.
    pub(super) logins: Taken<'s>,
    /// The logins that no password opens, which only networks can be mapped to.
    pub(super) without_password: Vec<(String, Mark<'s>)>,
    /// The hashes of admin tokens.
    pub(super) tokens: Taken<'s>,
    /// The mailboxes at providers whose limits are each mailbox's.
    mailboxes: BTreeMap<String, (String, Mark<'s>)>,
    /// Microsoft directories with a limit.
    pub(super) directories: Directories<'s>,
}

impl<'s> AllTenants<'s> {
    /// None yet, in these directories.
    pub(super) fn none(directories: Directories<'s>) -> Self {
        let (logins, tokens) = (Taken::none(), Taken::none());
        Self { logins, without_password: Vec::new(), tokens, mailboxes: BTreeMap::new(), directories }
    }
}

/// A tenant's file; what is missing in the answer was noted as a fault.
pub(super) fn read<'s>(
    id: &str,
    root: Section<'s>,
    providers: &BTreeMap<String, Provider>,
    all: &mut AllTenants<'s>,
) -> Tenant {
    let mut accounts_known = Taken::none();
    let accounts = root.sections("accounts").into_iter().filter_map(|section| {
        claim(&mut accounts_known, &section, "id");
        let mark = section.mark.clone();
        let directory = all.directories.of(&section);
        let mut account = account::read(section, providers)?;
        account.directory = directory.filter(|_| account.provider.kind == ProviderKind::Outlook);
        check_mailbox(id, &account, mark, all);
        Some(account)
    });
    let accounts: Vec<_> = accounts.collect();
    let logins = read_logins(&root, &accounts_known, all);
    let mut routes_known = Taken::none();
    let routes = root.sections("routes").into_iter().filter_map(|section| {
        claim(&mut routes_known, &section, "name");
        read_route(section, &accounts_known)
    });
    let routes = routes.collect();
    let default_route = root.optional("default_route", |entry| known(entry, &routes_known, "route"));
    let policy = policy::read(&root);
    if default_route.is_none() && policy.is_none() && accounts_known.names().count() == accounts.len() {
        logins.iter().for_each(|(login, mark)| warn_of_no_way(login, mark, &accounts));
    }
    let logins = logins.into_iter().map(|(login, _)| login).collect();
    let limits = read_limits(&root);
    let tokens = token::of_tenant(&root, &mut all.tokens);
    root.finish_with(|key| {
        let is_main = ["hostname", "listeners", "admin", "alerts", "providers", "state_directory", "store", "timeouts"];
        is_main.contains(&key).then_some("it belongs into the main file, posthouse.toml")
    });
    Tenant { id: id.to_owned(), logins, accounts, routes, default_route, policy, limits, tokens }
}

fn read_limits(root: &Section<'_>) -> Limits {
    let Some(section) = root.section("limits") else { return Limits::default() };
    let limits = Limits {
        sessions: section.optional("sessions", |entry| entry.number(1..=defaults::COUNT_MOST)),
        messages_per_minute: section.optional("messages_per_minute", |entry| entry.number(1..=u32::MAX)),
        recipients_per_day: section.optional("recipients_per_day", |entry| entry.number(1..=u64::from(u32::MAX))),
    };
    section.finish();
    limits
}

fn read_logins<'s>(root: &Section<'s>, accounts: &Taken<'s>, all: &mut AllTenants<'s>) -> Vec<(Login, Mark<'s>)> {
    let sections = root.sections("logins");
    if sections.is_empty() {
        root.missing("logins", "a tenant needs at least one [[logins]]");
    }
    let logins = sections.into_iter().filter_map(|section| {
        claim(&mut all.logins, &section, "name");
        let mark = section.mark.clone();
        let login = read_login(section, accounts)?;
        if login.password.is_none() {
            all.without_password.push((login.name.clone(), mark.clone()));
        }
        Some((login, mark))
    });
    logins.collect()
}

/// Mail that a login may send and no account carries would be deferred for ever.
fn warn_of_no_way(login: &Login, mark: &Mark<'_>, accounts: &[Account]) {
    let is_carried = |sender: &Sender| {
        accounts.iter().any(|account| match sender {
            Sender::Address(address) => address.eq_ignore_ascii_case(&account.address),
            Sender::Domain(domain) => domain.eq_ignore_ascii_case(account.address.domain()),
        })
    };
    let sender = login.senders.iter().find(|sender| !is_carried(sender));
    if let Some(sender) = sender.filter(|_| login.account.is_none()) {
        let reason = format!("no account has the address {sender}, and nothing else places such a message");
        mark.fault(reason).suggest("give the login an `account`, or the tenant a `default_route`").warning();
    }
}

fn read_login(section: Section<'_>, accounts: &Taken<'_>) -> Option<Login> {
    let name = section.required("name", "the login's name", |entry| entry.name().map(str::to_owned));
    let password = section.entry("password").map(|entry| password_hash(&entry));
    let senders = section.required("senders", "the addresses that it may send from", |entry| {
        let entries = entry.list()?;
        if entries.is_empty() {
            entry.fault("expected at least one address or `@domain`").error();
        }
        Some(entries.iter().filter_map(sender).collect())
    });
    let account = section.optional("account", |entry| known(entry, accounts, "account"));
    section.finish();
    let password = match password {
        Some(password) => Some(password?),
        None => None,
    };
    Some(Login { name: name?, password, senders: senders?, account })
}

/// A hash is no secret as a password is, but nothing to show either.
fn password_hash(entry: &Entry<'_>) -> Option<String> {
    let text = match entry.value {
        DeValue::String(text) => text.as_ref(),
        _ => "",
    };
    match password::check(text) {
        Ok(()) => Some(text.to_owned()),
        Err(error) => {
            entry.mark.fault(error.to_string()).suggest("make one with `posthouse hash-password`").error();
            None
        }
    }
}

fn sender(entry: &Entry<'_>) -> Option<Sender> {
    let text = entry.text()?;
    // `*` may stand in an address, and is hardly ever meant so.
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, "example.com"));
    if local == "*" || domain.contains('*') {
        let domain = if domain.contains('*') { "example.com" } else { domain };
        let meant = format!("`@{domain}` is all of a domain");
        entry.fault("there are no patterns here").suggest(meant).error();
        return None;
    } else if local.contains('*') {
        entry.fault("there are no patterns here: it is an address with a `*` in it").warning();
    }
    match text.strip_prefix('@') {
        // A domain is right where an address in it is.
        Some(domain) if format!("user@{domain}").parse::<Mailbox>().is_ok() => Some(Sender::Domain(domain.to_owned())),
        Some(_) => {
            entry.fault("expected `user@example.com`, or `@example.com` for all of a domain").error();
            None
        }
        None => entry.parsed("`user@example.com`, or `@example.com` for all of a domain").map(Sender::Address),
    }
}

fn read_route(section: Section<'_>, accounts: &Taken<'_>) -> Option<Route> {
    let name = section.required("name", "the route's name", |entry| entry.name().map(str::to_owned));
    let ids = section.required("accounts", "the accounts of the route, in order", |entry| {
        let entries = entry.list()?;
        if entries.is_empty() {
            entry.fault("expected at least one account").error();
        }
        let mut used = Taken::none();
        let ids = entries.iter().filter_map(|entry| {
            let id = known(entry, accounts, "account")?;
            if used.take(&id, entry.mark.clone()).is_err() {
                entry.fault("the account is in this route already").error();
            }
            Some(id)
        });
        Some(ids.collect())
    });
    let select = section.or("select", Select::Order, |entry| entry.word(&SELECTS));
    section.finish();
    Some(Route { name: name?, accounts: ids?, select })
}

/// A mailbox's limits hold over all who use it: two accounts of one mailbox would be twice its limits.
fn check_mailbox<'s>(tenant: &str, account: &Account, mark: Mark<'s>, all: &mut AllTenants<'s>) {
    if account.provider.kind == ProviderKind::Generic {
        return;
    }
    let mailbox = format!("{} {}", account.provider.submission.0.to_lowercase(), account.user.to_lowercase());
    match all.mailboxes.get(&mailbox) {
        Some((owner, before)) if owner == tenant => {
            let reason =
                format!("the account at {} is the same mailbox, whose limits would be used twice", before.place());
            mark.fault(reason).shown(format!("{:?}", account.user)).error();
        }
        Some((owner, before)) => {
            let reason = format!(
                "tenant `{owner}` uses the same mailbox at {}; its limits are kept for each alone",
                before.place()
            );
            mark.fault(reason).shown(format!("{:?}", account.user)).warning();
        }
        None => {
            all.mailboxes.insert(mailbox, (tenant.to_owned(), mark));
        }
    }
}

/// Takes the name of a section before it is read, so that what refers to it is right even if it is not.
fn claim<'s>(taken: &mut Taken<'s>, section: &Section<'s>, key: &'static str) {
    if let Some(Entry { mark, value: DeValue::String(name) }) = section.entry(key) {
        taken.claim(name, &mark);
    }
}

/// A name that refers to something of the tenant's own.
fn known(entry: &Entry<'_>, taken: &Taken<'_>, what: &str) -> Option<String> {
    let name = entry.text()?;
    if taken.has(name) {
        return Some(name.to_owned());
    }
    let draft = entry.fault(format!("this tenant has no such {what}"));
    match nearest(name, taken.names()) {
        Some(meant) => draft.suggest(format!("did you mean `{meant}`?")).error(),
        None => draft.error(),
    }
    None
}
