//! Forms, as clients send them.

use super::parse;

#[test]
fn fields_are_decoded() {
    let fields = parse(b"a=b+c%2B%c3%A9&empty=&d=").unwrap();
    assert_eq!(fields.len(), 1);
    assert_eq!(fields["a"], "b c+\u{e9}");
}

#[test]
fn malformed_forms_are_refused() {
    for body in ["a", "a=%", "a=%2", "a=%zz", "a=%ff", "a=1&a=2"] {
        assert!(parse(body.as_bytes()).is_none(), "{body}");
    }
}
