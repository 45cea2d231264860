//! Rotated refresh tokens, by what is there after a restart.

use std::path::PathBuf;
use std::sync::Arc;

use posthouse_oauth::cache::Rotation;
use posthouse_oauth::grant::Grant;
use posthouse_oauth::secret::Secret;
use posthouse_store::keys::Keys;
use posthouse_store::store::Store;

use super::Place;

fn grant(refresh_token: &str) -> Grant {
    Grant::RefreshToken {
        client_id: "app".to_owned(),
        client_secret: None,
        refresh_token: Some(Secret::new(refresh_token)),
    }
}

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("posthouse-rotation-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn store(directory: &std::path::Path) -> Arc<Store> {
    Arc::new(Store::open(directory, Keys::parse(&[7; 32]).unwrap()).unwrap())
}

#[test]
fn the_newest_token_is_found_again_until_the_configuration_names_another() {
    let directory = directory("newest");
    let place = Place::new(&store(&directory), "acme", "one", &grant("first")).unwrap();
    assert_eq!(place.newest(&grant("first")).unwrap(), grant("first"));
    place.keep(&Secret::new("second")).unwrap();
    place.keep(&Secret::new("third")).unwrap();
    drop(place);
    let store = store(&directory);
    assert_eq!(
        Place::new(&store, "acme", "one", &grant("first")).unwrap().newest(&grant("first")).unwrap(),
        grant("third")
    );
    let renewed = Place::new(&store, "acme", "one", &grant("new consent")).unwrap();
    assert_eq!(renewed.newest(&grant("new consent")).unwrap(), grant("new consent"));
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The name is that of release 0.1: BLAKE2s-256 of the configured token, eight octets of it.
#[test]
fn a_file_of_an_earlier_release_moves_into_the_store_once() {
    let directory = directory("migrates");
    let store = store(&directory);
    let place = Place::new(&store, "acme", "one", &grant("first")).unwrap();
    let file = directory.join(format!("acme.one.{}.refresh-token", place.chain.origin));
    assert_eq!(place.chain.origin, "0237b8d953b776de");
    std::fs::write(&file, "second").unwrap();
    Place::new(&store, "acme", "other", &grant("first")).unwrap().migrate().unwrap();
    assert!(file.exists());
    place.migrate().unwrap();
    assert!(!file.exists());
    assert_eq!(place.newest(&grant("first")).unwrap(), grant("second"));
    // One that was put back from a copy is older than what the store has.
    place.keep(&Secret::new("third")).unwrap();
    std::fs::write(&file, "second").unwrap();
    place.migrate().unwrap();
    assert_eq!(place.newest(&grant("first")).unwrap(), grant("third"));
    assert!(!file.exists());
    std::fs::remove_dir_all(&directory).unwrap();
}
