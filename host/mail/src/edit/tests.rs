//! Edits, each by the header block it leaves.

use super::{EditError, Edits, Which};
use crate::header::HeaderBlock;

mod simple;

const MESSAGE: &[u8] = b"Received: one\r\nSubject: a\r\n b\r\nX-Mark: 1\r\nx-mark: 2\r\n\r\nbody\r\n";

fn edited(edits: &Edits, content: &[u8]) -> String {
    String::from_utf8(edits.apply(content, &HeaderBlock::parse(content))).unwrap()
}

#[test]
fn without_edits_every_octet_stays() {
    assert_eq!(edited(&Edits::default(), MESSAGE), "Received: one\r\nSubject: a\r\n b\r\nX-Mark: 1\r\nx-mark: 2\r\n");
}

#[test]
fn fields_are_added_above_and_below() {
    let mut edits = Edits::default();
    edits.prepend("First", "1").unwrap();
    edits.prepend("Zeroth", "0").unwrap();
    edits.append("Last", "9").unwrap();
    let header = edited(&edits, MESSAGE);
    assert!(header.starts_with("Zeroth: 0\r\nFirst: 1\r\nReceived: one\r\n"));
    assert!(header.ends_with("x-mark: 2\r\nLast: 9\r\n"));
}

#[test]
fn all_or_one_of_the_fields_of_a_name_can_be_meant() {
    let mut all = Edits::default();
    all.remove("X-Mark", Which::All).unwrap();
    assert_eq!(edited(&all, MESSAGE), "Received: one\r\nSubject: a\r\n b\r\n");
    let mut second = Edits::default();
    second.replace("X-Mark", Which::Nth(1), "two").unwrap();
    assert!(edited(&second, MESSAGE).ends_with("X-Mark: 1\r\nX-Mark: two\r\n"));
}

#[test]
fn replacing_all_leaves_one_and_replacing_none_adds_one() {
    let mut edits = Edits::default();
    edits.replace("x-mark", Which::All, "only").unwrap();
    edits.replace("Reply-To", Which::All, "a@example.com").unwrap();
    assert!(edited(&edits, MESSAGE).ends_with(" b\r\nx-mark: only\r\nReply-To: a@example.com\r\n"));
}

#[test]
fn a_later_edit_sees_what_an_earlier_one_put_in_place() {
    let mut edits = Edits::default();
    edits.replace("X-Mark", Which::All, "kept").unwrap();
    edits.remove("X-Mark", Which::All).unwrap();
    assert_eq!(edited(&edits, MESSAGE), "Received: one\r\nSubject: a\r\n b\r\n");
}

#[test]
fn no_edit_can_end_a_line_or_the_block() {
    let mut edits = Edits::default();
    for body in ["a\r\nBcc: x", "a\rb", "a\nb", "a\0b", "\x7f"] {
        assert_eq!(edits.append("X", body), Err(EditError::Body));
    }
    for name in ["", "a b", "a:b", "a\r\n", "ü"] {
        assert_eq!(edits.append(name, "x"), Err(EditError::Name));
    }
    assert!(edits.is_empty());
}

#[test]
fn a_word_that_no_line_has_room_for_is_not_accepted() {
    let mut edits = Edits::default();
    assert_eq!(edits.append("X-Tag", &"v".repeat(991)), Ok(()));
    assert_eq!(edits.append("X-Tag", &"v".repeat(992)), Err(EditError::Word));
    assert_eq!(edits.append("X-Tag", &("short ".to_owned() + &"v".repeat(998))), Err(EditError::Word));
}

#[test]
fn long_bodies_are_folded_at_spaces_and_unfold_to_what_was_given() {
    let body = "word ".repeat(100) + &"x".repeat(200) + "  two spaces";
    let mut edits = Edits::default();
    edits.append("List", &body).unwrap();
    let header = edited(&edits, b"");
    assert!(header.split("\r\n").all(|line| line.len() <= 78 || !line.trim().contains(' ')));
    assert_eq!(header.replace("\r\n ", " "), format!("List: {body}\r\n"));
}
