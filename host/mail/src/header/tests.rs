//! Header blocks, by what they must not lose.

use super::{Field, HeaderBlock, body_offset, list_size};

fn names(content: &[u8]) -> Vec<String> {
    let block = HeaderBlock::parse(content);
    block.fields().iter().map(|field| String::from_utf8_lossy(field.name(content)).into_owned()).collect()
}

#[test]
fn fields_and_rest_make_up_the_content() {
    for content in [
        &b"Subject: a\r\n b\r\nTo: x\r\n\r\nbody\r\n"[..],
        b"\r\nbody only\r\n",
        b"no header at all\r\n",
        b"Subject: cut off in the midd",
        b"",
        b" leading fold\r\nSubject: x\r\n\r\n",
        b"Bad name: x\r\nTo: y\r\n\r\n",
    ] {
        let block = HeaderBlock::parse(content);
        let mut joined: Vec<u8> = block.fields().iter().flat_map(|field| field.octets(content).to_vec()).collect();
        joined.extend_from_slice(&content[block.end()..]);
        assert_eq!(joined, content);
    }
}

#[test]
fn a_fold_belongs_to_its_field() {
    let content = b"Subject: a\r\n\tb\r\n c\r\nTo: x\r\n\r\n";
    let block = HeaderBlock::parse(content);
    assert_eq!(block.fields()[0].body(content), b" a\r\n\tb\r\n c");
    assert_eq!(names(content), ["Subject", "To"]);
}

#[test]
fn a_line_that_is_no_field_begins_the_body() {
    let content = b"Subject: a\r\nnot a field\r\nTo: x\r\n";
    assert_eq!(names(content), ["Subject"]);
    assert_eq!(&content[HeaderBlock::parse(content).end()..], b"not a field\r\nTo: x\r\n");
}

#[test]
fn names_are_compared_without_case_and_obsolete_space_is_tolerated() {
    let content = b"subJECT : a\r\nSubject: b\r\n\r\n";
    assert_eq!(HeaderBlock::parse(content).count(content, "Subject"), 2);
}

#[test]
fn the_body_begins_behind_the_first_empty_line() {
    assert_eq!(body_offset(b"\r\nx"), Some(2));
    assert_eq!(body_offset(b"a: b\r\n\r\n\r\nx"), Some(8));
    assert_eq!(body_offset(b"a: b\r\n"), None);
}

#[test]
fn a_fields_text_is_unfolded_and_trimmed() {
    let content = b"Subject:  one\r\n two\r\n\tthree \r\nX: \xff\r\nEmpty:\r\n\r\n";
    let block = HeaderBlock::parse(content);
    let texts: Vec<_> = block.fields().iter().map(|field| field.text(content)).collect();
    assert_eq!(texts, ["one two\tthree", "\u{fffd}", ""]);
}

#[test]
fn the_list_of_fields_is_no_larger_than_is_said() {
    for fields in [0, 1, 2, 5, 33, 1025, 5000] {
        let content = "a:\n".repeat(fields) + "\r\nbody\nbody\n";
        let block = HeaderBlock::parse(content.as_bytes());
        assert_eq!(block.fields.len(), fields);
        let taken = block.fields.capacity() * size_of::<Field>();
        assert!(taken <= list_size(content.as_bytes()), "{fields} fields take {taken}");
    }
}
