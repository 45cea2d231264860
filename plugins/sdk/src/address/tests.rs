//! Addresses, their parts and lists.

use super::{Addresses, domain_of, local_part_of, mailbox};

#[test]
fn the_last_at_sign_parts_an_address() {
    assert_eq!(domain_of("\"a@b\"@Example.ORG"), "example.org");
    assert_eq!(local_part_of("\"a@b\"@Example.ORG"), "\"a@b\"");
    assert_eq!(domain_of(""), "");
}

#[test]
fn one_mailbox_is_a_name_and_an_address() {
    assert_eq!(mailbox("ann@example.org"), Some(("", "ann@example.org")));
    assert_eq!(mailbox(" Ann B. <ann@example.org> "), Some(("Ann B.", "ann@example.org")));
    assert_eq!(mailbox("\"B, Ann\" <ann@example.org>"), Some(("\"B, Ann\"", "ann@example.org")));
    assert_eq!(mailbox("<ann@example.org>"), Some(("", "ann@example.org")));
}

#[test]
fn what_is_not_one_mailbox_is_none() {
    for body in
        ["a@x.org, b@x.org", "A <a@x.org>, B <b@x.org>", "team: a@x.org;", "ann", "", "\"a\" \"b\" <a@x.org>", "<>"]
    {
        assert_eq!(mailbox(body), None, "{body}");
    }
}

#[test]
fn a_list_knows_addresses_domains_and_what_is_below_them() {
    let list = Addresses::new(["Ann@example.org", "example.com", ".example.net"]);
    for listed in ["ann@EXAMPLE.org", "any@example.com", "any@mail.example.net"] {
        assert!(list.contains(listed), "{listed}");
    }
    for unlisted in ["bob@example.org", "any@mail.example.com", "any@example.net", "any@notexample.net", ""] {
        assert!(!list.contains(unlisted), "{unlisted}");
    }
}
