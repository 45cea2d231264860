//! Sticky senders: that they spread, and stay.

use super::draw;
use posthouse_smtp::path::ReversePath;

fn first<'a>(sender: usize, accounts: &[&'a str]) -> &'a str {
    let sender = ReversePath::Mailbox(format!("user{sender}@acme.example").parse().unwrap());
    accounts.iter().max_by_key(|account| draw(&sender, account)).unwrap()
}

#[test]
fn senders_spread_and_only_those_of_an_account_that_goes_move() {
    let (all, fewer) = (["a", "b", "c", "d"], ["a", "b", "d"]);
    let mut counts = [0; 4];
    for sender in 0..1000 {
        let before = first(sender, &all);
        counts[all.iter().position(|account| *account == before).unwrap()] += 1;
        let after = first(sender, &fewer);
        assert!(before == after || before == "c", "sender {sender} moved from {before} to {after}");
    }
    assert!(counts.iter().all(|count| (200..300).contains(count)), "{counts:?}");
}

#[test]
fn a_sender_is_the_same_in_any_case() {
    let of = |text: &str| draw(&ReversePath::Mailbox(text.parse().unwrap()), "a");
    assert_eq!(of("App@acme.example"), of("app@ACME.example"));
}
