//! Custom sections of a file: what travels with a policy and is no part of its code.
//!
//! Reads what tenants have written, so that nothing is believed: a file that is damaged has no sections.

use wasmparser::{Parser, Payload};

/// What stands in the custom section of this name, outside of all that is nested.
pub fn custom<'f>(file: &'f [u8], name: &str) -> Option<&'f [u8]> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(file) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == name => return Some(section.data()),
            _ => {}
        }
    }
    None
}

/// The file with one more custom section at its end.
pub fn with_custom(file: &[u8], name: &str, octets: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    leb128(&mut content, name.len());
    content.extend(name.as_bytes());
    content.extend(octets);
    let mut whole = file.to_vec();
    whole.push(0);
    leb128(&mut whole, content.len());
    whole.extend(content);
    whole
}

/// WebAssembly core specification 5.2.2: an unsigned number, seven bits an octet.
fn leb128(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).expect("seven bits"));
}

#[cfg(test)]
mod tests {
    use super::{custom, with_custom};

    /// A core module without anything in it.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_section_is_found_again_whatever_its_size() {
        for size in [0, 1, 127, 128, 20_000] {
            let octets = vec![b'x'; size];
            let file = with_custom(&with_custom(EMPTY, "other", b"no"), "cases", &octets);
            assert_eq!(custom(&file, "cases"), Some(&*octets));
            assert_eq!(custom(&file, "none"), None);
        }
    }

    #[test]
    fn what_is_damaged_has_no_sections() {
        let file = with_custom(EMPTY, "cases", b"one = 1");
        for cut in 0..file.len() {
            assert_eq!(custom(&file[..cut], "cases"), None, "cut at {cut}");
        }
    }
}
