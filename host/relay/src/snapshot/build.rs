//! From a configuration to a snapshot: values become what they stand for.

mod policy;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::{Connector, Trust};
use posthouse_oauth::client::Client;
use posthouse_smtp::sasl::{Mechanism, Mechanisms};
use posthouse_smtp::server::settings::{AuthRule, Extensions, Limits, LoginRule, Settings};
use posthouse_store::store::Store;
use posthouse_upstream::replies::Replies;

use super::{BuildError, Shared, Snapshot};
use crate::account::{Account, Surroundings, copy_logins, look_up};
use crate::budget::{Books, Budget};
use crate::config::Config;
use crate::config::listener::Listener;
use crate::config::tenant::{Route as RouteSettings, Tenant as TenantSettings};
use crate::listener::{Rules, Timeouts, TlsMode};
use crate::pauses::Pauses;
use crate::policies::Policies;
use crate::replies::unlisted;
use crate::tenant::{Login, Route, Tenant};
use crate::tenant_limits::Allowance;
use crate::validity::Validity;

pub(super) async fn snapshot(
    config: Arc<Config>,
    policies: &Arc<Policies>,
    previous: Option<Arc<Snapshot>>,
    store: Option<Arc<Store>>,
) -> Result<Snapshot, BuildError> {
    let (settings, before) = (Arc::clone(&config), previous.clone());
    // Keys are parsed and roots are read: not on a thread that carries mail.
    let built = tokio::task::spawn_blocking(move || Built::of(&settings, before.as_deref(), store));
    let Built { tenants, listeners, admin_tls, pauses, shared } =
        built.await.expect("building a snapshot does not panic")?;
    let policy::Loaded { tenants: with_policies, refused, stages } =
        policy::loaded(&config.tenants, tenants, policies, previous.as_deref()).await?;
    let before = previous;
    let (mut tenants, mut logins) = (HashMap::new(), HashMap::new());
    for (settings, tenant) in config.tenants.iter().zip(with_policies) {
        for login in &settings.logins {
            logins.insert(login.name.clone(), (tenant.id.clone(), Arc::new(Login::clone(login))));
        }
        tenants.insert(tenant.id.clone(), tenant);
    }
    let admin_certificate = config.admin.as_ref().and_then(|admin| admin.certificate.clone());
    Ok(Snapshot {
        generation: 0,
        hostname: config.hostname.clone(),
        delivery_deadline: config.timeouts.delivery,
        content_silence: config.timeouts.content,
        content_deadline: config.timeouts.message,
        replies: replies(&config, before.as_deref()),
        tenants,
        refused_policies: Arc::new(refused),
        stages,
        pauses,
        tally: before.map(|before| Arc::clone(&before.tally)).unwrap_or_default(),
        admin_tls,
        admin_certificate: admin_certificate.as_ref().and_then(Validity::of),
        logins: Arc::new(logins),
        listeners: Arc::new(listeners),
        shared,
        config,
    })
}

/// The table is the configuration's; what it misses is remembered from one generation to the next.
fn replies(config: &Config, previous: Option<&Snapshot>) -> Replies {
    let unlisted = previous.map_or_else(unlisted, |previous| Arc::clone(previous.replies.unlisted()));
    Replies::new(Arc::clone(&config.replies), unlisted)
}

/// All of a snapshot but its policies, in the order of the configuration.
struct Built {
    tenants: Vec<Arc<Tenant>>,
    listeners: HashMap<String, Arc<Rules>>,
    admin_tls: Option<Acceptor>,
    pauses: Arc<Pauses>,
    shared: Shared,
}

