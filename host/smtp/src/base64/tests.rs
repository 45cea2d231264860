//! Base64, against the vectors of RFC 4648 10 and against itself.

use super::{decode, encode};

fn encoded(octets: &[u8]) -> String {
    let mut out = Vec::new();
    encode(octets, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn the_vectors_of_the_rfc_hold() {
    let vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    for (length, vector) in vectors.iter().enumerate() {
        assert_eq!(encoded(&b"foobar"[..length]), *vector);
        assert_eq!(decode(vector.as_bytes()).as_deref(), Some(&b"foobar"[..length]));
    }
}

#[test]
fn what_is_no_encoding_is_refused() {
    for text in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\r\n", "Zm-_"] {
        assert_eq!(decode(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn every_octet_survives() {
    let octets: Vec<u8> = (0..=255).collect();
    for start in 0..256 {
        assert_eq!(decode(encoded(&octets[start..]).as_bytes()).as_deref(), Some(&octets[start..]));
    }
}
