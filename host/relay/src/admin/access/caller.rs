//! Whose token a request shows, and what that token opens.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Method, header};
use posthouse_smtp::base64;
use tokio::time::Instant;
use tracing::warn;
use zeroize::Zeroizing;

use crate::admin::Admin;
use crate::admin::connections::Peer;
use crate::admin::failure::{Failure, shown};
use crate::audit::Actor;
use crate::config::Config;
use crate::config::token::{Digest, Reach, Token};

/// The longest token that is looked at.
const LONGEST: usize = 256;
/// All wrong tokens of an address count together.
const ANY: &str = "admin";

/// Whoever was let in.
#[derive(Debug, Clone)]
pub(in crate::admin) struct Caller {
    name: String,
    /// The one tenant whose token it is; none is an operator's.
    tenant: Option<String>,
    reach: Reach,
    digest: Digest,
    from: IpAddr,
}

impl Caller {
    /// Whose token the request shows.
    ///
    /// The right token is let in however many wrong ones came from the same address: it cannot be guessed, so that there
    /// is nothing to gain by waiting, and nobody behind the same address (or on this host) can lock an operator out.
    pub(super) fn of(admin: &Admin, config: &Config, request: &Request) -> Result<Self, Failure> {
        let from = request.extensions().get::<Peer>().expect("each connection says whose it is").address;
        let digest = Digest::of(&shown_token(request)?);
        if let Some(caller) = Self::known(config, digest, from) {
            return Ok(caller);
        }
        let now = Instant::now();
        if let Some(wait) = admin.failures.shut_for(from, ANY, now) {
            return Err(Failure::too_many(wait.as_secs() + 1));
        }
        admin.failures.count(from, ANY, now);
        warn!(%from, path = shown(request.uri().path()), "admin: unknown token");
        Err(Failure::unauthorized("this token is not configured"))
    }

    /// Whose token has this hash. Every token is looked at, whichever it is.
    fn known(config: &Config, digest: Digest, from: IpAddr) -> Option<Self> {
        let of_relay = config.admin.iter().flat_map(|admin| &admin.tokens).map(|token| (token, None));
        let of_tenants =
            config.tenants.iter().flat_map(|tenant| tenant.tokens.iter().map(move |token| (token, Some(&tenant.id))));
        let found = of_relay.chain(of_tenants).fold(None, |found, (token, tenant)| match token.digest.is(&digest) {
            true => Some((token, tenant)),
            false => found,
        });
        let (Token { name, reach, .. }, tenant) = found?;
        Some(Self { name: name.clone(), tenant: tenant.cloned(), reach: *reach, digest, from })
    }

    /// As the audit log names it.
    pub(in crate::admin) fn actor(&self) -> Actor {
        Actor { who: self.name.clone(), from: Some(self.from), tenant: self.tenant.clone() }
    }

    /// The one tenant that it may see; none is all of them.
    pub(in crate::admin) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Whether its token is configured still, for the same scope.
    pub(in crate::admin) fn holds(&self, config: &Config) -> bool {
        Self::known(config, self.digest, self.from).is_some_and(|caller| caller.tenant == self.tenant)
    }

    pub(super) fn is_operator(&self) -> Result<(), Failure> {
        let Some(tenant) = &self.tenant else { return Ok(()) };
        let error = format!("this is a token of tenant {tenant}, and the relay as a whole is its operator's");
        Err(Failure::forbidden(error, "use a token of [[admin.tokens]]"))
    }

    /// The same is answered for tenants that are there and for those that are not.
    pub(in crate::admin) fn may_open(&self, tenant: &str) -> Result<(), Failure> {
        match &self.tenant {
            Some(own) if own != tenant => {
                let error = format!("this is a token of tenant {own} and of no other");
                Err(Failure::forbidden(error, format!("ask for /v1/tenants/{own}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn may(&self, wanted: Reach) -> Result<(), Failure> {
        match (wanted, self.reach) {
            (Reach::Read, _) | (Reach::Change, Reach::Change) => Ok(()),
            (Reach::Change, Reach::Read) => {
                let next = "use a token of scope `operator`, or a tenant's without `read_only`";
                Err(Failure::forbidden(format!("token {} only reads", self.name), next))
            }
        }
    }
}

/// The token of the Authorization field: a bearer token (RFC 6750), or the password of a browser (RFC 7617).
///
/// A browser sends its password along with whatever another site's page makes it ask for, so that it is good for reading
/// only: no other site can read the answers.
fn shown_token(request: &Request) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Failure::unauthorized("a token is needed, and only one"));
    };
    let none = || Failure::unauthorized("the Authorization field holds no bearer token");
    let (scheme, shown) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(none)?;
    let shown = shown.trim().as_bytes();
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        Zeroizing::new(shown.to_vec())
    } else if scheme.eq_ignore_ascii_case("basic") {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Failure::unauthorized("a browser's password opens what is read, and changes nothing"));
        }
        password(shown).ok_or_else(none)?
    } else {
        return Err(none());
    };
    if (1..=LONGEST).contains(&token.len()) { Ok(token) } else { Err(none()) }
}

/// The password of `user:password` in base64; the user is whoever.
fn password(shown: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let pair = Zeroizing::new(base64::decode(shown)?);
    let colon = pair.iter().position(|octet| *octet == b':')?;
    Some(Zeroizing::new(pair[colon + 1..].to_vec()))
}
