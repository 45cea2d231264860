//! What becomes of a reply's parts.

use crate::Verdict;

fn rejected(enhanced: &str, text: &str) -> (u16, (u8, u16, u16), String) {
    match Verdict::reject(enhanced, text) {
        Verdict::Reject(reply) => (reply.code, reply.enhanced, reply.text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rejection_is_550_with_its_enhanced_status_code() {
    assert_eq!(rejected("5.7.26", "no"), (550, (5, 7, 26), "no".to_owned()));
}

#[test]
fn what_a_reply_cannot_carry_is_replaced() {
    assert_eq!(rejected("5.1.1", "änn\r\n250 ok").2, "?nn??250 ok");
    assert_eq!(rejected("5.1.1", &"é".repeat(500)).2, "?".repeat(400));
}

#[test]
fn a_deferral_with_another_code_keeps_the_rest() {
    match Verdict::defer("4.5.3", "separately").with_code(452) {
        Verdict::Defer(reply) => assert_eq!((reply.code, reply.enhanced), (452, (4, 5, 3))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_enhanced_status_code_of_the_wrong_class_is_a_mistake() {
    for wrong in ["4.7.1", "5.7", "", "5.7.1.1", "x"] {
        let verdict = std::panic::catch_unwind(|| Verdict::reject(wrong, "no"));
        assert!(verdict.is_err(), "{wrong}");
    }
}
