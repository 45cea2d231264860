//! Signatures of policies: who vouches that this component is for this tenant, under this name and version.
//!
//! A signature is bound to all of them, so that what was signed for one tenant, or an older version, cannot be put in the
//! place of another.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use posthouse_store::digest::Digest;

use crate::config::policy::Signer;

/// What is signed begins with this, so that a signature for something else is never one for a policy.
const DOMAIN: &str = "posthouse policy signature, version 1";

/// What a signature is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s> {
    /// The tenant's id.
    pub tenant: &'s str,
    /// The policy's own name.
    pub name: &'s str,
    /// The policy's own version.
    pub version: &'s str,
    /// The component's digest.
    pub digest: &'s Digest,
}

impl Subject<'_> {
    /// The octets that are signed. No part can run into the next: none of them holds a line break.
    fn octets(&self) -> Vec<u8> {
        let Self { tenant, name, version, digest } = self;
        format!("{DOMAIN}\n{tenant}\n{name}\n{version}\nsha256:{digest}\n").into_bytes()
    }

    /// Which of the signers has made the signature, if one has.
    pub fn signer<'k>(&self, signature: &[u8; 64], signers: &'k [Signer]) -> Option<&'k Signer> {
        let parts = [self.tenant, self.name, self.version];
        if parts.iter().any(|part| part.contains(['\n', '\r'])) {
            return None;
        }
        let octets = self.octets();
        signers.iter().find(|signer| UnparsedPublicKey::new(&ED25519, signer.key).verify(&octets, signature).is_ok())
    }

    /// The signature of whoever has this key.
    pub fn sign(&self, key: &Ed25519KeyPair) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(key.sign(&self.octets()).as_ref());
        signature
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use posthouse_store::digest::Digest;

    use super::Subject;
    use crate::config::policy::Signer;

    #[test]
    fn a_signature_is_good_for_its_subject_and_no_other() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = key.public_key().as_ref().try_into().unwrap();
        let signers =
            [Signer { name: "other".to_owned(), key: [9; 32] }, Signer { name: "ann".to_owned(), key: public }];
        let (digest, other) = (Digest::of(b"component"), Digest::of(b"another"));
        let subject = Subject { tenant: "acme", name: "routing", version: "1.2.0", digest: &digest };
        let signature = subject.sign(&key);
        assert_eq!(subject.signer(&signature, &signers).map(|signer| &*signer.name), Some("ann"));
        for wrong in [
            Subject { tenant: "globex", ..subject },
            Subject { name: "routing2", ..subject },
            Subject { version: "1.2.1", ..subject },
            Subject { digest: &other, ..subject },
        ] {
            assert!(wrong.signer(&signature, &signers).is_none(), "{wrong:?}");
        }
        assert!(subject.signer(&signature, &signers[..1]).is_none());
    }
}
