//! Alerts that wait, by what is brought in the end.

use super::{MOST, Pending};
use crate::account::state::Name;
use crate::alerts::{Alert, Subject};

fn alert(id: u32, account: &str, before: Name, after: Name) -> Alert {
    Alert {
        id: id.to_string(),
        event: after.word(),
        at: 0,
        subject: Subject::Account { tenant: "acme".to_owned(), account: account.to_owned(), address: String::new() },
        before,
        after,
        reason: None,
        since: None,
        expires: None,
        text: String::new(),
    }
}

fn waiting(pending: &Pending) -> Vec<(String, Name, Name)> {
    pending.next(usize::MAX).into_iter().map(|alert| (alert.id, alert.before, alert.after)).collect()
}

#[test]
fn changes_of_an_account_are_told_as_one_and_what_is_undone_is_not_told() {
    let mut pending = Pending::default();
    assert!(!pending.add(alert(1, "one", Name::Ready, Name::Refused)));
    assert!(!pending.add(alert(2, "one", Name::Refused, Name::NeedsConsent)));
    assert_eq!(waiting(&pending), [("2".to_owned(), Name::Ready, Name::NeedsConsent)]);
    assert!(!pending.add(alert(3, "one", Name::NeedsConsent, Name::Ready)));
    assert_eq!(pending.len(), 0);
}

#[test]
fn what_happens_while_an_alert_is_on_its_way_is_told_after_it() {
    let mut pending = Pending::default();
    assert!(!pending.add(alert(1, "one", Name::Ready, Name::Refused)));
    let on_its_way = pending.next(10);
    assert!(!pending.add(alert(2, "one", Name::Refused, Name::Expiring)));
    pending.taken(&on_its_way);
    assert_eq!(waiting(&pending), [("2".to_owned(), Name::Refused, Name::Expiring)]);
    pending.taken(&pending.next(10));
    assert_eq!(pending.len(), 0);
}

#[test]
fn no_more_wait_than_there_is_place_for() {
    let mut pending = Pending::default();
    for number in 0..MOST {
        assert!(!pending.add(alert(1, &number.to_string(), Name::Ready, Name::Refused)));
    }
    assert!(pending.add(alert(1, "one too many", Name::Ready, Name::Refused)));
    assert!(!pending.add(alert(2, "0", Name::Refused, Name::NeedsConsent)));
    assert_eq!(pending.len(), MOST);
}
