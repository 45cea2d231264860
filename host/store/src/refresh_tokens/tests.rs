//! Refresh tokens, by what is there after another opening, and under which keys.

use redb::ReadableTable;

use super::{Chain, LOGIN, TABLE};
use crate::error::Error;
use crate::lives::Life;
use crate::scratch::{Scratch, keys};
use crate::secret::Secret;
use crate::store::Store;

fn chain(tenant: &str, account: &str) -> Chain {
    Chain { tenant: tenant.to_owned(), account: account.to_owned(), origin: "consent".to_owned() }
}

#[test]
fn the_newest_token_of_each_chain_is_there_after_a_restart() {
    let scratch = Scratch::new();
    let one = chain("acme", "one");
    let anew = Chain { origin: "another consent".to_owned(), ..one.clone() };
    let store = scratch.store();
    assert_eq!(store.refresh_tokens().get(&one).unwrap(), None);
    store.refresh_tokens().put(&one, &Secret::new("first")).unwrap();
    store.refresh_tokens().put(&one, &Secret::new("second")).unwrap();
    let two = Chain { origin: "two's consent".to_owned(), ..chain("acme", "two") };
    store.refresh_tokens().put(&two, &Secret::new("other")).unwrap();
    drop(store);
    let store = scratch.store();
    assert_eq!(store.refresh_tokens().get(&one).unwrap(), Some(Secret::new("second")));
    assert_eq!(store.refresh_tokens().get(&anew).unwrap(), None);
    assert_eq!(store.refresh_tokens().chains().unwrap(), [one.clone(), two]);
    assert!(store.refresh_tokens().remove(&one).unwrap());
    assert_eq!(store.refresh_tokens().get(&one).unwrap(), None);
}

#[test]
fn an_account_that_has_another_id_finds_its_grants_newest_token_and_nobody_elses() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let tokens = store.refresh_tokens();
    let (before, after) = (chain("acme", "old-id"), chain("acme", "a-new-id"));
    tokens.put(&before, &Secret::new("first")).unwrap();
    assert_eq!(tokens.get(&after).unwrap(), Some(Secret::new("first")));
    assert_eq!(tokens.get(&chain("acm", "old-id")).unwrap(), None);
    assert_eq!(tokens.get(&chain("globex", "old-id")).unwrap(), None);
    tokens.put(&after, &Secret::new("second")).unwrap();
    assert_eq!(tokens.get(&before).unwrap(), Some(Secret::new("second")), "and so it does if it is called back");
    assert_eq!(tokens.chains().unwrap(), std::slice::from_ref(&after));
}

fn login(account: &str) -> Chain {
    Chain { origin: LOGIN.to_owned(), ..chain("acme", account) }
}

#[test]
fn tokens_that_were_found_by_their_id_alone_are_given_to_whom_they_belong_or_forgotten() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let tokens = store.refresh_tokens();
    tokens.put(&login("one"), &Secret::new("one's")).unwrap();
    assert_eq!(tokens.get(&login("two")).unwrap(), None, "such an origin says nothing of the consent");
    tokens.put(&login("two"), &Secret::new("two's")).unwrap();
    let life = Life { began: 3, used: 4 };
    store.lives().keep(&[(login("one"), life), (login("two"), life)]).unwrap();
    // An older one, of the same mailbox, under the id that it had then.
    let whose = |account: &str| Chain { origin: "login-of-one".to_owned(), ..chain("acme", account) };
    tokens.put(&whose("before"), &Secret::new("older")).unwrap();
    let copied = || tokens.copy_logins(|login| (login.account == "one").then(|| whose("one"))).unwrap();
    assert_eq!(copied(), [(login("one"), Some(whose("one"))), (login("two"), None)]);
    let theirs = || (tokens.get(&whose("another id")).unwrap(), store.lives().get(&whose("another id")).unwrap());
    assert_eq!(theirs(), (Some(Secret::new("one's")), Some(life)));
    // A release of before goes on with them.
    for there in ["one", "two"] {
        assert_eq!(tokens.get(&login(there)).unwrap(), Some(Secret::new(format!("{there}'s"))));
        assert_eq!(store.lives().get(&login(there)).unwrap(), Some(life));
    }
    tokens.put(&login("one"), &Secret::new("one's newer")).unwrap();
    let later = Life { began: 3, used: 5 };
    store.lives().keep(&[(login("one"), later)]).unwrap();
    copied();
    assert_eq!(theirs(), (Some(Secret::new("one's newer")), Some(later)));
    // What has come of the copy is newer than what was only not forgotten.
    let latest = Life { began: 3, used: 6 };
    tokens.put(&whose("one"), &Secret::new("one's newest")).unwrap();
    store.lives().keep(&[(whose("one"), latest)]).unwrap();
    copied();
    tokens.forget_logins().unwrap();
    assert_eq!(theirs(), (Some(Secret::new("one's newest")), Some(latest)));
    assert_eq!(tokens.chains().unwrap(), [whose("one")]);
    for gone in ["one", "two"] {
        assert_eq!((tokens.get(&login(gone)).unwrap(), store.lives().get(&login(gone)).unwrap()), (None, None));
    }
    assert_eq!(tokens.copy_logins(|_| None).unwrap(), []);
    tokens.forget_logins().unwrap();
    assert_eq!(tokens.chains().unwrap(), [whose("one")]);
}

