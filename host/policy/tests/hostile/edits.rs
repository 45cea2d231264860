//! Harms to a decision: what cannot be followed is no decision at all.

use crate::grounds::{Grounds, HOSTILE, patient, usual};

#[tokio::test]
async fn there_is_a_most_of_everything() {
    let table = &[
        ("edits-bomb", "instruction"),
        ("removals-bomb", "instruction"),
        ("recipients-bomb", "instruction"),
        ("accounts-bomb", "instruction|trap"),
        ("routes-bomb", "proceed"),
        ("edits-huge", "trap"),
        ("edits-huge-name", "trap"),
        ("edits-large", "instruction"),
        ("carry-over-cap", "instruction"),
        ("carry-huge", "trap"),
    ];
    Grounds::shared().await.table(HOSTILE, &["message"], patient(), table).await;
}

#[tokio::test]
async fn no_edit_breaks_a_message_apart() {
    let table = &[
        ("header-value-crlf", "instruction"),
        ("header-value-lf", "instruction"),
        ("header-value-cr", "instruction"),
        ("header-value-fold", "instruction"),
        ("header-value-end", "instruction"),
        ("header-value-nul", "instruction"),
        ("header-value-control", "instruction"),
        ("header-value-8bit", "instruction"),
        ("header-value-long", "instruction"),
        ("header-name-crlf", "instruction"),
        ("header-name-8bit", "instruction"),
        ("header-name-nul", "instruction"),
        ("header-name-empty", "instruction"),
        ("header-name-colon", "instruction"),
        ("header-name-space", "instruction"),
        ("replace-crlf", "instruction"),
        ("prepend-crlf", "instruction"),
        ("remove-name-crlf", "instruction"),
        ("occurrence-beyond", "proceed"),
        ("sender-crlf", "instruction"),
        ("sender-parameters", "instruction"),
        ("sender-no-address", "instruction"),
        ("recipient-crlf", "instruction"),
        ("recipient-no-address", "instruction"),
        ("recipient-empty", "instruction"),
        ("recipient-8bit", "instruction"),
        ("set-recipient-crlf", "instruction"),
        ("bad-recipient-index", "instruction"),
    ];
    Grounds::shared().await.table(HOSTILE, &["message"], usual(), table).await;
}

#[tokio::test]
async fn what_is_anothers_is_not_a_policys_to_use() {
    let table = &[
        ("protected-header", "instruction"),
        ("foreign-account", "instruction"),
        ("no-accounts", "instruction"),
        ("unknown-route", "instruction"),
        ("foreign-sender", "instruction"),
        ("good-and-bad", "instruction"),
    ];
    let grounds = Grounds::shared().await;
    grounds.table(HOSTILE, &["message"], usual(), table).await;
    for name in ["Received", "return-path", "DKIM-Signature", "Authentication-Results", "ARC-Seal", "arc-anything"] {
        for edit in ["add", "prepend", "replace", "remove"] {
            let settings = [("do", "protected-header"), ("name", name), ("edit", edit)];
            let seen = grounds.suffer(HOSTILE, "message", &settings, usual()).await;
            assert_eq!((seen.end.as_str(), seen.decided), ("instruction", None), "{edit} {name}");
        }
    }
    for (harm, name) in [("foreign-account", "gmail\0"), ("foreign-account", ""), ("unknown-route", "BULK")] {
        let seen = grounds.suffer(HOSTILE, "message", &[("do", harm), ("name", name)], usual()).await;
        assert_eq!(seen.end, "instruction", "{harm} {name:?}");
    }
}
