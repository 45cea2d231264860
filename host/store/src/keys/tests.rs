//! Keys from octets, and what is sealed under them.

use super::seal::Unopened;
use super::{Keys, NoKeys, credential_path};
use crate::scratch::keys;
use crate::secret::Secret;

const BASE64: &str = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";

#[test]
fn a_key_reads_the_same_in_every_form() {
    let raw = Keys::parse(&[0x31; 32]).unwrap().ids();
    for text in [
        BASE64.to_owned(),
        format!("{BASE64}\n"),
        BASE64.trim_end_matches('=').to_owned(),
        "31".repeat(32),
        format!("# the newest first\n\n  {}\r\n", "31".repeat(32)),
    ] {
        assert_eq!(Keys::parse(text.as_bytes()).unwrap().ids(), raw, "{text:?}");
    }
    assert_ne!(Keys::parse(&[0x32; 32]).unwrap().ids(), raw);
}

#[test]
fn a_list_keeps_its_order() {
    let list = format!("{}\n{BASE64}\n", "32".repeat(32));
    let ids = Keys::parse(list.as_bytes()).unwrap().ids();
    assert_eq!(ids, [keys(b"2").ids(), keys(b"1").ids()].concat());
}

#[test]
fn what_is_no_key_is_told_by_its_line_and_not_shown() {
    assert_eq!(Keys::parse(b"").unwrap_err(), NoKeys::Empty);
    assert_eq!(Keys::parse(b"# nothing\n\n").unwrap_err(), NoKeys::Empty);
    for wrong in ["short", &"31".repeat(31), &"31".repeat(33), &"3x".repeat(32), &"MTEx".repeat(16), "\u{e9}"] {
        let error = Keys::parse(format!("{BASE64}\n{wrong}\n").as_bytes()).unwrap_err();
        assert_eq!(error, NoKeys::Line { line: 2 }, "{wrong}");
        assert!(!error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn a_generated_key_is_read_from_its_line_and_no_two_are_the_same() {
    let (generated, line) = Keys::generate().unwrap();
    assert_eq!(Keys::parse(line.as_bytes()).unwrap().ids(), generated.ids());
    assert_ne!(Keys::generate().unwrap().0.ids(), generated.ids());
}

#[test]
fn nothing_shows_a_key() {
    let shown = format!("{:?} {:?}", Keys::parse(&[0x31; 32]).unwrap(), Secret::new("token"));
    assert_eq!(shown, format!("Keys([{}]) [redacted]", keys(b"1").ids()[0]));
    assert!(!shown.contains("3131") && !shown.contains("MTEx"), "{shown}");
}

#[test]
fn a_secret_opens_at_its_place_only_and_is_never_sealed_the_same() {
    let (keys, secret) = (keys(b"1"), Secret::new("a refresh token"));
    let sealed = keys.seal(&["acme", "one", "x"], &secret);
    assert_eq!(keys.open(&["acme", "one", "x"], &sealed), Ok(secret.clone()));
    assert_ne!(keys.seal(&["acme", "one", "x"], &secret), sealed);
    assert!(!sealed.windows(7).any(|part| part == b"refresh"));
    // The last one has the same letters, cut elsewhere.
    for place in [["globex", "one", "x"], ["acme", "two", "x"], ["acme", "one", "y"], ["acm", "eone", "x"]] {
        assert_eq!(keys.open(&place, &sealed), Err(Unopened::Forged(keys.ids()[0])), "{place:?}");
    }
}

#[test]
fn every_octet_of_a_sealed_secret_is_looked_at() {
    let keys = keys(b"1");
    let sealed = keys.seal(&["acme"], &Secret::new("token"));
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(keys.open(&["acme"], &altered).is_err(), "octet {at}");
        assert!(keys.open(&["acme"], &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn a_credential_is_a_file_of_systemds_directory() {
    assert_eq!(
        credential_path("/run/credentials/posthouse".as_ref(), "store").as_os_str(),
        "/run/credentials/posthouse/store"
    );
}
