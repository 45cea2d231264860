//! The audit log: the newest first, and never too much of it.

use super::{AUDIT_ENTRIES, Entry};
use crate::scratch::Scratch;

fn entry(when: u64, tenant: Option<&str>) -> Entry {
    Entry {
        when,
        who: "ann".to_owned(),
        from: "127.0.0.1".to_owned(),
        action: "promote".to_owned(),
        tenant: tenant.map(str::to_owned),
        detail: "generation 2".to_owned(),
    }
}

#[test]
fn the_newest_entries_come_first_and_one_tenant_sees_its_own() {
    let scratch = Scratch::new();
    let store = scratch.store();
    assert_eq!(store.audit().list(9, None).unwrap(), []);
    let entries = [entry(1, Some("acme")), entry(2, Some("globex")), entry(3, None), entry(3, Some("acme"))];
    store.audit().append(&entries[..1]).unwrap();
    store.audit().append(&entries[1..]).unwrap();
    drop(store);
    let audit = scratch.store();
    let audit = audit.audit();
    let newest: Vec<Entry> = entries.iter().rev().cloned().collect();
    assert_eq!(audit.list(9, None).unwrap(), newest);
    assert_eq!(audit.list(2, None).unwrap(), newest[..2]);
    assert_eq!(audit.list(9, Some("acme")).unwrap(), [newest[0].clone(), newest[3].clone()]);
    assert_eq!(audit.list(1, Some("globex")).unwrap(), [newest[2].clone()]);
}

#[test]
fn the_oldest_make_place() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let entries: Vec<Entry> = (0..AUDIT_ENTRIES + 5).map(|when| entry(when, None)).collect();
    store.audit().append(&entries).unwrap();
    store.audit().append(&[entry(1_000_000, None)]).unwrap();
    let kept = store.audit().list(usize::MAX, None).unwrap();
    assert_eq!(kept.len() as u64, AUDIT_ENTRIES);
    assert_eq!((kept.first().unwrap().when, kept.last().unwrap().when), (1_000_000, 6));
}
