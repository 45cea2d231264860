//! Opening: once, of a known schema, and never with a panic.

use std::os::unix::fs::PermissionsExt;

use crate::database::{Database, FILE, NUMBERS};
use crate::error::Error;
use crate::refresh_tokens::Chain;
use crate::scratch::{Scratch, keys};
use crate::secret::Secret;
use crate::store::Store;

#[test]
fn a_second_opening_is_refused_and_says_what_to_do() {
    let scratch = Scratch::new();
    let first = scratch.store();
    let error = Store::open(&scratch.0, keys(b"1")).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    let path = scratch.0.join(FILE).display().to_string();
    let expected = format!(
        "{path} is in use by another process: stop the other relay, or give this one a state_directory of its own"
    );
    assert_eq!(error.to_string(), expected);
    drop(first);
    scratch.store();
}

#[test]
fn a_store_that_was_closed_is_anothers_until_it_is_opened_again() {
    let scratch = Scratch::new();
    let first = scratch.store();
    first.close();
    let error = first.generations().list("acme").unwrap_err();
    assert!(matches!(error, Error::HandedOver { .. }), "{error}");
    let second = scratch.store();
    assert!(matches!(first.reopen().unwrap_err(), Error::InUse { .. }));
    drop(second);
    first.reopen().unwrap();
    first.reopen().unwrap();
    first.generations().list("acme").unwrap();
}

#[test]
fn files_are_the_owners_alone_even_where_a_copy_was_put_in_place() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let modes = || -> Vec<u32> {
        let entries = std::fs::read_dir(&scratch.0).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777).collect()
    };
    assert_eq!(modes(), [0o600; 3]);
    std::fs::set_permissions(scratch.0.join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(scratch.store());
    assert_eq!(modes(), [0o600; 3]);
}

#[test]
fn a_newer_schema_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let database = Database::open(&scratch.0).unwrap();
    let newer = database.write("test", |transaction| {
        transaction.open_table(NUMBERS)?.insert("schema", 7)?;
        Ok(())
    });
    newer.unwrap();
    drop(database);
    let error = Store::open(&scratch.0, keys(b"1")).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("was written by a newer release (schema 7; this release knows 1)"), "{error}");
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    for octets in [&b""[..], b"something else that is long enough to be read as a header of sorts", &[0; 8192]] {
        let scratch = Scratch::new();
        std::fs::write(scratch.0.join(FILE), octets).unwrap();
        let error = Store::open(&scratch.0, keys(b"1")).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("put a copy of it in place, or move it away to start anew"), "{error}");
        assert_eq!(std::fs::read(scratch.0.join(FILE)).unwrap(), octets);
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let error = Store::open(&scratch.0.join("nowhere"), keys(b"1")).unwrap_err();
    assert!(error.to_string().starts_with("cannot make ") && error.to_string().contains("nowhere"), "{error}");
}

/// Octets are changed all over the file, one place at a time: each time it opens with what was in it, or says that it is damaged.
#[test]
fn damage_anywhere_is_an_error_and_never_a_wrong_answer() {
    let scratch = Scratch::new();
    let chain = |account: usize| Chain {
        tenant: "acme".to_owned(),
        account: account.to_string(),
        origin: format!("origin {account}"),
    };
    let store = scratch.store();
    for account in 0..20 {
        store.refresh_tokens().put(&chain(account), &Secret::new(format!("token {account}"))).unwrap();
    }
    drop(store);
    let whole = std::fs::read(scratch.0.join(FILE)).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for place in (0..64).chain((64..whole.len()).step_by(whole.len() / 150)) {
        let mut octets = whole.clone();
        octets[place] ^= 0xff;
        std::fs::write(scratch.0.join(FILE), &octets).unwrap();
        match Store::open(&scratch.0, keys(b"1")) {
            Ok(store) => {
                opened += 1;
                for account in 0..20 {
                    let token = store.refresh_tokens().get(&chain(account)).unwrap();
                    assert_eq!(token, Some(Secret::new(format!("token {account}"))), "octet {place}");
                }
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, Error::Damaged { .. } | Error::File { .. }), "octet {place}: {error:?}");
            }
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

#[test]
fn budgets_of_a_closed_store_leave_the_journals_to_the_process_that_has_them() {
    let scratch = Scratch::new();
    let first = scratch.store();
    let now = 1_800_000_000;
    first.budgets().take("k", 2, now).unwrap();
    first.close();
    let second = scratch.store();
    assert_eq!(second.budgets().used_by("k", now), 2);
    // The limit holds in the process that drains, as far as that knows.
    first.budgets().take_within("k", 1, 3, now).unwrap();
    first.budgets().take_within("k", 1, 3, now).unwrap_err();
    first.budgets().sync().unwrap();
    assert_eq!(first.budgets().fold(now).unwrap(), 0);
    second.budgets().take("k", 4, now).unwrap();
    second.budgets().fold(now).unwrap();
    drop(second);
    assert_eq!(scratch.store().budgets().used_by("k", now), 6);
}

#[test]
fn a_store_is_not_closed_while_a_refresh_token_may_come() {
    let scratch = Scratch::new();
    let store = std::sync::Arc::new(scratch.store());
    let chain = Chain { tenant: "acme".to_owned(), account: "one".to_owned(), origin: "consent".to_owned() };
    let renewal = store.renewal().unwrap();
    let closing = std::thread::spawn({
        let store = std::sync::Arc::clone(&store);
        move || store.close()
    });
    while store.renewal().is_ok() {
        std::thread::yield_now();
    }
    store.refresh_tokens().put(&chain, &Secret::new("it came")).unwrap();
    drop(renewal);
    closing.join().unwrap();
    assert!(matches!(store.renewal().unwrap_err(), Error::HandedOver { .. }));
    store.reopen().unwrap();
    assert_eq!(store.refresh_tokens().get(&chain).unwrap(), Some(Secret::new("it came")));
    drop(store.renewal().unwrap());
    // Who wants it back before it is closed keeps it.
    let renewal = store.renewal().unwrap();
    let closing = std::thread::spawn({
        let store = std::sync::Arc::clone(&store);
        move || store.close()
    });
    while store.renewal().is_ok() {
        std::thread::yield_now();
    }
    store.reopen().unwrap();
    closing.join().unwrap();
    drop(renewal);
    store.refresh_tokens().put(&chain, &Secret::new("newer")).unwrap();
}
