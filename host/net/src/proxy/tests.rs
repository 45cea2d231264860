//! Headers as proxies send them, and what is none.

use std::time::Duration;

use tokio::time::timeout;

use super::{Proxied, REST, SIGNATURE, parse, read};
use crate::connector::race;
use crate::error::Error;
use crate::listen::Listener;
use crate::stream::Stream;

const V4: [u8; 16] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 25, 3, 0, 1, 9];

fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, rest].concat()
}

#[test]
fn both_families_are_read_and_what_follows_the_addresses_is_passed_over() {
    let Proxied::Client { source, destination } = parse(&header(0x21, 0x11, &V4)).unwrap() else { panic!("a client") };
    assert_eq!((source.to_string().as_str(), destination.to_string().as_str()), ("192.0.2.1:12345", "198.51.100.2:25"));
    let mut v6 = [0; 36];
    (v6[0], v6[1], v6[15], v6[33]) = (0x20, 0x01, 7, 99);
    let Proxied::Client { source, .. } = parse(&header(0x21, 0x21, &v6)).unwrap() else { panic!("a client") };
    assert_eq!(source.to_string(), "[2001::7]:99");
    v6[..16].copy_from_slice(&"::ffff:192.0.2.1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    let Proxied::Client { source, .. } = parse(&header(0x21, 0x21, &v6)).unwrap() else { panic!("a client") };
    assert_eq!(source.to_string(), "192.0.2.1:99");
}

#[test]
fn a_proxy_may_speak_for_itself() {
    assert_eq!(parse(&header(0x20, 0, b"")).unwrap(), Proxied::Local);
    assert_eq!(parse(&header(0x21, 0, b"anything")).unwrap(), Proxied::Local);
}

#[test]
fn everything_else_is_refused() {
    assert!(parse(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n").is_err());
    assert!(parse(&header(0x11, 0x11, &[0; 12])).is_err());
    assert!(parse(&header(0x21, 0x11, &[0; 11])).is_err());
    assert!(parse(&header(0x21, 0x21, &[0; 35])).is_err());
    assert!(parse(&header(0x22, 0x11, &[0; 12])).is_err());
    assert!(parse(&header(0x20, 0, &[0; REST])).is_ok());
    assert!(parse(&header(0x20, 0, &[0; REST + 1])).is_err());
}

#[test]
fn a_client_of_another_family_is_not_taken_for_the_proxy() {
    for family in (0x01..=0xff).filter(|family| ![0x11, 0x21].contains(family)) {
        assert!(parse(&header(0x21, family, &[0; 216])).is_err(), "{family:#x}");
    }
}

#[test]
fn a_header_that_is_cut_or_goes_on_is_refused_at_every_octet() {
    let mut whole = header(0x21, 0x11, &V4);
    for length in 0..whole.len() {
        assert!(parse(&whole[..length]).is_err(), "{length}");
    }
    whole.push(b'E');
    assert!(parse(&whole).is_err());
}

async fn pair() -> (Stream, Stream) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let (proxy, (server, _)) = tokio::join!(race::first_to_answer([address].into_iter(), None), listener.accept());
    (Stream::plain(proxy.unwrap()), server)
}

async fn read_soon(stream: &mut Stream) -> Result<Proxied, Error> {
    timeout(Duration::from_secs(5), read(stream)).await.unwrap()
}

#[tokio::test]
async fn what_stands_behind_the_header_stays_unread() {
    let (mut proxy, mut server) = pair().await;
    proxy.send(&[&header(0x21, 0x11, &V4)[..], b"EHLO client.test\r\n"].concat()).await.unwrap();
    assert!(matches!(read_soon(&mut server).await.unwrap(), Proxied::Client { .. }));
    assert_eq!(server.receive(<[u8]>::to_vec).await.unwrap(), b"EHLO client.test\r\n");
}

#[tokio::test]
async fn a_header_may_come_octet_by_octet() {
    let (mut proxy, mut server) = pair().await;
    let sending = tokio::spawn(async move {
        for octet in header(0x21, 0x11, &V4) {
            proxy.send(&[octet]).await.unwrap();
            tokio::task::yield_now().await;
        }
        proxy
    });
    assert!(matches!(read_soon(&mut server).await.unwrap(), Proxied::Client { .. }));
    sending.await.unwrap();
}

#[tokio::test]
async fn a_client_that_sends_no_header_is_known_by_its_first_octets() {
    for octets in [&b"EHLO"[..], b"\r\nEHLO", b"\x16\x03\x01", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"] {
        let (mut proxy, mut server) = pair().await;
        proxy.send(octets).await.unwrap();
        assert!(matches!(read_soon(&mut server).await, Err(Error::Proxy(_))));
    }
    let (mut proxy, mut server) = pair().await;
    proxy.send(&header(0x21, 0x11, &V4)[..20]).await.unwrap();
    drop(proxy);
    assert!(matches!(read_soon(&mut server).await, Err(Error::Proxy("the connection ended within it"))));
}
