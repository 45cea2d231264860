//! From a configuration to a snapshot: values become what they stand for.

mod policy;

use std::collections::HashMap;
use std::sync::Arc;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::{Connector, Trust};
use posthouse_oauth::client::Client;
use posthouse_smtp::sasl::{Mechanism, Mechanisms};
use posthouse_smtp::server::settings::{AuthRule, Extensions, Limits, LoginRule, Settings};

use super::{BuildError, Known, Snapshot};
use crate::account::{Account, Surroundings};
use crate::config::Config;
use crate::config::listener::Listener;
use crate::config::tenant::Tenant as TenantSettings;
use crate::listener::{Rules, Timeouts, TlsMode};
use crate::policies::Policies;
use crate::tenant::{Login, Tenant};

pub(super) async fn snapshot(config: &Config, policies: &Arc<Policies>) -> Result<Snapshot, BuildError> {
    let around = Surroundings {
        hostname: &config.hostname,
        connect: config.timeouts.connect,
        session_wait: config.timeouts.session_wait,
        state_directory: config.state_directory.as_deref(),
        tokens: Client::new(None)?,
    };
    let mut connectors = Connectors::default();
    let (mut tenants, mut logins) = (HashMap::new(), HashMap::new());
    let mut without_policies = Vec::new();
    for settings in &config.tenants {
        without_policies.push(Arc::new(tenant(settings, &mut connectors, &around)?));
    }
    let (with_policies, refused_policies) = policy::loaded(&config.tenants, without_policies, policies).await?;
    for (settings, tenant) in config.tenants.iter().zip(with_policies) {
        for login in &settings.logins {
            let known = Known { tenant: Arc::clone(&tenant), login: Arc::new(Login::clone(login)) };
            logins.insert(login.name.clone(), known);
        }
        tenants.insert(tenant.id.clone(), tenant);
    }
    let mut listeners = HashMap::new();
    for listener in &config.listeners {
        listeners.insert(listener.name.clone(), Arc::new(rules(config, listener)?));
    }
    Ok(Snapshot {
        hostname: config.hostname.clone(),
        delivery_deadline: config.timeouts.delivery,
        content_silence: config.timeouts.content,
        content_deadline: config.timeouts.message,
        tenants,
        refused_policies,
        logins,
        listeners,
    })
}

/// Connectors by the roots they trust: reading the system's roots takes longer than all the rest.
#[derive(Default)]
struct Connectors {
    made: HashMap<Option<Vec<u8>>, Connector>,
}

impl Connectors {
    fn trusting(&mut self, ca_pem: Option<&Vec<u8>>) -> Result<Connector, posthouse_net::error::Error> {
        if let Some(connector) = self.made.get(&ca_pem.cloned()) {
            return Ok(connector.clone());
        }
        let connector = Connector::new(&ca_pem.map_or(Trust::System, |pem| Trust::Pem(pem.clone())))?;
        self.made.insert(ca_pem.cloned(), connector.clone());
        Ok(connector)
    }
}

fn tenant(
    settings: &TenantSettings,
    connectors: &mut Connectors,
    around: &Surroundings<'_>,
) -> Result<Tenant, BuildError> {
    let mut accounts = HashMap::new();
    for account in &settings.accounts {
        let connector = connectors.trusting(account.provider.ca_pem.as_ref()).map_err(|source| BuildError::Trust {
            tenant: settings.id.clone(),
            account: account.id.clone(),
            source,
        })?;
        let built = Account::new(&settings.id, account, connector, around);
        accounts.insert(account.id.clone(), Arc::new(built));
    }
    let routes = settings.routes.iter().map(|route| (route.name.clone(), route.accounts.clone())).collect();
    Ok(Tenant::new(settings.id.clone(), accounts, routes, settings.default_route.clone()))
}

fn rules(config: &Config, listener: &Listener) -> Result<Rules, BuildError> {
    let tls = match &listener.certificate {
        Some(certificate) => {
            let acceptor = Acceptor::from_pem(&certificate.chain, certificate.key.expose().as_bytes());
            let named = |source| BuildError::Certificate { listener: listener.name.clone(), source };
            Some(acceptor.map_err(named)?)
        }
        None => None,
    };
    let protocol = protocol(config, listener);
    let mut with_xclient = protocol.clone();
    with_xclient.extensions.xclient = true;
    let threshold = usize::try_from(config.limits.stream_threshold).unwrap_or(usize::MAX);
    Ok(Rules {
        name: listener.name.clone(),
        tls_mode: listener.tls,
        tls,
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
