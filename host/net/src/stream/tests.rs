//! Streams over real sockets: what is noticed of a quiet peer, and that TLS is verified.

use std::future::poll_fn;
use std::task::{Context, Waker};
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair};
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::timeout;
use tokio_rustls::rustls::HandshakeKind;

use super::{Kind, Noise, Stream};
use crate::acceptor::Acceptor;
use crate::connector::{Connector, Trust};
use crate::error::Error;
use crate::listen::Listener;

const SOON: Duration = Duration::from_secs(5);

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

/// Whether the runtime would answer a read without asking the kernel.
fn would_ask_nobody(stream: &Stream) -> bool {
    let socket = &stream.socket().unwrap().socket;
    socket.poll_read_ready(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn is_quiet(stream: &mut Stream) -> bool {
    stream.poll_quiet(&mut Context::from_waker(Waker::noop())).is_pending()
}

async fn noise(stream: &mut Stream) -> Noise {
    timeout(SOON, poll_fn(|context| stream.poll_quiet(context))).await.unwrap()
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
        server.shut_down().await.unwrap();
        assert_eq!(received, 300_000);
        sending.await.unwrap();
    }
}

#[tokio::test]
async fn tickets_that_come_while_idle_are_no_noise_and_an_end_is() {
    let pki = pki("localhost");
    let (mut client, mut server) = tls_pair(&pki).await;
    // The server has said nothing, so that what can be read is its ticket.
    timeout(SOON, client.socket().unwrap().socket.readable()).await.unwrap().unwrap();
    assert!(is_quiet(&mut client));
    assert!(would_ask_nobody(&client));
    tokio::join!(server.close(), async { assert_eq!(noise(&mut client).await, Noise::Closed) });
}

#[tokio::test]
async fn a_quiet_peer_costs_no_system_call() {
    let pki = pki("localhost");
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        server.send(b"250 ok\r\n").await.unwrap();
        assert_eq!(client.receive(<[u8]>::to_vec).await.unwrap(), b"250 ok\r\n");
        // The runtime knows since the last read that there is no more.
        assert!(would_ask_nobody(&client));
        assert!(is_quiet(&mut client));
    }
}

#[tokio::test]
async fn a_look_is_taken_even_by_a_task_that_has_used_up_its_turn() {
    let (mut client, mut server) = pair(&pki("localhost")).await;
    server.send(b"250 stray\r\n").await.unwrap();
    timeout(SOON, client.socket().unwrap().socket.readable()).await.unwrap().unwrap();
    while has_budget_remaining() {
        consume_budget().await;
    }
    assert!(!is_quiet(&mut client));
}

#[tokio::test]
async fn every_way_to_end_is_noticed() {
    let pki = pki("localhost");
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        server.shut_down().await.unwrap();
        assert_eq!(noise(&mut client).await, Noise::Closed);
    }
    for (mut client, server) in [pair(&pki).await, tls_pair(&pki).await] {
        server.reset();
        assert_eq!(noise(&mut client).await, Noise::Closed);
    }
    let (mut client, server) = tls_pair(&pki).await;
    // Without the end that TLS prescribes.
    drop(server);
    assert_eq!(noise(&mut client).await, Noise::Closed);
}

#[tokio::test]
async fn the_last_reply_is_heard_although_octets_were_left_unread() {
    let pki = pki("localhost");
    // More than is on its way at once: a reset would throw away what still waits to be sent.
    let reply = vec![b'x'; 200_000];
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        SockRef::from(&server.socket().unwrap().socket).set_send_buffer_size(1 << 20).unwrap();
        client.send(b"NOOP\r\nNOOP\r\n").await.unwrap();
        client.shut_down().await.unwrap();
        timeout(SOON, server.send(&reply)).await.expect("it fits into the buffers").unwrap();
        server.close().await;
        drop(server);
        let mut heard = 0;
        while heard < reply.len() {
            heard += client.receive(<[u8]>::len).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_second_connection_resumes_the_session_of_the_first() {
    let pki = pki("localhost");
    let (mut client, _server) = tls_pair(&pki).await;
    timeout(SOON, client.socket().unwrap().socket.readable()).await.unwrap().unwrap();
    assert!(is_quiet(&mut client));
    let (client, _server) = tls_pair(&pki).await;
    let Kind::Tls(stream) = client.kind else { panic!("TLS") };
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[tokio::test]
async fn at_most_as_much_is_read_as_asked_for() {
    let pki = pki("localhost");
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        client.send(b"DATA\r\nbody").await.unwrap();
        assert_eq!(server.receive_at_most(6, <[u8]>::to_vec).await.unwrap(), b"DATA\r\n");
        assert_eq!(server.receive(<[u8]>::to_vec).await.unwrap(), b"body");
    }
}

#[tokio::test]
async fn stray_octets_are_kept_and_a_reset_leaves_nothing_sent() {
    let pki = pki("localhost");
    for (mut client, mut server) in [pair(&pki).await, tls_pair(&pki).await] {
        server.send(b"421 bye\r\n").await.unwrap();
        assert_eq!(noise(&mut client).await, Noise::Bytes(b"421 bye\r\n".to_vec()));
        assert!(is_quiet(&mut client));
        server.reset();
        assert_eq!(noise(&mut client).await, Noise::Closed);
        assert!(client.send(b"x").await.is_err());
        assert!(client.nothing_sent());
    }
}

#[tokio::test]
async fn other_names_and_other_roots_are_not_trusted() {
    let (ours, theirs) = (pki("localhost"), pki("localhost"));
    for (connector, name) in [(&ours.connector, "smtp.example.com"), (&theirs.connector, "localhost")] {
        let (mut client, mut server) = pair(&ours).await;
        let (refused, _) = tokio::join!(client.connect_tls(connector, name), server.accept_tls(&ours.acceptor));
        assert!(matches!(refused, Err(Error::Untrusted(_))), "{refused:?}");
        assert!(client.send(b"secret").await.is_err());
    }
}

#[tokio::test]
async fn tls_that_is_cut_off_is_an_error_and_not_an_end() {
    let pki = pki("localhost");
    let (mut client, server) = tls_pair(&pki).await;
    let Kind::Tls(stream) = server.kind else { panic!("TLS") };
    let tokio_rustls::TlsStream::Server(stream) = *stream else { panic!("a server") };
    stream.into_inner().0.socket.shutdown().await.unwrap();
    assert_eq!(client.receive(<[u8]>::len).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_told_apart() {
    let pki = pki("localhost");
    let (mut client, mut server) = pair(&pki).await;
    server.send(b"220 provider.test ESMTP\r\n").await.unwrap();
    assert!(matches!(client.connect_tls(&pki.connector, "localhost").await, Err(Error::NotTls)));
    let (mut client, mut server) = pair(&pki).await;
    client.send(b"EHLO client.test\r\n").await.unwrap();
    assert!(matches!(server.accept_tls(&pki.acceptor).await, Err(Error::NotTls)));
    assert!(matches!(server.accept_tls(&pki.acceptor).await, Err(Error::NotPlain)));
}
