//! The keys' own file, by what a start says about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{KEY_FILE, StateError, own_keys};
use posthouse_store::keys::NoKeys;
use posthouse_store::store::Store;

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("posthouse-state-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn a_key_is_made_once_and_is_the_owners_alone() {
    let directory = directory("made");
    let keys = own_keys(&directory).unwrap();
    assert_eq!(own_keys(&directory).unwrap(), keys);
    assert_eq!(fs::metadata(directory.join(KEY_FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_store_whose_key_is_gone_is_not_begun_anew() {
    let directory = directory("gone");
    drop(Store::open(&directory, own_keys(&directory).unwrap()).unwrap());
    fs::remove_file(directory.join(KEY_FILE)).unwrap();
    let error = own_keys(&directory).unwrap_err();
    assert!(matches!(error, StateError::KeyGone { .. }), "{error}");
    assert!(error.to_string().contains("store.key: put the key file back, or name the keys in [store]"), "{error}");
    assert!(!directory.join(KEY_FILE).exists());
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_is_refused() {
    let directory = directory("refused");
    own_keys(&directory).unwrap();
    fs::set_permissions(directory.join(KEY_FILE), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(own_keys(&directory), Err(StateError::Readable { .. })));
    fs::set_permissions(directory.join(KEY_FILE), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(directory.join(KEY_FILE), "").unwrap();
    assert!(matches!(own_keys(&directory), Err(StateError::NoKeys { source: NoKeys::Empty, .. })));
}
