//! A Google service account that may act for mailboxes of its domain (RFC 7523 2.1).

use serde::Deserialize;

use crate::error::Unusable;
use crate::jwt::KeyName;
use crate::key::SigningKey;
use crate::secret::Secret;

/// A service account's name and key, and the mailbox that it acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    pub(crate) email: String,
    pub(crate) subject: String,
    pub(crate) key: SigningKey,
    pub(crate) name: KeyName,
}

/// The file that Google hands out for a key.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key_id: String,
    private_key: String,
}

impl ServiceAccount {
    /// The service account of a key file, acting for this subject.
    ///
    /// # Errors
    /// It is no such file, or its key cannot sign.
    pub fn from_json(json: &Secret, subject: impl Into<String>) -> Result<Self, Unusable> {
        let file: KeyFile = serde_json::from_str(json.expose()).map_err(|_| Unusable::NoServiceAccount)?;
        let private_key = Secret::new(file.private_key);
        if file.kind != "service_account" {
            return Err(Unusable::NoServiceAccount);
        }
        let key = SigningKey::from_pem(&private_key)?;
        let name = KeyName { field: "kid", value: file.private_key_id };
        Ok(Self { email: file.client_email, subject: subject.into(), key, name })
    }

    /// The service account's own name, as the provider's consoles show it.
    pub fn email(&self) -> &str {
        &self.email
    }
}
