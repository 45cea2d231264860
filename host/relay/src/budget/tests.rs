//! Budgets, by what is taken of them and given back.

use super::{Books, Budget, Receipt, Unit, Whose, utc};

fn budgets() -> [Budget; 2] {
    let books = Books::of(None);
    let account = ("acme", "gmail");
    [
        Budget::of_account(account, ("smtp.gmail.com", "Box@acme.example"), (Unit::Messages, 3), &books),
        Budget::of_account(account, ("smtp.gmail.com", "box@acme.example"), (Unit::Recipients, 10), &books),
    ]
}

#[test]
fn a_message_takes_its_part_of_each_budget_or_nothing_of_any() {
    let budgets = budgets();
    Receipt::take(&budgets, 8).unwrap();
    assert_eq!(budgets.each_ref().map(Budget::left), [2, 2]);
    let over = Receipt::take(&budgets, 3).unwrap_err();
    assert_eq!((over.unit, over.limit, &over.whose), (Unit::Recipients, 10, &Whose::Account("gmail".to_owned())));
    assert_eq!(budgets.each_ref().map(Budget::left), [2, 2], "the message that did not go is not counted");
    let told = format!(
        "over its budget of 10 recipients in 24 hours; this message will pass at {}",
        utc(over.passes_at.unwrap())
    );
    assert!(over.to_string().ends_with(&told), "{over}");
}

#[test]
fn what_the_provider_did_not_take_is_given_back() {
    let budgets = budgets();
    Receipt::take(&budgets, 10).unwrap().give_back();
    Receipt::take(&budgets, 10).unwrap();
    let standing = budgets[1].standing();
    assert_eq!((standing.used, standing.limit), (10, 10));
    assert!(standing.passes_at.is_some());
    assert_eq!(budgets[0].standing().passes_at, None);
}

#[test]
fn more_than_the_whole_budget_never_passes() {
    let over = Receipt::take(&budgets(), 11).unwrap_err();
    assert_eq!(over.to_string(), "account gmail has a budget of 10 recipients in 24 hours: send to fewer at a time");
}

#[test]
fn tenants_and_users_are_counted_each_for_itself() {
    let books = Books::of(None);
    let of = |tenant, user| Budget::of_account((tenant, "a"), ("host", user), (Unit::Recipients, 1), &books);
    for (tenant, user) in [("one", "ann"), ("one", "bob"), ("two", "ann")] {
        Receipt::take(&[of(tenant, user)], 1).unwrap();
    }
    Receipt::take(&[of("one", "ANN")], 1).unwrap_err();
}
