//! `[store]`: the keys that what is stored is sealed under.

use std::env;
use std::path::Path;

use posthouse_store::keys::{Keys, NoKeys, credential_path};
use zeroize::Zeroizing;

use crate::config::section::Section;
use crate::config::value::Entry;

/// Where systemd puts a unit's credentials.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where the store's keys come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StoreKeys {
    /// A file in the state directory, made at the first start.
    #[default]
    OwnFile,
    /// The configuration names them.
    Given(Keys),
}

/// The `[store]` of the configuration; the keys' own file where there is none.
pub(super) fn read(root: &Section<'_>) -> StoreKeys {
    let Some(section) = root.section("store") else { return StoreKeys::OwnFile };
    let file = section.entry("key_file");
    let variable = section.entry("key_env");
    let credential = section.entry("key_credential");
    let given = [&file, &variable, &credential].into_iter().flatten().count();
    if given > 1 {
        section.mark.fault("expected one of `key_file`, `key_env` and `key_credential`").error();
    }
    let keys = file.as_ref().and_then(of_file);
    let keys = keys.or_else(|| variable.as_ref().and_then(of_variable));
    let keys = keys.or_else(|| credential.as_ref().and_then(of_credential));
    section.finish();
    keys.map_or(StoreKeys::OwnFile, StoreKeys::Given)
}

fn of_file(entry: &Entry<'_>) -> Option<Keys> {
    parsed(entry, &entry.private_octets()?)
}

fn of_variable(entry: &Entry<'_>) -> Option<Keys> {
    let text = entry.environment_secret(entry.text()?)?;
    parsed(entry, text.expose().as_bytes())
}

fn of_credential(entry: &Entry<'_>) -> Option<Keys> {
    let name = entry.name()?;
    let Some(directory) = env::var_os(CREDENTIALS_DIRECTORY) else {
        let reason = format!("there is no ${CREDENTIALS_DIRECTORY}: systemd sets it for a unit with `LoadCredential=`");
        entry.fault(reason).suggest(format!("write `LoadCredential={name}:/PATH` into the unit")).error();
        return None;
    };
    let path = credential_path(Path::new(&directory), name);
    match std::fs::read(&path) {
        Ok(octets) => parsed(entry, &Zeroizing::new(octets)),
        Err(error) => {
            entry.fault(format!("cannot read {}: {error}", path.display())).error();
            None
        }
    }
}

fn parsed(entry: &Entry<'_>, octets: &[u8]) -> Option<Keys> {
    Keys::parse(octets).map_err(|error: NoKeys| entry.fault(error.to_string()).error()).ok()
}
