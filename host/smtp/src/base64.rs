//! Base64 as SASL uses it (RFC 4648 4): padded, strict, without line breaks.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the encoding of `octets` to `out`.
pub fn encode(octets: &[u8], out: &mut Vec<u8>) {
    out.reserve(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let padded = [group[0], group.get(1).copied().unwrap_or(0), group.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index)) & 63;
            out.push(if index <= group.len() { ALPHABET[sextet as usize] } else { b'=' });
        }
    }
}

/// The octets behind `text`; none where it is not the one encoding of them.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let groups = text.len() / 4;
    for (index, group) in text.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|octet| **octet == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 < groups) {
            return None;
        }
        let mut bits = 0_u32;
        for octet in &group[..4 - padding] {
            bits = bits << 6 | value(*octet)?;
        }
        bits <<= 6 * padding;
        let octets = bits.to_be_bytes();
        // Bits that the padding cuts off must be zero, or two texts would mean the same octets.
        if octets[4 - padding..].iter().any(|octet| *octet != 0) {
            return None;
        }
        out.extend_from_slice(&octets[1..4 - padding]);
    }
    Some(out)
}

fn value(octet: u8) -> Option<u32> {
    Some(u32::from(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests;
