//! Sealing a secret into a record, and opening it: AES-256-GCM, bound to the record that it stands in.
//!
//! A sealed secret is its form (1 octet), the key's name, the nonce, the ciphertext and its tag. Form, name and the
//! record's own key are authenticated: a sealed secret opens nowhere but where it was put.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use super::{ID_OCTETS, KeyId, Keys};
use crate::secret::Secret;

const FORM: u8 = 1;
const HEAD: usize = 1 + ID_OCTETS;

/// Why a secret was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// It is no sealed secret.
    Malformed,
    /// It wants a key that is not here.
    KeyMissing(KeyId),
    /// It was altered, or belongs to another record.
    Forged(KeyId),
}

impl Keys {
    /// Seals under the first key.
    pub(crate) fn seal(&self, place: &[&str], secret: &Secret) -> Vec<u8> {
        let key = self.first();
        let mut head = vec![FORM];
        head.extend(key.id.0);
        let mut text = Zeroizing::new(secret.expose().as_bytes().to_vec());
        text.reserve_exact(key.cipher.algorithm().tag_len());
        let bound = Aad::from(bound_to(&head, place));
        let nonce = key.cipher.seal_in_place_append_tag(bound, &mut *text);
        let nonce = nonce.expect("AES-GCM takes what is shorter than 64 GiB");
        [&head, nonce.as_ref().as_slice(), &text].concat()
    }

    /// Opens with whichever key it names.
    pub(crate) fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Secret, Unopened> {
        let wanted = sealed_under(sealed).ok_or(Unopened::Malformed)?;
        let (head, rest) = sealed.split_at(HEAD);
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(Unopened::Malformed)?;
        let key = self.keys.iter().find(|key| key.id == wanted).ok_or(Unopened::KeyMissing(wanted))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopened::Malformed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let opened = key.cipher.open_in_place(nonce, Aad::from(bound_to(head, place)), &mut text);
        let opened = opened.map_err(|_| Unopened::Forged(wanted))?;
        std::str::from_utf8(opened).map(Secret::new).map_err(|_| Unopened::Forged(wanted))
    }

    /// Whether it is sealed under the key that writes.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed_under(sealed) == Some(self.first().id)
    }
}

/// The name of the key that a sealed secret wants.
pub(crate) fn sealed_under(sealed: &[u8]) -> Option<KeyId> {
    let head = sealed.get(..HEAD).filter(|head| head[0] == FORM)?;
    head[1..].try_into().map(KeyId).ok()
}

/// What is authenticated beside the text; each part has its length before it, so that no two places read the same.
fn bound_to(head: &[u8], place: &[&str]) -> Vec<u8> {
    let mut bound = head.to_vec();
    for part in place {
        bound.extend((part.len() as u64).to_be_bytes());
        bound.extend(part.as_bytes());
    }
    bound
}
