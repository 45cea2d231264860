//! Rotated refresh tokens, by what is there after a restart.

use std::path::PathBuf;
use std::sync::Arc;

use posthouse_oauth::cache::Rotation;
use posthouse_oauth::grant::Grant;
use posthouse_oauth::secret::Secret;
use posthouse_store::keys::Keys;
use posthouse_store::store::Store;

use posthouse_store::lives::Life;
use posthouse_store::refresh_tokens::{Chain, LOGIN};
use posthouse_store::secret::Secret as Stored;

use super::{Place, copy_logins, forget_logins};
use crate::config::account::{Account as Settings, Grant as Asked};
use crate::config::{Config, from_toml};

/// The tenant `acme` with these accounts, each with an id, an address, and further lines of its grant and of itself.
fn config(accounts: &[(&str, &str, &str, &str)]) -> Config {
    let main = "hostname = \"relay.example.com\"\nstate_directory = \"/tmp\"\n[[listeners]]\nname = \"plain\"\n\
                address = \"127.0.0.1:0\"\ntls = \"none\"\n";
    let account = |(id, address, grant, more): &(&str, &str, &str, &str)| {
        format!(
            "[[accounts]]\nid = \"{id}\"\naddress = \"{address}\"\nprovider = \"outlook\"\n{more}\n[accounts.grant]\n\
             kind = \"refresh_token\"\nclient_id = \"app\"\n{grant}\n"
        )
    };
    let text: String = accounts.iter().map(account).collect();
    let loaded =
        from_toml(main, &[("acme", &format!("{text}[[logins]]\nname = \"app\"\nsenders = [\"@acme.example\"]\n"))]);
    loaded.config.clone().unwrap_or_else(|| panic!("{}", loaded.report()))
}

fn account(id: &str, address: &str, grant: &str, more: &str) -> Settings {
    config(&[(id, address, grant, more)]).tenants[0].accounts[0].clone()
}

/// The account of this id, with a configured token.
fn configured(id: &str, refresh_token: &str) -> Settings {
    account(id, "one@acme.example", &format!("refresh_token = \"{refresh_token}\""), "")
}

