//! A digest of 128 bits that costs little: equal contents have equal digests, and two different ones by accident never.
//!
//! It is not cryptographic: somebody who wants to can make two contents with one digest.

/// Odd numbers with their bits well spread; nothing else is asked of them.
const STEPS: [u64; 4] = [0x8c1f_36e2_b7d4_095b, 0xe3a9_5d07_42c6_f18d, 0xb46d_9ef1_5038_27cb, 0xd927_40bc_6e15_fa83];

/// The digest of these octets.
pub fn digest(octets: &[u8]) -> u128 {
    let mut digest = Digest::default();
    digest.update(octets);
    digest.finish()
}

/// The digest of the body: what follows the first empty line. A relay changes the header block, and not this.
pub fn body_digest(content: &[u8]) -> u128 {
    let mut digest = BodyDigest::default();
    digest.update(content);
    digest.finish()
}

/// A digest in the making.
#[derive(Debug, Clone)]
pub struct Digest {
    left: u64,
    right: u64,
    partial: [u8; 16],
    octets: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { left: STEPS[0], right: STEPS[1], partial: [0; 16], octets: 0 }
    }
}

impl Digest {
    /// Takes more octets in; how they are cut into pieces does not matter.
    pub fn update(&mut self, octets: &[u8]) {
        let held = self.held();
        self.octets += octets.len() as u64;
        let (first, octets) = octets.split_at(octets.len().min((16 - held) % 16));
        self.partial[held..held + first.len()].copy_from_slice(first);
        if held > 0 && held + first.len() == 16 {
            self.mix(self.partial);
        }
        let (groups, rest) = octets.as_chunks::<16>();
        for group in groups {
            self.mix(*group);
        }
        self.partial[..rest.len()].copy_from_slice(rest);
    }

    /// How many octets were taken in.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// The digest.
    pub fn finish(&self) -> u128 {
        let mut last = self.clone();
        let held = last.held();
        last.partial[held..].fill(0);
        last.mix(last.partial);
        // The length tells zeros at the end from no zeros; a last round spreads it over both halves.
        last.left ^= last.octets;
        last.mix([0; 16]);
        last.mix([0; 16]);
        u128::from(last.left) << 64 | u128::from(last.right)
    }

    fn held(&self) -> usize {
        usize::try_from(self.octets % 16).unwrap_or(0)
    }

    /// Each half takes eight octets and the other half in.
    fn mix(&mut self, group: [u8; 16]) {
        let group = u128::from_le_bytes(group);
        #[expect(clippy::cast_possible_truncation, reason = "its halves are what is wanted")]
        let (low, high) = (group as u64, (group >> 64) as u64);
        let (left, right) = (folded(self.left ^ low, STEPS[2]), folded(self.right ^ high, STEPS[3]));
        self.left = left ^ self.right.rotate_left(23);
        self.right = right ^ left.rotate_left(41);
    }
}

fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    #[expect(clippy::cast_possible_truncation, reason = "both halves go in")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

/// A body's digest in the making.
#[derive(Debug, Clone)]
pub struct BodyDigest {
    digest: Digest,
    /// How many octets of CRLF CRLF were just seen; a content begins as if behind a line's end.
    seen: usize,
}

impl Default for BodyDigest {
    fn default() -> Self {
        Self { digest: Digest::default(), seen: 2 }
    }
}

impl BodyDigest {
    /// Takes more of the content in.
    pub fn update(&mut self, content: &[u8]) {
        let mut rest = content.iter();
        while self.seen < 4 {
            let Some(octet) = rest.next() else { return };
            self.seen = match (octet, self.seen) {
                (b'\r', 2) => 3,
                (b'\r', _) => 1,
                (b'\n', 1 | 3) => self.seen + 1,
                _ => 0,
            };
        }
        self.digest.update(rest.as_slice());
    }

    /// The digest.
    pub fn finish(&self) -> u128 {
        self.digest.finish()
    }
}

#[cfg(test)]
mod tests;