impl Built {
    fn of(config: &Config, previous: Option<&Snapshot>, store: Option<Arc<Store>>) -> Result<Self, BuildError> {
        let mut shared = match previous {
            Some(previous) => previous.shared.clone(),
            None => Shared {
                connectors: Connectors::default(),
                tokens: Client::new(None)?,
                books: Books::of(store.as_ref()),
                store,
            },
        };
        let around = Surroundings {
            hostname: &config.hostname,
            connect: config.timeouts.connect,
            session_wait: config.timeouts.session_wait,
            store: shared.store.clone(),
            tokens: shared.tokens.clone(),
            books: Arc::clone(&shared.books),
        };
        look_up_kept(config, previous, shared.store.as_ref())?;
        let pauses = match (previous, &shared.store) {
            (Some(previous), _) => Arc::clone(&previous.pauses),
            (None, Some(store)) => Arc::new(Pauses::stored(store.pauses().all()?)),
            (None, None) => Arc::default(),
        };
        let mut tenants = Vec::new();
        for settings in &config.tenants {
            let before = previous.and_then(|previous| previous.tenants.get(&settings.id));
            let allowance = Allowance::of(&config.limits, &settings.limits, config.tenants.len());
            let before = before.map(Arc::as_ref);
            let built = tenant((settings, allowance), before, &pauses, &mut shared.connectors, &around)?;
            let budget = settings.limits.recipients_per_day;
            let budget = budget.map(|limit| Budget::of_tenant(&settings.id, limit, &shared.books));
            tenants.push(Arc::new(built.within(budget)));
        }
        shared.connectors.forget_unused(config);
        let mut listeners = HashMap::new();
        for listener in &config.listeners {
            listeners.insert(listener.name.clone(), Arc::new(rules(config, listener, previous)?));
        }
        let admin_tls = admin_tls(config, previous)?;
        Ok(Self { tenants, listeners, admin_tls, pauses, shared })
    }
}

/// What was kept for accounts has to be readable: a relay that went on without would lose it.
fn look_up_kept(config: &Config, previous: Option<&Snapshot>, store: Option<&Arc<Store>>) -> Result<(), BuildError> {
    let Some(store) = store else { return Ok(()) };
    if previous.is_none() {
        copy_logins(store, config)?;
    }
    for tenant in &config.tenants {
        tenant.accounts.iter().try_for_each(|account| look_up(store, &tenant.id, account))?;
    }
    Ok(())
}

/// Connectors by the roots they trust: reading the system's roots takes longer than all the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Connectors {
    made: HashMap<Option<Arc<[u8]>>, Connector>,
}

impl Connectors {
    fn trusting(&mut self, ca_pem: Option<&Arc<[u8]>>) -> Result<Connector, posthouse_net::error::Error> {
        if let Some(connector) = self.made.get(&ca_pem.cloned()) {
            return Ok(connector.clone());
        }
        let connector = Connector::new(&ca_pem.map_or(Trust::System, |pem| Trust::Pem(pem.to_vec())))?;
        self.made.insert(ca_pem.cloned(), connector.clone());
        Ok(connector)
    }

    /// Roots that no account names any more are not kept; those of the system are.
    fn forget_unused(&mut self, config: &Config) {
        let accounts = || config.tenants.iter().flat_map(|tenant| &tenant.accounts);
        let used: HashSet<_> = accounts().map(|account| account.provider.ca_pem.as_ref()).collect();
        self.made.retain(|roots, _| roots.is_none() || used.contains(&roots.as_ref()));
    }
}

fn tenant(
    (settings, allowance): (&TenantSettings, Allowance),
    before: Option<&Tenant>,
    pauses: &Pauses,
    connectors: &mut Connectors,
    around: &Surroundings<'_>,
) -> Result<Tenant, BuildError> {
    let of_late = before.map(|before| Arc::clone(&before.refused_of_late)).unwrap_or_default();
    let mut accounts = HashMap::new();
    for account in &settings.accounts {
        let connector = connectors.trusting(account.provider.ca_pem.as_ref()).map_err(|source| BuildError::Trust {
            tenant: settings.id.clone(),
            account: account.id.clone(),
            source,
        })?;
        let built = match before.and_then(|before| before.predecessor_of(account)) {
            Some(before) => before.successor(&settings.id, account, connector, around),
            None => Arc::new(Account::new((&settings.id, &of_late), account, connector, around)),
        };
        accounts.insert(account.id.clone(), built);
    }
    let route = |route: &RouteSettings| Route { accounts: route.accounts.clone(), select: route.select };
    let routes = settings.routes.iter().map(|named| (named.name.clone(), route(named))).collect();
    let tenant = Tenant::new(settings.id.clone(), accounts, routes, settings.default_route.clone(), allowance);
    let tenant = tenant.knowing(of_late);
    Ok(match before {
        Some(before) => tenant.after(before),
        None => tenant.paused(pauses.of(&settings.id)),
    })
}

