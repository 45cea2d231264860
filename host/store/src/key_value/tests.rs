//! Policies' data, by what is loaded after another opening.

use super::{Entry, Value};
use crate::scratch::Scratch;

fn entry(key: &str, value: Value, expires: u64) -> Entry {
    Entry { key: key.to_owned(), value, expires }
}

#[test]
fn a_tenant_finds_its_own_data_with_what_it_is_until_it_ends() {
    let scratch = Scratch::new();
    let (octets, number) = (Value::Octets(vec![0, 255]), Value::Number(-3));
    let kept = [entry("a", octets.clone(), 10), entry("b", number.clone(), 20)];
    let store = scratch.store();
    assert_eq!(store.key_value().load("acme", 0).unwrap(), []);
    store.key_value().save("acme", &[entry("gone", number.clone(), 20)]).unwrap();
    store.key_value().save("acme", &kept).unwrap();
    // Neighbours in the order of names.
    store.key_value().save("acm", &[entry("x", number.clone(), 20)]).unwrap();
    store.key_value().save("acme2", &[entry("y", octets, 20)]).unwrap();
    drop(store);
    let store = scratch.store();
    assert_eq!(store.key_value().load("acme", 9).unwrap(), kept);
    assert_eq!(store.key_value().load("acme", 10).unwrap(), kept[1..]);
    store.key_value().save("acme", &[]).unwrap();
    assert_eq!(store.key_value().load("acme", 9).unwrap(), []);
    assert_eq!(store.key_value().load("acm", 9).unwrap(), [entry("x", number, 20)]);
    assert_eq!(store.key_value().load("acme2", 9).unwrap().len(), 1);
}
