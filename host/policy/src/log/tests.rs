//! Lines are few, short and printable.

use super::*;

#[test]
fn control_characters_are_shown_as_escapes() {
    let mut lines = Lines::default();
    lines.write(Level::Info, "one\r\ntwo \u{1b}[31mred\u{202e}");
    let written: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(written, ["one\\r\\ntwo \\u{1b}[31mred\\u{202e}"]);
}

#[test]
fn what_is_beyond_the_bounds_is_counted() {
    let mut lines = Lines::default();
    (0..limits::LOG_LINES + 3).for_each(|_| lines.write(Level::Info, "x"));
    assert_eq!((lines.iter().count(), lines.dropped), (limits::LOG_LINES, 3));
    let mut lines = Lines::default();
    lines.write(Level::Info, &"x".repeat(limits::LOG_BYTES));
    lines.write(Level::Info, "x");
    assert_eq!((lines.iter().count(), lines.dropped), (1, 1));
}