#[test]
fn what_no_key_opens_is_not_copied_and_not_forgotten() {
    let scratch = Scratch::new();
    scratch.store().refresh_tokens().put(&login("one"), &Secret::new("one's")).unwrap();
    let store = Store::open(&scratch.0, keys(b"2")).unwrap();
    let error = store.refresh_tokens().copy_logins(|_| Some(chain("acme", "one"))).unwrap_err();
    assert!(matches!(error, Error::KeyMissing { .. }), "{error}");
    assert_eq!(store.refresh_tokens().chains().unwrap(), [login("one")]);
}

#[test]
fn no_octet_of_a_token_is_in_the_files() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.refresh_tokens().put(&chain("acme", "one"), &Secret::new("a-token-to-look-for")).unwrap();
    drop(store);
    for entry in std::fs::read_dir(&scratch.0).unwrap() {
        let octets = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!octets.windows(10).any(|part| part == b"a-token-to"));
    }
}

#[test]
fn a_record_put_in_anothers_place_is_refused() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.refresh_tokens().put(&chain("globex", "one"), &Secret::new("theirs")).unwrap();
    let swapped = store.refresh_tokens().database.write("test", |transaction| {
        let mut tokens = transaction.open_table(TABLE)?;
        let theirs = tokens.get(("globex", "one", "consent"))?.unwrap().value().to_vec();
        tokens.insert(("acme", "one", "consent"), theirs.as_slice())?;
        Ok(())
    });
    swapped.unwrap();
    let error = store.refresh_tokens().get(&chain("acme", "one")).unwrap_err();
    let id = keys(b"1").ids()[0];
    let expected = format!(
        "the refresh token of acme/one does not open under its key {id}: it was altered, or moved here from another record"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_missing_key_is_named_and_the_record_stays() {
    let scratch = Scratch::new();
    let one = chain("acme", "one");
    scratch.store().refresh_tokens().put(&one, &Secret::new("token")).unwrap();
    let store = Store::open(&scratch.0, keys(b"23")).unwrap();
    let (error, ids) = (store.refresh_tokens().get(&one).unwrap_err(), keys(b"123").ids());
    let expected = format!(
        "the refresh token of acme/one is sealed under the key {}, and the keys given are {}, {}: add that key behind them",
        ids[0], ids[1], ids[2]
    );
    assert_eq!(error.to_string(), expected);
    assert!(matches!(store.refresh_tokens().reencrypt(), Err(Error::KeyMissing { .. })));
    drop(store);
    assert_eq!(scratch.store().refresh_tokens().get(&one).unwrap(), Some(Secret::new("token")));
}

#[test]
fn a_key_is_rotated_without_losing_a_token() {
    let scratch = Scratch::new();
    let two = Chain { origin: "another consent".to_owned(), ..chain("acme", "two") };
    let one = chain("acme", "one");
    scratch.store().refresh_tokens().put(&one, &Secret::new("old")).unwrap();
    let store = Store::open(&scratch.0, keys(b"21")).unwrap();
    store.refresh_tokens().put(&two, &Secret::new("new")).unwrap();
    let ids = keys(b"12").ids();
    let mut expected = vec![(ids[0].to_string(), 1), (ids[1].to_string(), 1)];
    expected.sort();
    assert_eq!(store.refresh_tokens().keys_in_use().unwrap(), expected);
    assert_eq!(store.refresh_tokens().reencrypt().unwrap(), 1);
    assert_eq!(store.refresh_tokens().reencrypt().unwrap(), 0);
    drop(store);
    let store = Store::open(&scratch.0, keys(b"2")).unwrap();
    assert_eq!(store.refresh_tokens().get(&one).unwrap(), Some(Secret::new("old")));
    assert_eq!(store.refresh_tokens().get(&two).unwrap(), Some(Secret::new("new")));
}
