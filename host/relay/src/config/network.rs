//! A network: an address and how many of its leading bits count (CIDR, RFC 4632 3.1).
//!
//! An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:192.0.2.1`) is the IPv4
//! address that it means, in the network as in the question.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that share their leading bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash is no address.
    #[error("no IP address stands before the `/`")]
    Address,
    /// The part behind the slash is no number of bits.
    #[error("the number behind the `/` is at most {0}")]
    Prefix(u8),
    /// The address has bits beyond the prefix, so that it is unclear what was meant.
    #[error("the address has bits beyond the prefix; the network is {0}")]
    HostBits(Network),
}

impl Network {
    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Whether the two have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// Whether it is the whole address space, which is hardly ever meant.
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let address = written.to_canonical();
        let (bits, skipped) = match (written, address) {
            (IpAddr::V6(_), IpAddr::V4(_)) => (128, 96), // ::ffff:192.0.2.0/120 is 192.0.2.0/24
            (_, IpAddr::V4(_)) => (32, 0),
            (_, IpAddr::V6(_)) => (128, 0),
        };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|prefix| (skipped..=bits).contains(prefix))
                .ok_or(NetworkError::Prefix(bits))?,
            Some(_) => return Err(NetworkError::Prefix(bits)),
        };
        let network = Self { address: masked(address, prefix - skipped), prefix: prefix - skipped };
        if network.address == address { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests;
