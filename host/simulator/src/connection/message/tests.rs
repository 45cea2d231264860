//! Fixed answers, by their texts.

use super::reply;

#[test]
fn a_reply_is_read_from_its_text() {
    let cases = [
        ("550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("421 closing", "421 closing"),
        ("250", "250 "),
        ("550 5.1.1 one\ntwo", "550 5.1.1 one / two"),
        ("nonsense", "451 sense"),
    ];
    for (text, expected) in cases {
        assert_eq!(reply(text).to_string(), expected);
    }
}
