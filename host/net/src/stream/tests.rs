//! Streams over real sockets: what is noticed of a quiet peer, and that TLS is verified.

use std::future::poll_fn;
use std::task::{Context, Waker};
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::{Noise, Stream};
use crate::acceptor::Acceptor;
use crate::connector::{Connector, Trust};
use crate::error::Error;
use crate::listen::Listener;

struct Pki {
    acceptor: Acceptor,
    connector: Connector,
}

fn pki(name: &str) -> Pki {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    Pki {
        acceptor: Acceptor::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap(),
        connector: Connector::new(&Trust::Pem(ca_pem.into_bytes())).unwrap(),
    }
}

async fn pair(pki: &Pki) -> (Stream, Stream) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let (client, (server, _)) =
        tokio::join!(pki.connector.connect_tcp("127.0.0.1", address.port(), None), listener.accept());
    (client.unwrap(), server)
}

async fn tls_pair(pki: &Pki) -> (Stream, Stream) {
    let (mut client, mut server) = pair(pki).await;
    let (one, two) = tokio::join!(client.connect_tls(&pki.connector, "localhost"), server.accept_tls(&pki.acceptor));
    one.unwrap();
    two.unwrap();
    (client, server)
}

fn is_quiet(stream: &mut Stream) -> bool {
    stream.poll_quiet(&mut Context::from_waker(Waker::noop())).is_pending()
}

async fn noise(stream: &mut Stream) -> Noise {
    timeout(Duration::from_secs(5), poll_fn(|context| stream.poll_quiet(context))).await.unwrap()
}

#[tokio::test]
async fn octets_arrive_plain_and_under_tls() {
    let pki = pki("localhost");
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        let large = vec![b'x'; 300_000];
        let sending = tokio::spawn(async move {
            client.send(&large).await.unwrap();
            assert!(!client.nothing_sent());
            client.close().await;
            client
        });
        let mut received = 0;
        loop {
            match server.receive(<[u8]>::len).await.unwrap() {
                0 => break,
                count => received += count,
            }
        }
        assert_eq!(received, 300_000);
        sending.await.unwrap();
    }
}

#[tokio::test]
async fn tickets_that_come_while_idle_are_no_noise_and_an_end_is() {
    let pki = pki("localhost");
    let (mut client, mut server) = tls_pair(&pki).await;
    // One exchange, so that the server's tickets are on their way.
    server.send(b"220 hello\r\n").await.unwrap();
    assert_eq!(client.receive(<[u8]>::to_vec).await.unwrap(), b"220 hello\r\n");
    assert!(is_quiet(&mut client));
    server.close().await;
    assert_eq!(noise(&mut client).await, Noise::Closed);
}

#[tokio::test]
async fn stray_octets_and_a_reset_are_noticed() {
    let pki = pki("localhost");
    let (mut client, mut server) = tls_pair(&pki).await;
    server.send(b"421 bye\r\n").await.unwrap();
    assert_eq!(noise(&mut client).await, Noise::Bytes(b"421 bye\r\n".to_vec()));
    let (mut client, server) = pair(&pki).await;
    assert!(is_quiet(&mut client));
    server.reset();
    assert_eq!(noise(&mut client).await, Noise::Closed);
    assert!(client.send(b"x").await.is_err());
    assert!(client.nothing_sent());
}

#[tokio::test]
async fn other_names_and_other_roots_are_not_trusted() {
    let (ours, theirs) = (pki("localhost"), pki("localhost"));
    for (connector, name) in [(&ours.connector, "smtp.example.com"), (&theirs.connector, "localhost")] {
        let (mut client, mut server) = pair(&ours).await;
        let (refused, _) = tokio::join!(client.connect_tls(connector, name), server.accept_tls(&ours.acceptor));
        assert!(matches!(refused, Err(Error::Handshake(_))), "{refused:?}");
        assert!(client.send(b"secret").await.is_err());
    }
}

#[tokio::test]
async fn tls_that_is_cut_off_is_an_error_and_not_an_end() {
    let pki = pki("localhost");
    let (mut client, server) = tls_pair(&pki).await;
    let super::Kind::Tls(stream) = server.kind else { panic!("TLS") };
    let tokio_rustls::TlsStream::Server(stream) = *stream else { panic!("a server") };
    stream.into_inner().0.socket.shutdown().await.unwrap();
    assert_eq!(client.receive(<[u8]>::len).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn what_is_no_certificate_is_said_so() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    let other = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&other).unwrap().pem();
    let error = |certificate: &str, key: &str| Acceptor::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
    assert!(matches!(error("", &key), Error::NoCertificate));
    assert!(matches!(error(&certificate, "nonsense"), Error::NoKey));
    assert!(matches!(error(&certificate, &key), Error::Certificate(_)));
    assert!(matches!(Connector::new(&Trust::Pem(b"nonsense".to_vec())), Err(Error::NoRoots)));
}
