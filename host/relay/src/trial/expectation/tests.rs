//! What is a difference, and how it is told.

use posthouse_policy::decided::Reply;

use super::super::cases::{Expected, Word};
use super::super::seen::{Onward, Seen};
use super::differences;

fn expected(text: &str) -> Expected {
    toml::from_str(text).unwrap()
}

fn proceeding() -> Seen {
    let fields = [("From", "app@acme.example"), ("X-Tag", "billing"), ("X-Tag", "shop")];
    let fields = fields.map(|(name, body)| (name.to_owned(), body.to_owned())).into();
    let onward =
        Onward { route: Some("bulk".to_owned()), sender: "app@acme.example".to_owned(), fields, ..Onward::default() };
    Seen { word: Some(Word::Proceed), onward: Some(onward), ..Seen::default() }
}

fn rejecting() -> Seen {
    let reply = Reply { code: 550, enhanced: (5, 7, 1), text: "not sent from here".to_owned() };
    Seen { word: Some(Word::Reject), reply: Some(reply), ..Seen::default() }
}

#[test]
fn only_what_is_written_down_is_expected() {
    assert!(differences(&Expected::default(), &proceeding()).is_empty());
    assert!(differences(&Expected::default(), &rejecting()).is_empty());
}

#[test]
fn another_verdict_is_told_once() {
    let found = differences(&expected("verdict = \"proceed\"\nroute = \"bulk\"\nheaders = [\"X: y\"]"), &rejecting());
    assert_eq!(found, ["verdict: expected proceed, got reject 550 5.7.1 not sent from here"]);
}

#[test]
fn a_failure_is_never_as_expected_unless_it_is() {
    let failure = Some("it used up its stack".to_owned());
    let seen = Seen { word: Some(Word::Failure), failure, ..Seen::default() };
    assert_eq!(
        differences(&Expected::default(), &seen),
        ["verdict: expected an answer, got failure: it used up its stack"]
    );
    assert!(differences(&expected("failure = \"stack\""), &seen).is_empty());
    assert!(differences(&expected("verdict = \"failure\""), &seen).is_empty());
}

#[test]
fn fields_are_compared_by_name_in_any_case_and_by_body() {
    assert!(
        differences(&expected("headers = [\"x-tag: shop\"]\nno_headers = [\"X-Other\"]"), &proceeding()).is_empty()
    );
    let found =
        differences(&expected("headers = [\"X-Tag: none\", \"X-New: 1\"]\nno_headers = [\"from\"]"), &proceeding());
    let told = [
        "headers: expected `X-Tag: none`, got `X-Tag: billing` and `X-Tag: shop`",
        "headers: expected `X-New: 1`, got no X-New",
        "no_headers: expected no from, got `from: app@acme.example`",
    ];
    assert_eq!(found, told);
}

#[test]
fn an_empty_route_is_none() {
    assert_eq!(differences(&expected("route = \"\""), &proceeding()), ["route: expected \"\", got \"bulk\""]);
}

#[test]
fn refused_settings_are_a_difference_unless_the_reason_is_expected() {
    let seen = Seen { word: Some(Word::Reject), settings: Some("limit: missing".to_owned()), ..Seen::default() };
    let found = differences(&expected("settings = \"\""), &seen);
    assert_eq!(found, ["verdict: expected accepted settings, got refused: limit: missing"]);
    assert!(differences(&expected("settings = \"missing\""), &seen).is_empty());
}
