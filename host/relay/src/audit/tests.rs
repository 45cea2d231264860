//! The audit log, by what it keeps.

use super::{Actor, Audit, Deed, KEPT};

fn deed(tenant: Option<&str>) -> Deed {
    let tenant = tenant.map(str::to_owned);
    Deed { action: "pause", tenant, account: None, outcome: "done", detail: None, generation: 2 }
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