/// What an account of these settings would ask with.
fn asked(store: &Arc<Store>, settings: &Settings) -> Option<String> {
    let Asked::Token { grant, .. } = &settings.grant else { return None };
    let newest = Place::of(store, "acme", settings).unwrap().newest(grant).unwrap();
    let Grant::RefreshToken { refresh_token, .. } = newest else { return None };
    refresh_token.map(|token| token.expose().to_owned())
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
    let one = configured("one", "first");
    let place = Place::of(&store(&directory), "acme", &one).unwrap();
    assert_eq!(asked(&place.store, &one).as_deref(), Some("first"));
    place.keep(&Secret::new("second")).unwrap();
    place.keep(&Secret::new("third")).unwrap();
    drop(place);
    let store = store(&directory);
    assert_eq!(asked(&store, &one).as_deref(), Some("third"));
    assert_eq!(asked(&store, &configured("one", "new-consent")).as_deref(), Some("new-consent"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_consent_of_a_login_is_of_whom_it_was_asked_and_of_nobody_who_has_the_id_later() {
    let directory = directory("logins");
    let store = store(&directory);
    let one = |id: &str, grant: &str, more: &str| account(id, "one@acme.example", grant, more);
    Place::of(&store, "acme", &one("box", "", "")).unwrap().begin(&Secret::new("one's"), 7).unwrap();
    // By another id, another port, another transport, another name of its directory it is the same consent.
    for (id, grant, more) in [
        ("box", "", ""),
        ("another-id", "", ""),
        ("box", "", "host = \"smtp.example.com\"\nport = 2587"),
        ("box", "", "transport = \"graph\""),
        ("box", "directory = \"contoso.example\"", ""),
        ("box", "", "user = \"One@Acme.example\""),
        ("box", "client_secret = \"s3\"", ""),
    ] {
        let settings = one(id, grant, more);
        assert_eq!(asked(&store, &settings).as_deref(), Some("one's"), "{id} {grant} {more}");
        let life = Place::of(&store, "acme", &settings).unwrap().life();
        assert_eq!(life, Some(Life { began: 7, used: 7 }), "{id} {grant} {more}");
    }
    let others = [
        account("box", "two@acme.example", "", ""),
        one("box", "", "user = \"two@acme.example\""),
        one("box", "", "token_url = \"https://login.example.net/organizations/token\""),
        one("box", "refresh_token = \"configured\"", ""),
    ];
    for other in &others {
        assert_ne!(asked(&store, other).as_deref(), Some("one's"), "{other:?}");
    }
    let mut other_application = one("box", "", "");
    if let Asked::Token { grant: Grant::RefreshToken { client_id, .. }, .. } = &mut other_application.grant {
        *client_id = "another".to_owned();
    }
    assert_eq!(asked(&store, &other_application), None);
    let foreign = Place::of(&store, "globex", &one("box", "", "")).unwrap();
    assert_eq!(store.refresh_tokens().get(foreign.chain()).unwrap(), None, "another tenant");
    std::fs::remove_dir_all(&directory).unwrap();
}

/// As it was kept before origins said whose consent it is.
#[test]
fn what_was_kept_by_an_id_alone_is_taken_in_at_a_start_and_never_after() {
    let directory = directory("by-id");
    let store = store(&directory);
    let start = |config: &Config| {
        copy_logins(&store, config).unwrap();
        forget_logins(&store).unwrap();
    };
    let by_id = |account: &str| Chain { tenant: "acme".into(), account: account.into(), origin: LOGIN.into() };
    for (id, token) in [("one", "one's"), ("gone", "somebody's"), ("configured", "older")] {
        store.refresh_tokens().put(&by_id(id), &Stored::new(token)).unwrap();
    }
    let begun = config(&[
        ("one", "one@acme.example", "", ""),
        ("configured", "two@acme.example", "refresh_token = \"theirs\"", ""),
    ]);
    start(&begun);
    assert_eq!(asked(&store, &account("renamed", "one@acme.example", "", "")).as_deref(), Some("one's"));
    assert_eq!(asked(&store, &account("one", "three@acme.example", "", "")), None);
    assert_eq!(asked(&store, &begun.tenants[0].accounts[1]).as_deref(), Some("theirs"));
    assert_eq!(asked(&store, &account("two", "two@acme.example", "", "")).as_deref(), Some("older"));
    // Nobody's id is anybody's later.
    let later = config(&[("gone", "four@acme.example", "", "")]);
    start(&later);
    assert_eq!(asked(&store, &later.tenants[0].accounts[0]), None);
    // A consent that was given while no relay ran is newer than one that is still there by the id.
    store.refresh_tokens().put(&by_id("gone"), &Stored::new("older")).unwrap();
    Place::of(&store, "acme", &later.tenants[0].accounts[0]).unwrap().begin(&Secret::new("newer"), 7).unwrap();
    start(&later);
    assert_eq!(asked(&store, &later.tenants[0].accounts[0]).as_deref(), Some("newer"));
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The name is that of release 0.1: BLAKE2s-256 of the configured token, eight octets of it.
#[test]
fn a_file_of_an_earlier_release_moves_into_the_store_once() {
    let directory = directory("migrates");
    let store = store(&directory);
    let one = configured("one", "first");
    let place = Place::of(&store, "acme", &one).unwrap();
    let file = directory.join(format!("acme.one.{}.refresh-token", place.chain.origin));
    assert_eq!(place.chain.origin, "0237b8d953b776de");
    std::fs::write(&file, "second").unwrap();
    Place::of(&store, "acme", &configured("other", "first")).unwrap().migrate().unwrap();
    assert!(file.exists());
    place.migrate().unwrap();
    assert!(!file.exists());
    assert_eq!(asked(&store, &one).as_deref(), Some("second"));
    // One that was put back from a copy is older than what the store has.
    place.keep(&Secret::new("third")).unwrap();
    std::fs::write(&file, "second").unwrap();
    place.migrate().unwrap();
    assert_eq!(asked(&store, &one).as_deref(), Some("third"));
    assert!(!file.exists());
    std::fs::remove_dir_all(&directory).unwrap();
}
