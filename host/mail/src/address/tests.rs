//! Fields in the forms that RFC 5322 has and that it has not.

use super::{Address, addresses};

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let found = addresses(body.as_bytes()).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{body:?}");
}

#[track_caller]
fn refuses(body: &str) {
    assert!(addresses(body.as_bytes()).is_err(), "{body:?} is read as {:?}", addresses(body.as_bytes()));
}

#[test]
fn addresses_are_read_with_and_without_names() {
    check(" ann@example.org", &["ann@example.org"]);
    check("Ann Example <ann@example.org>, bob@example.net", &["ann@example.org", "bob@example.net"]);
    check("\"Example, Ann\" <ann@example.org>", &["ann@example.org"]);
    check("John Q. Public <john.q@example.org>", &["john.q@example.org"]);
    check("=?utf-8?B?w4RubmE=?= <anna@example.org>", &["anna@example.org"]);
    check("Änna <änna@bücher.example>", &["änna@bücher.example"]);
    check("<ann@[192.0.2.1]>, x@[IPv6:2001:db8::1]", &["ann@[192.0.2.1]", "x@[IPv6:2001:db8::1]"]);
}

#[test]
fn folds_and_comments_stand_between_words_only() {
    check("ann@example.org,\r\n\tbob@example.net", &["ann@example.org", "bob@example.net"]);
    check("(to (nested \\) ) you) ann (at) @ (home) example.org (, eve@example.com)", &["ann@example.org"]);
    check("Ann\r\n <ann@example.org>", &["ann@example.org"]);
    refuses("(ann@example.org");
    refuses("ann . lee@example.org");
}

#[test]
fn quoted_local_parts_lose_their_quotes() {
    check("\"ann lee\"@example.org, \"a\\\"b\"@example.org", &["ann lee@example.org", "a\"b@example.org"]);
    check("\"ann@evil.example\"@example.org", &["ann@evil.example@example.org"]);
    let plain = Address::parse("Ann@EXAMPLE.org").expect("an address").key();
    assert_eq!(Address::parse("\"ann\"@example.org").expect("an address").key(), plain);
}

#[test]
fn groups_name_their_members_and_may_name_nobody() {
    check("Undisclosed recipients:;", &[]);
    check(
        "Team: ann@example.org, Bob <bob@example.net>;, eve@example.com",
        &["ann@example.org", "bob@example.net", "eve@example.com"],
    );
    refuses("Team: ann@example.org");
    refuses("A: B: ann@example.org;;");
    refuses(": ann@example.org;");
}

#[test]
fn empty_fields_and_empty_elements_name_nobody() {
    check("", &[]);
    check(" \r\n ", &[]);
    check("ann@example.org, , bob@example.net,", &["ann@example.org", "bob@example.net"]);
}

#[test]
fn what_is_no_address_is_never_guessed() {
    for body in [
        "ann",
        "ann@",
        "@example.org",
        "ann@example.org bob@example.net",
        "ann@example.org; bob@example.net",
        "ann@example.org <ann@example.org>",
        "<>",
        "Ann <>",
        "<ann@example.org",
        "ann@example.org>",
        "<@relay.example:ann@example.org>",
        "ann..lee@example.org",
        ".ann@example.org",
        "ann@example..org",
        "ann@example.org.",
        "=?utf-8?Q?Example,_Ann?= <ann@example.org>",
        "\"ann@example.org",
        "a\"b\"@example.org",
        "\"a\" \"b\"@example.org",
        "ann@ex\u{0}ample.org",
        "ann@example.org\u{0}",
        "ann@[192.0.2.1",
        "ann@\"example.org\"",
        "<ann@example.org> Ann",
        "ann\\@home@example.org",
    ] {
        refuses(body);
    }
    assert!(addresses(b"ann@example.org\xff").is_err());
}

#[test]
fn a_bare_address_is_alone() {
    assert!(Address::parse("ann@example.org").is_ok());
    assert!(Address::parse("ann@example.org, bob@example.net").is_err());
    assert!(Address::parse("Postmaster").is_err());
}
