//! Secrets and files: where they come from, and that none is shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::fixture::{ACME, HASH, MAIN, acme_error, directory, errors, loaded, one, warnings};
use crate::config::account::Grant;
use crate::config::store::StoreKeys;
use crate::config::{Loaded, load};

/// Files as an operator has them, with the tenant's refresh token in a file of this mode.
fn files(name: &str, token: &str, mode: u32) -> Loaded {
    let directory = directory(name);
    fs::create_dir(directory.join("tenants")).unwrap();
    fs::write(directory.join("posthouse.toml"), MAIN).unwrap();
    let acme = ACME.replace("HASH", HASH).replace("env:CARGO_MANIFEST_DIR", "file:../token");
    fs::write(directory.join("tenants/acme.toml"), acme).unwrap();
    fs::write(directory.join("token"), token).unwrap();
    fs::set_permissions(directory.join("token"), fs::Permissions::from_mode(mode)).unwrap();
    load(&directory.join("posthouse.toml"))
}

fn texts(faults: &[crate::config::fault::Fault], directory: &Path) -> Vec<String> {
    let directory = format!("{}/", directory.display());
    faults.iter().map(|fault| fault.to_string().replace(&directory, "")).collect()
}

#[test]
fn a_secret_in_a_file_is_taken_without_its_line_end() {
    let loaded = files("taken", "1//refresh\n", 0o600);
    assert!(loaded.errors.is_empty() && loaded.warnings.is_empty(), "{}", loaded.report());
    let config = loaded.config.unwrap();
    assert_eq!(config.tenants[0].id, "acme");
    let Grant::Token { grant, .. } = &config.tenants[0].accounts[0].grant else { unreachable!("a refresh token") };
    let posthouse_oauth::grant::Grant::RefreshToken { client_secret, refresh_token, .. } = grant else {
        unreachable!("a refresh token")
    };
    assert_eq!(refresh_token.as_ref().unwrap().expose(), "1//refresh");
    assert_eq!(client_secret.as_ref().unwrap().expose(), "posthouse-relay", "from the environment");
}

#[test]
fn a_secret_that_others_can_read_is_a_warning() {
    let loaded = files("readable", "1//refresh", 0o640);
    let fault = one(loaded.warnings.iter().map(ToString::to_string).collect());
    assert!(fault.contains("accounts[acme-gmail].grant.refresh_token: others than its owner can read"), "{fault}");
    assert!(fault.contains("`chmod 600 "), "{fault}");
}

#[test]
fn a_secret_of_several_lines_is_an_error() {
    let loaded = files("lines", "1//refresh\r\nMAIL FROM:<>\n", 0o600);
    let fault = one(loaded.errors.iter().map(ToString::to_string).collect());
    assert!(fault.ends_with("the secret holds a line break or another control character"), "{fault}");
    assert!(!loaded.report().to_string().contains("1//refresh"));
    let empty = files("empty", "\n", 0o600);
    assert!(one(empty.errors.iter().map(ToString::to_string).collect()).ends_with("the secret is empty"));
}

#[test]
fn a_secret_in_the_configuration_is_a_warning_that_does_not_show_it() {
    let acme = ACME.replace("env:CARGO_MANIFEST_DIR", "1//inline");
    assert_eq!(
        one(warnings(MAIN, &acme)),
        "tenants/acme.toml:16: accounts[acme-gmail].grant.refresh_token: the secret stands in the configuration itself; put \
         it into a file of mode 0600 and write `\"file:PATH\"`, or `\"env:NAME\"`"
    );
    let debug = format!("{:?}", loaded(MAIN, &acme));
    assert!(debug.contains("acme-gmail") && !debug.contains("1//inline"));
}

#[test]
fn a_secret_that_is_not_there_is_an_error() {
    assert_eq!(
        acme_error("env:CARGO_MANIFEST_DIR", "env:POSTHOUSE_NO_SUCH_VARIABLE"),
        "tenants/acme.toml:16: accounts[acme-gmail].grant.refresh_token = \"env:POSTHOUSE_NO_SUCH_VARIABLE\": there is no \
         such variable in the environment; under systemd it stands in the unit's EnvironmentFile, which no shell has read: \
         `set -a; . /etc/posthouse/environment`"
    );
    assert_eq!(
        acme_error("env:CARGO_MANIFEST_DIR", "file:/nonexistent/token"),
        "tenants/acme.toml:16: accounts[acme-gmail].grant.refresh_token = \"file:/nonexistent/token\": cannot read \
         /nonexistent/token: No such file or directory (os error 2)"
    );
    let fault = acme_error("\"env:CARGO_MANIFEST_DIR\"", "12345678");
    assert!(!fault.contains("12345678"), "{fault}");
}

