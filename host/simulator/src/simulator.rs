//! A running simulator: its addresses, and the handles with which a test steers it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::account::Account;
use crate::applications::{Application, Delegation, FEDERATION_AUDIENCE, ISSUER};
use crate::authority::Authority;
use crate::connection::Port;
use crate::consents::Decision;
use crate::error::Error;
use crate::faults::{Fault, Injected};
use crate::keys::{self, Issuer};
use crate::ledger::Ledger;
use crate::mailbox::{Mailbox, Report};
use crate::options::Options;
use crate::ports::{Ports, loopback};
use crate::provider::Provider;
use crate::token_endpoint;
use crate::token_faults::TokenFault;
use crate::world::{Side, World};

/// A certificate chain and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The chain.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// A fake Gmail and a fake Outlook. They end when this is dropped.
pub struct Simulator {
    world: Arc<World>,
    ports: Ports,
    authority: Authority,
    token_address: SocketAddr,
    token_endpoint: Mutex<Option<JoinHandle<()>>>,
}

impl Simulator {
    /// Starts both providers and the token endpoint on 127.0.0.1.
    ///
    /// # Errors
    /// A port is taken.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let authority = Authority::new().map_err(Error::Certificate)?;
        let sides = [side(Provider::Gmail, &options, &authority)?, side(Provider::Outlook, &options, &authority)?];
        let world = Arc::new(World::new(&options, sides, Issuer::new()?));
        let ports = Ports::new(Arc::clone(&world));
        for provider in Provider::ALL {
            let wanted = options.provider(provider);
            let kinds = [
                (Port::Implicit, wanted.implicit_port),
                (Port::StartTls, wanted.starttls_port),
                (Port::Api, wanted.api_port),
            ];
            for (kind, port) in kinds {
                ports.open(provider, kind, port).map_err(|source| Error::Listen { port, source })?;
            }
        }
        let port = options.token_port;
        let listener = TcpListener::bind(loopback(port)).await.map_err(|source| Error::Listen { port, source })?;
        let token_address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let _ = world.token_address.set(token_address);
        let endpoint = tokio::spawn(token_endpoint::serve(listener, Arc::clone(&world)));
        let simulator = Self { world, ports, authority, token_address, token_endpoint: Mutex::new(Some(endpoint)) };
        for mailbox in options.mailboxes {
            simulator.add_mailbox(mailbox);
        }
        Ok(simulator)
    }

    /// Cuts all connections off and closes all ports; returns when that is done.
    pub async fn stop(&self) {
        self.ports.stop().await;
        let endpoint = self.token_endpoint.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = endpoint {
            task.abort();
            let _ = task.await;
        }
    }

    /// The certificate authority to be trusted, in PEM.
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// A server certificate of this authority for `hostname`, localhost and 127.0.0.1, for servers other than these.
    ///
    /// # Errors
    /// The name cannot stand in a certificate.
    pub fn issue_certificate(&self, hostname: &str) -> Result<Certificate, Error> {
        let identity = self.authority.issue(hostname).map_err(Error::Certificate)?;
        Ok(Certificate { certificate: identity.certificate, key: identity.key })
    }

    /// Where this provider speaks TLS from the first octet.
    ///
    /// # Panics
    /// Never: each provider has such a port.
    pub fn implicit_address(&self, provider: Provider) -> SocketAddr {
        self.ports.address(provider, Port::Implicit).expect("each provider has an implicit port")
    }

    /// Where this provider offers STARTTLS.
    ///
    /// # Panics
    /// Never: each provider has such a port.
    pub fn starttls_address(&self, provider: Provider) -> SocketAddr {
        self.ports.address(provider, Port::StartTls).expect("each provider has a STARTTLS port")
    }

    /// Where this provider's interface over HTTP is: Microsoft Graph, the Gmail API.
    ///
    /// # Panics
    /// Never: each provider has such a port.
    pub fn api_address(&self, provider: Provider) -> SocketAddr {
        self.ports.address(provider, Port::Api).expect("each provider has a port for its interface")
    }

    /// Where tokens are issued.
    pub const fn token_address(&self) -> SocketAddr {
        self.token_address
    }

    /// The URL of this provider's token endpoint; Outlook's for this directory, or for `common`.
    pub fn token_url(&self, provider: Provider, directory: Option<&str>) -> String {
        self.world.place(provider, directory)
    }

    /// The URL where a browser asks for consent; Outlook's for this directory, or for `common`.
    pub fn authorize_url(&self, provider: Provider, directory: Option<&str>) -> String {
        let base = self.world.base();
        match provider {
            Provider::Gmail => format!("{base}/google/auth"),
            Provider::Outlook => format!("{base}/{}/oauth2/v2.0/authorize", directory.unwrap_or("common")),
        }
    }

    /// The URL where a device asks for a code: Outlook's for this directory, or for `common`.
    pub fn device_url(&self, directory: Option<&str>) -> String {
        format!("{}/{}/oauth2/v2.0/devicecode", self.world.base(), directory.unwrap_or("common"))
    }

    /// The URL where other servers ask what a token opens (RFC 7662).
    pub fn introspection_url(&self) -> String {
        format!("http://{}/introspect", self.token_address)
    }

    /// What reached the providers.
    pub fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    /// Adds a mailbox; one of the same provider and address is replaced.
    pub fn add_mailbox(&self, mailbox: Mailbox) {
        let limits = self.world.side(mailbox.provider).options.limits.clone();
        if let Some(old) = self.world.accounts.find(mailbox.provider, &mailbox.address) {
            self.world.tokens.revoke(&old);
        }
        let account = self.world.accounts.add(Account::new(mailbox, limits));
        self.world.tokens.consent(&account);
    }

    /// Lets an application act for itself at Outlook; one of the same id is replaced.
    pub fn register(&self, application: Application) {
        self.world.applications.register(application);
    }

    /// A service account at Gmail with a new key: the key file that the console would hand out.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn service_account(&self, email: &str, delegation: Delegation) -> Result<String, Error> {
        let number = self.world.tokens.number();
        let (public, file) = keys::service_account(email, number)?;
        self.world.applications.add_key(email, delegation, public);
        Ok(file)
    }

    /// A token of another issuer for this subject, such as a Kubernetes cluster writes into a file.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn federated_token(&self, subject: &str, lifetime: Duration) -> Result<String, Error> {
        let now = self.world.clock().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let ends = now + lifetime.as_secs();
        self.world.issuer.token(&serde_json::json!({
            "iss": ISSUER, "aud": FEDERATION_AUDIENCE, "sub": subject, "iat": now, "exp": ends,
        }))
    }

    /// Puts the token endpoint's clock ahead of this host's, or (negative) behind it.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.world.clock_ahead.store(seconds, std::sync::atomic::Ordering::Relaxed);
    }

    /// The codes that devices show and that nobody has decided on yet.
    pub fn device_codes(&self) -> Vec<String> {
        self.world.consents.waiting()
    }

    /// The owner of a mailbox types a device's code in, and agrees.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn approve_device(&self, user_code: &str, address: &str) -> Result<(), Error> {
        let account = self.account(Provider::Outlook, address)?;
        self.world.consents.decide(user_code, Decision::Approved(account));
        Ok(())
    }

    /// Somebody types a device's code in, and does not agree.
    pub fn decline_device(&self, user_code: &str) {
        self.world.consents.decide(user_code, Decision::Declined);
    }

    /// What was counted of a mailbox.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn report(&self, provider: Provider, address: &str) -> Result<Report, Error> {
        Ok(self.account(provider, address)?.report())
    }

    /// What was counted of all mailboxes, by provider and address.
    pub fn reports(&self) -> Vec<Report> {
        self.world.accounts.list().iter().map(|account| account.report()).collect()
    }

    /// The owner takes the consent back: `invalid_grant` from now on, and the access tokens are dead.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn revoke(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.world.tokens.revoke(&self.account(provider, address)?);
        Ok(())
    }

    /// The owner consents again: the mailbox' refresh token works.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn consent(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.world.tokens.consent(&self.account(provider, address)?);
        Ok(())
    }

    /// The access tokens that were issued for the mailbox die before their time; its refresh tokens work.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn expire_access_tokens(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.world.tokens.expire(&self.account(provider, address)?);
        Ok(())
    }

    /// An administrator switches SMTP off for the mailbox: logins are refused.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn disable(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.account(provider, address)?.disable(true);
        Ok(())
    }

    /// An administrator switches SMTP on again.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn enable(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.account(provider, address)?.disable(false);
        Ok(())
    }

    /// The mailbox' day and minute begin anew.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn forget_quotas(&self, provider: Provider, address: &str) -> Result<(), Error> {
        self.account(provider, address)?.forget_quotas();
        Ok(())
    }

    /// Lets something go wrong.
    pub fn inject(&self, provider: Provider, fault: Fault) -> Injected {
        self.world.side(provider).faults.inject(fault)
    }

    /// Takes all faults of this provider away.
    pub fn clear_faults(&self, provider: Provider) {
        self.world.side(provider).faults.clear();
    }

    /// Lets something go wrong at the token endpoint.
    pub fn inject_token_fault(&self, fault: TokenFault) -> Injected {
        self.world.token_faults.inject(fault)
    }

    /// Takes all faults of the token endpoint away.
    pub fn clear_token_faults(&self) {
        self.world.token_faults.clear();
    }

    /// Refuses connections to this provider from now on (connection refused). Those that exist go on.
    pub async fn close_ports(&self, provider: Provider) {
        self.ports.close(provider).await;
    }

    /// Accepts connections to this provider again, on the same ports.
    ///
    /// # Errors
    /// Somebody else has taken a port in the meantime.
    pub fn open_ports(&self, provider: Provider) -> Result<(), Error> {
        let port = self.starttls_address(provider).port();
        self.ports.reopen(provider).map_err(|source| Error::Listen { port, source })
    }

    /// How long each reply of this provider is on its way from now on.
    pub fn set_latency(&self, provider: Provider, latency: Duration) {
        self.world.side(provider).latency.set(latency);
    }

    /// How long access tokens of this provider that are issued from now on are valid.
    pub fn set_token_lifetime(&self, provider: Provider, lifetime: Duration) {
        self.world.side(provider).token_lifetime.set(lifetime);
    }

    fn account(&self, provider: Provider, address: &str) -> Result<Arc<Account>, Error> {
        self.world.accounts.find(provider, address).ok_or_else(|| Error::NoSuchMailbox(address.to_owned()))
    }
}

fn side(provider: Provider, options: &Options, authority: &Authority) -> Result<Side, Error> {
    let identity = authority.issue(provider.hostname()).map_err(Error::Certificate)?;
    let acceptor = Acceptor::from_pem(identity.certificate.as_bytes(), identity.key.as_bytes()).map_err(Error::Tls)?;
    Ok(Side::new(provider, options, acceptor))
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(task) = self.token_endpoint.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("token_address", &self.token_address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
