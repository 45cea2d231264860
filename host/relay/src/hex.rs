//! Octets as hexadecimal digits, for keys and signatures that people copy.

use std::fmt::Write;

/// The digits of these octets, in lower case.
pub fn digits(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a string takes everything");
        text
    })
}

/// As many octets as there are digits for, and no others.
pub fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let octets: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 2 * N { octets.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_and_octets_are_each_others_reading() {
        assert_eq!(super::octets::<3>(&super::digits(&[0, 0x7f, 0xff])), Some([0, 0x7f, 0xff]));
        assert_eq!(super::octets::<3>("007FFF"), Some([0, 0x7f, 0xff]));
        for wrong in ["", "00", "007ff", "007fff0", "007fgg", "007fff00"] {
            assert_eq!(super::octets::<3>(wrong), None, "{wrong}");
        }
    }
}
