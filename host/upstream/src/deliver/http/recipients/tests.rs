//! Headers beside envelopes: what goes out, and what does not.

use posthouse_smtp::path::ForwardPath;

use super::rewritten;
use crate::deliver::Content;
use crate::error::Unfit;

fn paths(recipients: &[&str]) -> Vec<ForwardPath> {
    let path = |recipient: &&str| match *recipient {
        "Postmaster" => ForwardPath::Postmaster,
        address => ForwardPath::Mailbox(address.parse().expect("an address")),
    };
    recipients.iter().map(path).collect()
}

/// What goes out of this message for these recipients.
fn out(message: &str, recipients: &[&str]) -> Result<String, Unfit> {
    // Our trace field comes in a slice of its own.
    let slices = [b"Received: x\r\n".as_slice(), message.as_bytes()];
    let rewritten = rewritten(&Content::Whole(&slices), &paths(recipients))?;
    let whole = slices.concat();
    Ok(String::from_utf8([&rewritten.head, &whole[rewritten.from..]].concat()).expect("text"))
}

#[track_caller]
fn check(message: &str, recipients: &[&str], expected: &str) {
    assert_eq!(out(message, recipients).expect("it can be carried"), expected);
}

#[test]
fn a_header_that_names_all_recipients_stays_as_it_is() {
    let message = "To: Ann <Ann@Example.org>\r\ncc: bob@example.net\r\nBCC: eve@example.com\r\n\r\nbody\r\n";
    let same = format!("Received: x\r\n{message}");
    check(message, &["ann@example.org", "bob@EXAMPLE.net", "eve@example.com"], &same);
}

#[test]
fn who_is_not_named_is_named_in_a_bcc() {
    check(
        "To: ann@example.org\r\n\r\nbody\r\n",
        &["ann@example.org", "bob@example.net", "eve@example.com", "BOB@example.net"],
        "Bcc: <bob@example.net>,\r\n <eve@example.com>\r\nReceived: x\r\nTo: ann@example.org\r\n\r\nbody\r\n",
    );
    check("\r\nbody\r\n", &["ann@example.org"], "Bcc: <ann@example.org>\r\nReceived: x\r\n\r\nbody\r\n");
}

#[test]
fn a_bcc_that_names_only_some_is_replaced_by_one_that_names_all() {
    check(
        "Bcc: eve@example.com\r\nTo: Team:;\r\nBcc:\r\n ann@example.org\r\nSubject: x\r\n\r\nBcc: y\r\n",
        &["eve@example.com", "bob@example.net", "ann@example.org"],
        "Bcc: <eve@example.com>,\r\n <bob@example.net>,\r\n <ann@example.org>\r\nReceived: x\r\nTo: Team:;\r\n\
         Subject: x\r\n\r\nBcc: y\r\n",
    );
}

#[test]
fn whoever_is_named_and_no_recipient_would_get_mail_that_is_not_theirs() {
    let message = "To: ann@example.org, bob@example.net\r\nTo: Old <old@example.com>\r\nBcc: eve@example.com\r\n\r\n";
    let others =
        Unfit::Others(vec!["bob@example.net".to_owned(), "old@example.com".to_owned(), "eve@example.com".to_owned()]);
    assert_eq!(out(message, &["ann@example.org"]), Err(others));
}

#[test]
fn what_cannot_be_read_or_named_is_not_guessed() {
    let refused = out("Cc: ann@example.org bob@example.net\r\n\r\n", &["ann@example.org"]);
    assert!(matches!(refused, Err(Unfit::Unreadable { field: "Cc", .. })), "{refused:?}");
    assert_eq!(out("\r\n", &["Postmaster"]), Err(Unfit::Unnameable("postmaster".to_owned())));
}

#[test]
fn the_body_is_not_read_for_recipients() {
    let message = "To: ann@example.org\r\n\r\nTo: bob@example.net\r\n\r\n";
    check(message, &["ann@example.org"], &format!("Received: x\r\n{message}"));
}

#[test]
fn what_stands_behind_a_line_that_is_no_field_is_not_overlooked() {
    let message = "To: ann@example.org\r\nno field\r\nBcc: eve@example.com\r\n\r\nbody\r\n";
    let unfit = out(message, &["ann@example.org"]).expect_err("a provider may read on");
    assert_eq!(unfit, Unfit::NoField { at: "Received: x\r\nTo: ann@example.org\r\n".len() });
    let without = out("no header\r\n", &["ann@example.org"]);
    assert_eq!(without, Err(Unfit::NoField { at: "Received: x\r\n".len() }));
}
