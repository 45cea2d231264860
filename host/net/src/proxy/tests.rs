//! Headers as proxies send them, and what is none.

use super::{Proxied, SIGNATURE, parse};

fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, rest].concat()
}

#[test]
fn both_families_are_read_and_what_follows_the_addresses_is_passed_over() {
    let v4 = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 25, 3, 0, 1, 9];
    let Proxied::Client { source, destination } = parse(&header(0x21, 0x11, &v4)).unwrap() else { panic!("a client") };
    assert_eq!((source.to_string().as_str(), destination.to_string().as_str()), ("192.0.2.1:12345", "198.51.100.2:25"));
    let mut v6 = [0; 36];
    (v6[0], v6[1], v6[15], v6[33]) = (0x20, 0x01, 7, 99);
    let Proxied::Client { source, .. } = parse(&header(0x21, 0x21, &v6)).unwrap() else { panic!("a client") };
    assert_eq!(source.to_string(), "[2001::7]:99");
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
    assert!(parse(&header(0x20, 0, &[0; 2000])).is_err());
    let mut cut = header(0x21, 0x11, &[0; 12]);
    cut.pop();
    assert!(parse(&cut).is_err());
}
