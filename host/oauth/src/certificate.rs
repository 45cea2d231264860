//! An application's certificate and its key: what Microsoft takes in place of a client secret.
//!
//! Nothing is trusted here for being in a certificate: it names the key that was uploaded, and says when it ends.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::base64url;
use crate::der::{BIT_STRING, GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME};
use crate::error::Unusable;
use crate::jwt::KeyName;
use crate::key::{Algorithm, SigningKey};
use crate::secret::Secret;

/// A certificate and the key that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    key: SigningKey,
    algorithm: Algorithm,
    name: KeyName,
    ends: SystemTime,
}

impl ClientCertificate {
    /// The first certificate of a PEM text and its key. `key_id` takes the place of the certificate's thumbprint in the
    /// assertions' header, for endpoints that know keys by a name (`kid`).
    ///
    /// # Errors
    /// One of them is none, or they do not belong together.
    pub fn from_pem(
        certificate: &[u8],
        key: &Secret,
        algorithm: Algorithm,
        key_id: Option<String>,
    ) -> Result<Self, Unusable> {
        let certificate = CertificateDer::from_pem_slice(certificate).map_err(|_| Unusable::NoCertificate)?;
        let key = SigningKey::from_pem(key)?;
        let (Validity { ends, .. }, public) = contents(&certificate).ok_or(Unusable::NoCertificate)?;
        if public != key.public() {
            return Err(Unusable::OtherKey);
        }
        let thumbprint = || base64url::text(digest(&SHA256, &certificate).as_ref());
        let name = match key_id {
            Some(value) => KeyName { field: "kid", value },
            None => KeyName { field: "x5t#S256", value: thumbprint() },
        };
        Ok(Self { key, algorithm, name, ends })
    }

    /// When it ends.
    pub fn ends(&self) -> SystemTime {
        self.ends
    }

    pub(crate) fn key(&self) -> (&SigningKey, Algorithm, &KeyName) {
        (&self.key, self.algorithm, &self.name)
    }
}

/// From when to when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its beginning; 1970 where it is older.
    pub begins: SystemTime,
    /// Its end.
    pub ends: SystemTime,
}

/// From when to when the first certificate of a PEM text is good, whatever it is for.
///
/// # Errors
/// There is none.
pub fn validity(pem: &[u8]) -> Result<Validity, Unusable> {
    let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| Unusable::NoCertificate)?;
    contents(&certificate).map(|(validity, _)| validity).ok_or(Unusable::NoCertificate)
}

/// The moment in Greenwich at which a day begins; none before 1970.
pub fn midnight(year: u16, month: u8, day: u8) -> Option<SystemTime> {
    let days = days_since_1970(year.into(), month.into(), day.into())?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400))
}

/// How long a certificate is good, and the RSA key in it (RFC 5280 4.1).
fn contents(certificate: &[u8]) -> Option<(Validity, &[u8])> {
    let mut to_be_signed = Reader(Reader(Reader(certificate).expect(SEQUENCE)?).expect(SEQUENCE)?);
    // Version, serial number, signature algorithm, issuer; those of version 1 do not say their version.
    let (first, _) = to_be_signed.any()?;
    for _ in 0..if first == 0xa0 { 3 } else { 2 } {
        to_be_signed.any()?;
    }
    let mut validity = Reader(to_be_signed.expect(SEQUENCE)?);
    let begins = moment(validity.any()?).unwrap_or(SystemTime::UNIX_EPOCH);
    let validity = Validity { begins, ends: moment(validity.any()?)? };
    let _subject = to_be_signed.any()?;
    let mut key = Reader(to_be_signed.expect(SEQUENCE)?);
    let _algorithm = key.any()?;
    // The first octet of a bit string says how many bits of the last one are unused.
    Some((validity, key.expect(BIT_STRING)?.split_first()?.1))
}

/// A time as certificates write it, in Greenwich and to the second (RFC 5280 4.1.2.5).
fn moment((tag, text): (u8, &[u8])) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: u64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 || !rest.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let part = |index: usize| rest[2 * index..2 * index + 2].parse::<u64>().ok();
    let (month, day) = (part(0)?, part(1)?);
    let days = days_since_1970(year, month, day)?;
    let seconds = days * 86_400 + part(2)? * 3_600 + part(3)? * 60 + part(4)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days by the Gregorian calendar; a year is counted from March, so that its odd day is the last one.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,468 days are from 1 March of the year 0 to 1 January 1970.
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1).checked_sub(719_468)
}

#[cfg(test)]
mod tests;
