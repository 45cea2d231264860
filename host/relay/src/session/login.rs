//! Who the client is: STARTTLS, AUTH, and XCLIENT from named networks.

use posthouse_smtp::command::XClient;
use posthouse_smtp::reply::{EnhancedCode, Reply};
use posthouse_smtp::sasl::Credentials;
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::{info, warn};

use super::{End, OfTenant, Session};
use crate::authentication::Refusal;
use crate::client::Proof;
use crate::listener::any_contains;
use crate::snapshot::Known;

/// How long a failed login waits for its answer.
const FAILURE_DELAY: Duration = Duration::from_millis(500);

impl Session {
    pub(super) async fn start_tls(&mut self) -> Result<(), End> {
        self.flush().await?;
        let Some(acceptor) = self.rules.tls.clone() else {
            unreachable!("STARTTLS is offered only where there is a certificate")
        };
        let handshake = timeout(self.rules.timeouts.handshake, self.stream.accept_tls(&acceptor)).await;
        match handshake {
            Ok(Ok(())) => {
                self.client.tls = true;
                // Whoever logged in before may have been somebody in between (RFC 3207 4.2).
                self.client.is_its_network();
                self.protocol.secured();
                self.deadline = Instant::now() + self.patience();
                Ok(())
            }
            Ok(Err(error)) => {
                self.front.metrics.handshake_failures.increment(1);
                info!(session = %self.id, %error, "TLS handshake failed");
                Err(End::Closed)
            }
            Err(_) => {
                self.front.metrics.handshake_failures.increment(1);
                info!(session = %self.id, "TLS handshake timed out");
                Err(End::Closed)
            }
        }
    }

    pub(super) async fn authenticate(&mut self, credentials: Credentials) {
        let Credentials::Password { authorization_id, login, password } = credentials else {
            self.protocol.refuse(Reply::new(504, EnhancedCode::new(5, 5, 4), "that mechanism is not offered here"));
            return;
        };
        let known = self.front.snapshots.current().login(&login);
        let verified = if authorization_id.is_empty() || authorization_id == login {
            let hash = known.as_ref().and_then(|known| known.login.password.clone());
            let authentication = &self.front.authentication;
            authentication.verify(self.client.address, &login, password.expose(), hash.as_deref()).await
        } else {
            Err(Refusal::WrongCredentials)
        };
        match verified {
            Ok(()) if !self.is_of(known.as_ref()) => self.protocol.refuse(too_many_of_tenant()),
            Ok(()) => {
                self.front.metrics.logins.increment(1);
                info!(session = %self.id, login, peer = %self.client.address, "login");
                self.client.login = Some(login.into());
                self.client.proof = known.as_ref().map(Proof::of);
                self.tell_login(self.client.login.as_deref().unwrap_or_default(), None);
                self.protocol.accept_login();
            }
            Err(refusal) => {
                self.front.metrics.login_failures.increment(1);
                // What is nobody's login may be a password that was typed into the wrong field.
                let login_shown = if known.is_some() { login.as_str() } else { "(unknown)" };
                warn!(session = %self.id, login = login_shown, peer = %self.client.address, ?refusal, "login refused");
                let reply = answer(refusal);
                self.tell_login(&login, Some(&reply));
                sleep(FAILURE_DELAY).await;
                self.protocol.refuse(reply);
            }
        }
    }

    /// A named network speaks for another client (Postfix' XCLIENT).
    pub(super) fn identify(&mut self, identity: &XClient) {
        if !self.may_name_clients() {
            info!(session = %self.id, peer = %self.client.speaker, "XCLIENT refused: its network is trusted no more");
            let text = "this network may not name clients any more; connect anew";
            return self.protocol.refuse(Reply::new(550, EnhancedCode::new(5, 7, 0), text));
        }
        if let Some(address) = identity.address {
            self.client.address = address.to_canonical();
        }
        self.client.helo.clone_from(&identity.helo);
        info!(session = %self.id, peer = %self.client.address, "client named by XCLIENT");
        // Whoever it was before, it is somebody else now, with the login of its own network, if any.
        self.client.network_login = self.rules.login_of(self.client.address).cloned();
        self.client.is_its_network();
        if !self.is_of_its_tenant() {
            return self.protocol.refuse(too_many_of_tenant());
        }
        self.protocol.accept();
        if self.client.login.is_some() {
            self.protocol.presume_login();
        }
    }

    /// Whether whoever speaks may say XCLIENT today, as it might when it came.
    pub(super) fn may_name_clients(&self) -> bool {
        let snapshot = self.front.snapshots.current();
        snapshot.listener(&self.rules.name).is_some_and(|rules| any_contains(&rules.xclient_from, self.client.speaker))
    }

    /// Takes its place among the connections of the tenant that its login belongs to; whether there was one.
    pub(super) fn is_of_its_tenant(&mut self) -> bool {
        let known = self.client.login.as_deref().and_then(|login| self.front.snapshots.current().login(login));
        self.is_of(known.as_ref())
    }

    /// The same for somebody that it is about to be. Nobody needs no place.
    fn is_of(&mut self, known: Option<&Known>) -> bool {
        let Some(tenant) = known.map(|known| &known.tenant) else { return true };
        if self.of_tenant.as_ref().is_some_and(|of| of.tenant == tenant.id) {
            return true;
        }
        let place = tenant.limits.connections.try_take(1);
        self.of_tenant = place.map(|place| OfTenant { tenant: tenant.id.clone(), _place: place });
        if self.of_tenant.is_none() {
            tenant.metrics.turned_away.increment(1);
            info!(session = %self.id, tenant = tenant.id, "connection refused: too many of this tenant");
        }
        self.of_tenant.is_some()
    }

    /// Ends a session that its network's tenant has no place for.
    pub(super) fn close_for_tenant(&mut self) {
        self.protocol.close(too_many_of_tenant());
    }
}

fn too_many_of_tenant() -> Reply {
    Reply::new(421, EnhancedCode::new(4, 3, 2), "too many connections of this tenant; try again later")
}

fn answer(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::WrongCredentials => Reply::new(535, EnhancedCode::new(5, 7, 8), "authentication credentials invalid"),
        Refusal::TooManyFailures => {
            Reply::new(454, EnhancedCode::new(4, 7, 0), "too many failed logins from there; try again in some minutes")
        }
    }
}
