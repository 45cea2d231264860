//! Secrets in a configuration: by the name of an environment variable, by file, or, with a warning,
//! written down.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use posthouse_oauth::secret::Secret;

use super::fault::Faults;
use super::reader::Section;

/// The secret under this key.
pub(super) fn read(section: &mut Section<'_>, key: &'static str, faults: &mut Faults) -> Option<Secret> {
    if !section.has(key) {
        section.text(key, faults);
        return None;
    }
    let text = section.text(key, faults)?;
    let secret = match text.split_once(':') {
        Some(("env", name)) => env::var(name).map_err(|_| format!("the environment variable {name} is not set")),
        Some(("file", path)) => from_file(section, key, path, faults),
        _ => {
            section.warn(key, "a secret is written down here; `env:NAME` or `file:PATH` keep it elsewhere", faults);
            Ok(text)
        }
    };
    match secret {
        Ok(secret) if secret.is_empty() => {
            section.error(key, "the secret is empty", faults);
            None
        }
        Ok(secret) => Some(Secret::new(secret)),
        Err(reason) => {
            section.error(key, reason, faults);
            None
        }
    }
}

fn from_file(section: &Section<'_>, key: &str, path: &str, faults: &mut Faults) -> Result<String, String> {
    let path = section.directory().join(path);
    let text = fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let others_read = fs::metadata(&path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if others_read {
        section.warn(key, format!("{} can be read by others; `chmod 600` it", path.display()), faults);
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
