//! Nothing secret is said to a peer that has not proved its name.

use posthouse_net::acceptor::Acceptor;
use posthouse_net::connector::{Connector, Trust};
use posthouse_smtp::client::TlsRule;
use posthouse_upstream::error::Error;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::verdict::Clients;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::provider::Provider;
use crate::relay::{limits, send, until};

/// A certificate for the name, and the authority that vouches for it.
pub(crate) fn certificate(name: &str) -> (Acceptor, Trust) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap().pem();
    let acceptor = Acceptor::from_pem(leaf.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    (acceptor, Trust::Pem(root.into_bytes()))
}

/// A provider of this name, and the relay that expects `smtp.example.com` there.
async fn provider_named(name: &str, tls: TlsRule) -> (Provider, Pool) {
    let (acceptor, trust) = certificate(name);
    let provider = match tls {
        TlsRule::Implicit => Provider::with_tls(acceptor).await,
        TlsRule::StartTls | TlsRule::None => Provider::with_starttls(acceptor).await,
    };
    let mut target = provider.target();
    target.tls = tls;
    target.connector = Connector::new(&trust).unwrap();
    (provider, Pool::new(target, limits()))
}

#[tokio::test]
async fn messages_share_a_tls_session() {
    for tls in [TlsRule::Implicit, TlsRule::StartTls] {
        let (provider, pool) = provider_named("smtp.example.com", tls).await;
        for _ in 0..3 {
            send(&pool).await.unwrap();
        }
        assert_eq!((provider.connections(), provider.messages().len()), (1, 3));
    }
}

#[tokio::test]
async fn a_peer_with_another_name_hears_nothing() {
    for tls in [TlsRule::Implicit, TlsRule::StartTls] {
        let (provider, pool) = provider_named("other.example.com", tls).await;
        let error = send(&pool).await.unwrap_err();
        assert!(matches!(error, Error::Insecure { .. }), "{error}");
        assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
        assert!(!provider.lines().iter().any(|line| line.starts_with("AUTH")));
    }
}

#[tokio::test]
async fn a_peer_without_starttls_hears_no_credentials() {
    let provider = Provider::friendly().await;
    let mut target = provider.target();
    target.tls = TlsRule::StartTls;
    let error = send(&Pool::new(target, limits())).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
    assert!(!provider.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn the_end_of_an_idle_tls_session_is_noticed() {
    let (provider, pool) = provider_named("smtp.example.com", TlsRule::Implicit).await;
    send(&pool).await.unwrap();
    provider.end_all();
    until(|| pool.gauges().open == 0).await;
    assert!(!send(&pool).await.unwrap().reused);
    assert_eq!((provider.messages().len(), pool.gauges().retries), (2, 0));
}
