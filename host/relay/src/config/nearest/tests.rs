//! Which known word a misspelt one means.

use super::{distance, listed, nearest};

const KNOWN: [&str; 4] = ["connections", "connections_per_address", "message_size", "recipients"];

#[test]
fn slips_of_the_keyboard_are_counted() {
    assert_eq!(distance("", ""), 0);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("conections", "connections"), 1);
    assert_eq!(distance("recipeints", "recipients"), 1, "neighbours that changed places are one slip");
    assert_eq!(distance("kitten", "sitting"), 3);
}

#[test]
fn the_nearest_word_is_meant() {
    assert_eq!(nearest("conections", KNOWN), Some("connections"));
    assert_eq!(nearest("message-size", KNOWN), Some("message_size"));
    assert_eq!(nearest("MessageSize", KNOWN), Some("message_size"));
    assert_eq!(nearest("recipient", KNOWN), Some("recipients"));
}

#[test]
fn a_word_that_is_far_from_all_means_none() {
    assert_eq!(nearest("colour", KNOWN), None);
    assert_eq!(nearest("", KNOWN), None);
}

#[test]
fn words_are_listed_as_people_do() {
    assert_eq!(listed([]), "");
    assert_eq!(listed(["a"]), "`a`");
    assert_eq!(listed(["a", "b", "c"]), "`a`, `b` or `c`");
}
