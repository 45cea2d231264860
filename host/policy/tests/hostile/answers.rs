//! Harms by answers: nothing of them reaches a client, a log or a metric.

use crate::grounds::{Grounds, HOSTILE, patient, usual};

#[tokio::test]
async fn a_reply_that_is_none_is_no_reply() {
    let table = &[
        ("reply-huge", "trap"),
        ("reply-long", "answer"),
        ("reply-crlf", "answer"),
        ("reply-lf", "answer"),
        ("reply-nul", "answer"),
        ("reply-control", "answer"),
        ("reply-8bit", "answer"),
        ("reply-empty", "answer"),
        ("reject-with-250", "answer"),
        ("reject-with-354", "answer"),
        ("reject-with-451", "answer"),
        ("reject-with-0", "answer"),
        ("reject-with-65535", "answer"),
        ("reject-with-4.7.1", "answer"),
        ("reject-with-5.65535.65535", "answer"),
        ("defer-with-421", "answer"),
        ("defer-with-550", "answer"),
        ("defer-with-5.7.1", "answer"),
    ];
    Grounds::shared().await.table(HOSTILE, &["recipient", "message"], patient(), table).await;
}

#[tokio::test]
async fn asking_for_the_next_account_for_ever_is_only_an_answer() {
    let table = &[("next-account-always", "next-account")];
    Grounds::shared().await.table(HOSTILE, &["outcome"], usual(), table).await;
}

#[tokio::test]
async fn settings_are_refused_in_words_that_can_be_shown() {
    let table = &[("error", "settings:"), ("error-huge", "undescribed: trap"), ("error-control", "settings:")];
    Grounds::shared().await.table(HOSTILE, &["settings"], patient(), table).await;
}

#[tokio::test]
async fn a_description_is_fit_for_logs_and_labels() {
    let table = &[
        ("name-empty", "description:"),
        ("name-huge", "undescribed: trap"),
        ("name-crlf", "description:"),
        ("name-path", "description:"),
        ("version-bad", "description:"),
    ];
    Grounds::shared().await.table(HOSTILE, &["describe"], patient(), table).await;
}
