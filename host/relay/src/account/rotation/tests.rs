//! Rotated refresh tokens, by what is there after a restart.

use std::os::unix::fs::PermissionsExt;

use posthouse_oauth::cache::Rotation;
use posthouse_oauth::grant::Grant;
use posthouse_oauth::secret::Secret;

use super::{File, kept};

fn grant(refresh_token: &str) -> Grant {
    Grant::RefreshToken { client_id: "app".to_owned(), client_secret: None, refresh_token: Secret::new(refresh_token) }
}

#[test]
fn the_newest_token_is_found_again_until_the_configuration_names_another() {
    let directory = std::env::temp_dir().join(format!("posthouse-rotation-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = File::new(&directory, "acme", "one", &grant("first"));
    assert_eq!(kept(&file, &grant("first")), None);
    file.keep(&Secret::new("second")).unwrap();
    file.keep(&Secret::new("third")).unwrap();
    assert_eq!(kept(&file, &grant("first")), Some(grant("third")));
    let renewed = File::new(&directory, "acme", "one", &grant("new consent"));
    assert_eq!(kept(&renewed, &grant("new consent")), None);
    let modes: Vec<u32> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600]);
    std::fs::remove_dir_all(&directory).unwrap();
}
