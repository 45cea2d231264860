//! The trace, by who hears what.

use posthouse_smtp::path::ReversePath;

use super::{Event, Heard, LISTENERS, Trace, WAITING};

fn of(tenant: Option<&str>, number: usize) -> Event {
    Event { event: "mail", session: number.to_string(), tenant: tenant.map(str::to_owned), ..Event::default() }
}

#[tokio::test]
async fn a_tenant_hears_its_own_events_and_of_no_others() {
    let trace = Trace::new([7; 32]);
    let mut acme = trace.listen(Some("acme".to_owned())).unwrap();
    for (number, tenant) in [None, Some("globex"), Some("acme")].into_iter().enumerate() {
        trace.tell(|| of(tenant, number));
    }
    let Some(Heard::Event(event)) = acme.next().await else { panic!("an event") };
    assert_eq!(event.session, "2");
    // What its neighbours lose it is not told either: their traffic is theirs.
    (0..2 * WAITING).for_each(|number| trace.tell(|| of(Some("globex"), number)));
    trace.tell(|| of(Some("acme"), 9));
    let Some(Heard::Event(event)) = acme.next().await else { panic!("an event") };
    assert_eq!(event.session, "9");
}

#[tokio::test]
async fn a_slow_listener_is_told_how_many_events_it_lost() {
    let trace = Trace::new([7; 32]);
    let mut slow = trace.listen(None).unwrap();
    (0..WAITING + 40).for_each(|number| trace.tell(|| of(None, number)));
    assert!(matches!(slow.next().await, Some(Heard::Lost(40))));
    for number in 0..WAITING {
        let Some(Heard::Event(event)) = slow.next().await else { panic!("an event") };
        assert_eq!(event.session, number.to_string());
    }
}

#[tokio::test]
async fn nothing_is_made_while_nobody_listens() {
    let trace = Trace::new([7; 32]);
    trace.tell(|| panic!("nobody listens"));
    drop(trace.listen(None));
    trace.tell(|| panic!("nobody listens any more"));
    let listening: Vec<_> = (0..LISTENERS).map(|_| trace.listen(None).unwrap()).collect();
    assert!(trace.listen(None).is_none());
    drop(listening);
    assert!(trace.listen(None).is_some());
}

#[test]
fn of_an_address_only_the_domain_is_told() {
    let (trace, other) = (Trace::new([7; 32]), Trace::new([8; 32]));
    let path = |text: &str| ReversePath::Mailbox(text.parse().unwrap());
    let told = trace.sender(&path("ann.secret@example.com"));
    assert!(told.ends_with("..@example.com") && !told.contains("ann"), "{told}");
    assert_eq!(told, trace.sender(&path("ann.secret@example.com")));
    assert_ne!(told, trace.sender(&path("bob@example.com")));
    assert_ne!(told, other.sender(&path("ann.secret@example.com")));
    assert_eq!(trace.sender(&ReversePath::Null), "");
}
