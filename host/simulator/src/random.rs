//! Random numbers: seeded ones for faults, unpredictable ones for tokens.
//!
//! Not for secrets that protect anything: what the simulator issues opens the simulator.

use std::hash::{BuildHasher, RandomState};

/// A sequence of numbers that its seed determines.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence that nobody knows: the standard library's hash keys are random for each process.
    pub fn unpredictable() -> Self {
        Self(RandomState::new().hash_one("seed"))
    }

    /// The next number: a counter with an odd step, its bits then mixed by two multiplications.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xd1b5_4a32_d192_ed03);
        let folded = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xaef1_7502_108e_f2d9);
        let mixed = (folded ^ (folded >> 32)).wrapping_mul(0xdaba_0b6e_b093_22e3);
        mixed ^ (mixed >> 31)
    }

    /// Whether an event of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what a double can tell apart.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
        let part = (self.number() >> 11) as f64 / (1_u64 << 53) as f64;
        part < probability
    }

    /// A text of so many characters from the alphabet of tokens.
    pub fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::with_capacity(length);
        let mut bits = 0;
        for index in 0..length {
            if index % 10 == 0 {
                bits = self.number();
            }
            text.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
        text
    }
}
