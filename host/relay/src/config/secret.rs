//! Secrets: from the environment, from a file, or (with a warning) from the configuration itself.
//!
//! Invariant: no fault that is noted here shows a value.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use posthouse_oauth::secret::Secret;
use toml::de::DeValue;
use zeroize::Zeroizing;

use crate::config::value::Entry;

/// A secret that is longer than this is some other file.
const LONGEST: u64 = 64 * 1024;
/// The bits of a mode that let others than the owner read.
const READABLE_BY_OTHERS: u32 = 0o044;

impl Entry<'_> {
    /// A secret: `env:NAME`, `file:PATH`, or the secret itself.
    pub(super) fn secret(&self) -> Option<Secret> {
        let DeValue::String(text) = self.value else {
            self.mark.fault("expected a secret as `\"env:NAME\"` or `\"file:PATH\"`").error();
            return None;
        };
        let secret = if let Some(name) = text.strip_prefix("env:") {
            self.environment_secret(name)?
        } else if let Some(path) = text.strip_prefix("file:") {
            self.file_secret(path)?
        } else {
            let place = "put it into a file of mode 0600 and write `\"file:PATH\"`, or `\"env:NAME\"`";
            self.mark.fault("the secret stands in the configuration itself").suggest(place).warning();
            Secret::new(text.as_ref())
        };
        self.checked(secret)
    }

    /// What is in the file that the path names.
    pub(super) fn contents(&self) -> Option<Vec<u8>> {
        let path = self.path()?;
        self.mark.source.findings.made_of(&path);
        let contents = fs::read(&path);
        contents.map_err(|error| self.fault(format!("cannot read {}: {error}", path.display())).error()).ok()
    }

    /// What is in the file that the path names, which is a secret of several lines (a private key).
    pub(super) fn private_contents(&self) -> Option<Secret> {
        let path = self.path()?;
        self.mark.source.findings.made_of(&path);
        match fs::read_to_string(&path) {
            Ok(text) => {
                self.check_privacy(&path);
                Some(Secret::new(text))
            }
            Err(error) => {
                self.fault(format!("cannot read {}: {error}", path.display())).error();
                None
            }
        }
    }

    /// What is in the file that the path names, which is a secret of any octets (keys).
    pub(super) fn private_octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        let octets = Zeroizing::new(self.contents()?);
        self.check_privacy(&self.path()?);
        Some(octets)
    }

    /// Notes a file that others than its owner can read, if it is there at all.
    fn check_privacy(&self, path: &Path) {
        let Ok(metadata) = fs::metadata(path) else { return };
        if metadata.mode() & READABLE_BY_OTHERS != 0 {
            let reason = format!("others than its owner can read {}", path.display());
            self.mark.fault(reason).suggest(format!("`chmod 600 {}`", path.display())).warning();
        }
    }

    pub(super) fn environment_secret(&self, name: &str) -> Option<Secret> {
        match std::env::var(name) {
            Ok(secret) => Some(Secret::new(secret)),
            Err(std::env::VarError::NotPresent) => {
                let place = "under systemd it stands in the unit's EnvironmentFile, which no shell has read: \
                             `set -a; . /etc/posthouse/environment`";
                self.fault("there is no such variable in the environment").suggest(place).error();
                None
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                self.fault("the variable is no text in UTF-8").error();
                None
            }
        }
    }

    fn file_secret(&self, written: &str) -> Option<Secret> {
        let path = self.mark.source.path(written);
        self.mark.source.findings.made_of(&path);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)) {
            Ok(_) if text.len() as u64 <= LONGEST => {}
            Ok(_) => {
                self.fault(format!("{} is too large for a secret", path.display())).error();
                return None;
            }
            Err(error) => {
                self.fault(format!("cannot read {}: {error}", path.display())).error();
                return None;
            }
        }
        self.check_privacy(&path);
        let secret = Secret::new(text.trim_end_matches(['\r', '\n']));
        zeroize::Zeroize::zeroize(&mut text);
        Some(secret)
    }

    /// A secret goes into protocols where a control character would begin something else.
    fn checked(&self, secret: Secret) -> Option<Secret> {
        let reason = match secret.expose() {
            "" => "the secret is empty",
            text if text.chars().any(char::is_control) => "the secret holds a line break or another control character",
            _ => return Some(secret),
        };
        self.mark.fault(reason).error();
        None
    }
}
