//! Pauses, by what is there after another opening.

use super::{Pause, Paused};
use crate::scratch::Scratch;

#[test]
fn a_tenant_and_its_accounts_are_paused_each_for_itself() {
    let scratch = Scratch::new();
    let paused = |account: Option<&str>| Paused { tenant: "acme".to_owned(), account: account.map(str::to_owned) };
    let pause = |reason: &str| Pause { who: "ann".to_owned(), by_operator: true, when: 7, reason: reason.to_owned() };
    let store = scratch.store();
    assert!(store.pauses().all().unwrap().is_empty());
    store.pauses().set(&paused(None), &pause("all of it")).unwrap();
    store.pauses().set(&paused(Some("one")), &pause("first")).unwrap();
    store.pauses().set(&paused(Some("one")), &pause("second")).unwrap();
    drop(store);
    let store = scratch.store();
    let all: Vec<_> = store.pauses().all().unwrap().into_iter().collect();
    assert_eq!(all, [(paused(None), pause("all of it")), (paused(Some("one")), pause("second"))]);
    assert!(store.pauses().clear(&paused(None)).unwrap());
    assert!(!store.pauses().clear(&paused(None)).unwrap());
    assert_eq!(store.pauses().all().unwrap().into_keys().collect::<Vec<_>>(), [paused(Some("one"))]);
}
