//! base64url without padding (RFC 7515, appendix C): written only, since what is signed here is read elsewhere.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Appends the octets to a text.
pub(crate) fn push(text: &mut String, octets: &[u8]) {
    for group in octets.chunks(3) {
        let mut bits = 0;
        for (index, octet) in group.iter().enumerate() {
            bits |= u32::from(*octet) << (16 - 8 * index);
        }
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
}

/// The octets as a text.
pub(crate) fn text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    push(&mut text, octets);
    text
}

#[cfg(test)]
mod tests {
    //! The examples of RFC 4648 10, without their padding.

    #[test]
    fn octets_become_text_of_the_url_alphabet() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(super::text(octets.as_bytes()), text);
        }
        assert_eq!(super::text(&[0xfb, 0xff, 0xfe]), "-__-");
    }
}