#[test]
fn files_that_are_not_there_are_told_by_name() {
    let directory = directory("missing");
    let main = directory.join("posthouse.toml");
    assert_eq!(
        texts(&load(&main).errors, &directory),
        [
            "posthouse.toml: cannot read this file: No such file or directory (os error 2); name the main file with --config"
        ]
    );
    fs::write(&main, MAIN).unwrap();
    assert_eq!(
        texts(&load(&main).errors, &directory),
        ["posthouse.toml: tenants: cannot read the directory tenants: No such file or directory (os error 2)"]
    );
    fs::create_dir(directory.join("tenants")).unwrap();
    fs::write(directory.join("tenants/acme.toml~"), "an editor's copy").unwrap();
    fs::write(directory.join("tenants/.acme.toml"), "a hidden file").unwrap();
    assert_eq!(
        texts(&load(&main).errors, &directory),
        ["posthouse.toml: tenants: there is no tenant: tenants holds no *.toml; a tenant is a file there: NAME.toml"]
    );
    fs::create_dir(directory.join("tenants/dir.toml")).unwrap();
    let faults = texts(&load(&main).errors, &directory);
    assert_eq!(faults, ["tenants/dir.toml: cannot read this file: Is a directory (os error 21)"]);
}

#[test]
fn a_state_directory_that_is_not_there_is_a_warning() {
    let fault = one(warnings(&format!("state_directory = \"/nonexistent/state\"\n{MAIN}"), ACME));
    assert_eq!(
        fault,
        "posthouse.toml:1: state_directory = \"/nonexistent/state\": there is no such directory (yet): renewed refresh tokens \
         could not be kept; make it, readable by the relay only"
    );
}

#[test]
fn a_state_directory_that_is_a_file_is_an_error() {
    let directory = directory("no-directory");
    let file = directory.join("state");
    fs::write(&file, "").unwrap();
    let fault = one(errors(&format!("state_directory = \"{}\"\n{MAIN}", file.display()), ACME));
    assert!(fault.ends_with("it is a file, and a directory is wanted"), "{fault}");
}

#[test]
fn the_stores_keys_come_from_one_place_and_are_never_shown() {
    let directory = directory("store-keys");
    let of = |lines: &str, keys: &str| {
        fs::create_dir_all(directory.join("tenants")).unwrap();
        fs::write(directory.join("posthouse.toml"), format!("{MAIN}[store]\n{lines}\n")).unwrap();
        fs::write(directory.join("tenants/acme.toml"), ACME.replace("HASH", HASH)).unwrap();
        fs::write(directory.join("keys"), keys).unwrap();
        fs::set_permissions(directory.join("keys"), fs::Permissions::from_mode(0o600)).unwrap();
        load(&directory.join("posthouse.toml"))
    };
    let (one, two) = ("31".repeat(32), "32".repeat(32));
    let loaded = of("key_file = \"keys\"", &format!("{two}\n{one}\n"));
    let StoreKeys::Given(keys) = loaded.config.as_ref().unwrap().store_keys.clone() else { panic!("{loaded:?}") };
    assert_eq!(keys.ids().len(), 2);
    assert!(loaded.sources.files.contains(&directory.join("keys")));
    assert!(!format!("{loaded:?}").contains(&one));
    assert_eq!(of("", "").config.unwrap().store_keys, StoreKeys::OwnFile);
    for (lines, expected) in [
        (
            "key_file = \"keys\"\nkey_env = \"HOME\"",
            "store: expected one of `key_file`, `key_env` and `key_credential`",
        ),
        ("key_file = \"keys\"", "store.key_file = \"keys\": line 2 is no key: expected 32 octets as base64 or as 64"),
        ("key_file = \"none\"", "store.key_file = \"none\": cannot read "),
        ("key_env = \"POSTHOUSE_NO_SUCH\"", "store.key_env = \"POSTHOUSE_NO_SUCH\": there is no such variable"),
        ("key_env = \"CARGO_PKG_NAME\"", "store.key_env = \"CARGO_PKG_NAME\": line 1 is no key"),
        ("key_credential = \"../keys\"", "store.key_credential = \"../keys\": expected a name of at most 64"),
        ("key_credential = \"store\"", "there is no $CREDENTIALS_DIRECTORY: systemd sets it for a unit with"),
    ] {
        let loaded = of(lines, &format!("{one}\nsecret stuff\n"));
        let errors = texts(&loaded.errors, &directory);
        assert!(errors.iter().any(|error| error.contains(expected)), "{lines}: {errors:?}");
        assert!(!loaded.report().to_string().contains("secret stuff"), "{errors:?}");
    }
}