/// The same acceptor as before where the certificate has not changed.
fn admin_tls(config: &Config, previous: Option<&Snapshot>) -> Result<Option<Acceptor>, BuildError> {
    let certificate = |config: &Config| config.admin.as_ref().and_then(|admin| admin.certificate.clone());
    let Some(wanted) = certificate(config) else { return Ok(None) };
    if let Some(previous) = previous
        && certificate(&previous.config).as_ref() == Some(&wanted)
    {
        return Ok(previous.admin_tls.clone());
    }
    let acceptor = Acceptor::from_pem(&wanted.chain, wanted.key.expose().as_bytes());
    acceptor.map(Some).map_err(BuildError::AdminCertificate)
}

/// The listener's certificate, ready to use: the same acceptor as before where it has not changed, so that its
/// clients' tickets stay good.
fn acceptor(listener: &Listener, previous: Option<&Snapshot>) -> Result<Option<Acceptor>, BuildError> {
    let Some(certificate) = &listener.certificate else { return Ok(None) };
    if let Some(previous) = previous
        && let Some(before) = previous.config.listeners.iter().find(|before| before.name == listener.name)
        && before.certificate.as_ref() == Some(certificate)
        && let Some(rules) = previous.listener(&listener.name)
    {
        return Ok(rules.tls.clone());
    }
    let acceptor = Acceptor::from_pem(&certificate.chain, certificate.key.expose().as_bytes());
    let named = |source| BuildError::Certificate { listener: listener.name.clone(), source };
    acceptor.map(Some).map_err(named)
}

fn rules(config: &Config, listener: &Listener, previous: Option<&Snapshot>) -> Result<Rules, BuildError> {
    let tls = acceptor(listener, previous)?;
    let protocol = protocol(config, listener);
    let mut with_xclient = protocol.clone();
    with_xclient.extensions.xclient = true;
    let threshold = usize::try_from(config.limits.stream_threshold).unwrap_or(usize::MAX);
    Ok(Rules {
        name: listener.name.clone(),
        tls_mode: listener.tls,
        tls,
        certificate: listener.certificate.as_ref().and_then(Validity::of),
        protocol: Arc::new(protocol),
        protocol_with_xclient: Arc::new(with_xclient),
        timeouts: Timeouts {
            command: config.timeouts.command,
            content: config.timeouts.content,
            message: config.timeouts.message,
            handshake: config.timeouts.handshake,
        },
        networks: listener.networks.iter().map(|entry| (entry.network, entry.login.as_str().into())).collect(),
        proxy_protocol_from: listener.proxy_protocol_from.clone(),
        xclient_from: listener.xclient_from.clone(),
        clients: listener.clients,
        verify_recipients: listener.verify_recipients,
        stream_threshold: threshold,
    })
}

fn protocol(config: &Config, listener: &Listener) -> Settings {
    let limits = &config.limits;
    let offered = [Mechanism::Plain, Mechanism::Login];
    Settings {
        greeting: "ESMTP Posthouse".to_owned(),
        extensions: Extensions {
            starttls: listener.tls == TlsMode::StartTls,
            chunking: listener.chunking,
            ..Extensions::default()
        },
        mechanisms: if listener.auth.is_offered() { Mechanisms::of(&offered) } else { Mechanisms::default() },
        auth: if listener.auth_over_cleartext { AuthRule::AnyChannel } else { AuthRule::TlsOnly },
        login: LoginRule::Required,
        bearer_challenge: None,
        limits: Limits {
            message_size: listener.message_size.unwrap_or(limits.message_size),
            recipients: limits.recipients,
            errors: limits.errors_per_session,
            commands: limits.commands_without_message,
            auth_failures: limits.login_failures,
            ..Limits::default()
        },
        ..Settings::new(config.hostname.clone())
    }
}
