//! The audit log, by what it keeps.

use super::{Actor, Audit, Deed, KEPT};

fn deed(tenant: Option<&str>) -> Deed {
    let tenant = tenant.map(str::to_owned);
    Deed { action: "pause".into(), tenant, account: None, outcome: "done".into(), detail: None, generation: 2 }
}

#[test]
fn the_newest_come_first_and_the_oldest_are_forgotten() {
    let audit = Audit::default();
    for _ in 0..KEPT + 5 {
        audit.record(Actor::here("files"), deed(None));
    }
    let numbers: Vec<u64> = audit.recent(None).iter().map(|entry| entry.number).collect();
    assert_eq!((numbers.len(), numbers[0], numbers[KEPT - 1]), (KEPT, KEPT as u64 + 5, 6));
}

#[test]
fn a_tenant_reads_what_concerns_it_and_nothing_else() {
    let audit = Audit::default();
    for tenant in [None, Some("acme"), Some("globex")] {
        audit.record(Actor::here("signal"), deed(tenant));
    }
    let of = |tenant| audit.recent(tenant).iter().map(|entry| entry.number).collect::<Vec<_>>();
    assert_eq!((of(None), of(Some("acme")), of(Some("nobody"))), (vec![3, 2, 1], vec![2], vec![]));
}

#[test]
fn what_is_stored_is_read_back_and_numbers_go_on() {
    let (first, none) = (Audit::stored(&[]), Audit::default());
    first.record(Actor { who: "ann".to_owned(), from: Some([192, 0, 2, 1].into()), tenant: None }, deed(Some("acme")));
    first.record(Actor::here("signal"), deed(None));
    let unwritten = first.unwritten();
    first.not_written(unwritten.clone());
    first.record(Actor::here("files"), deed(None));
    let written: Vec<_> = first.unwritten().iter().rev().map(super::Entry::kept).collect();
    assert_eq!((written[2].who.as_str(), written[2].from.as_str()), ("ann", "192.0.2.1"));
    let second = Audit::stored(&written);
    assert_eq!(second.recent(None), first.recent(None));
    second.record(Actor::here("files"), deed(None));
    assert_eq!(second.recent(None)[0].number, 4);
    assert_eq!((first.unwritten().len(), second.unwritten().len()), (0, 1));
    none.record(Actor::here("files"), deed(None));
    assert!(none.unwritten().is_empty(), "without a store nothing is held for one");
}
