//! MAIL and RCPT.

use super::transcript::{check, open};
use crate::server::settings::Settings;

#[test]
fn refusals_are_passed_on_and_the_rest_goes_on() {
    check(
        &open(),
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<refused-550@example.com>
         S: 550 no
         C: RCPT TO:<b@example.com>
         S: 503 5.5.1 MAIL first
         C: MAIL FROM:<> SIZE=20 BODY=8BITMIME
         S: 250 2.1.0 ..
         C: RCPT TO:<refused-550@example.com>
         S: 550 no
         C: RCPT TO:<refused-451@example.com>
         S: 451 no
         C: DATA
         S: 554 5.5.1 no valid recipients
         C: RCPT TO:<Postmaster>
         S: 250 2.1.5 ..
         C: DATA
         S: 354 ..",
    );
}

#[test]
fn addresses_and_parameters_are_of_their_form_or_refused() {
    check(
        &open(),
        r"S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:a@example.com
         S: 501 5.1.3 ..
         C: MAIL FROM:<a@example.com> BODY=BINARYMIME
         S: 555 5.5.4 ..
         C: MAIL FROM:<a@example.com> RET=FULL
         S: 555 5.5.4 ..
         C: MAIL FROM:<a@example.com> SIZE=many
         S: 501 5.5.4 ..
         C: MAIL FROM:<a\0@example.com>
         S: 501 5.5.4 ..
         C: MAIL FROM:<@one.example:a@example.com>
         S: 250 2.1.0 ..
         C: RCPT TO:<b@example.com> NOTIFY=NEVER
         S: 555 5.5.4 ..
         C: RCPT TO:<>
         S: 501 5.1.3 ..
         C: RCPT TO:<b@exa mple.com>
         S: 501 5.1.3 ..",
    );
}

#[test]
fn addresses_beyond_ascii_need_smtputf8_at_mail() {
    check(
        &open(),
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<ü@example.com>
         S: 553 5.6.7 ..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: RCPT TO:<ä@example.com>
         S: 553 5.6.7 ..
         C: RSET
         S: 250 ..
         - abandoned
         C: MAIL FROM:<ü@example.com> SMTPUTF8
         S: 250 ..
         C: RCPT TO:<ä@exämple.com>
         S: 250 ..",
    );
}

#[test]
fn recipients_above_the_limit_are_to_be_sent_separately() {
    let mut settings: Settings = open();
    settings.limits.recipients = 2;
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: RCPT TO:<b@example.com>
         S: 250 ..
         C: RCPT TO:<refused-550@example.com>
         S: 550 no
         C: RCPT TO:<c@example.com>
         S: 250 ..
         C: RCPT TO:<d@example.com>
         S: 452 4.5.3 too many recipients
         C: DATA
         S: 354 ..
         C: .
         - message \"\"
         S: 250 2.0.0 delivered",
    );
}

#[test]
fn a_421_closes_wherever_it_is_said() {
    for (command, reply) in [
        ("MAIL FROM:<refused-421@example.com>", "S: 421 no"),
        ("MAIL FROM:<a@example.com>\nS: 250 ..\nC: RCPT TO:<refused-421@example.com>", "S: 421 no"),
        (
            "MAIL FROM:<a@example.com>\nS: 250 ..\nC: RCPT TO:<unwanted-421@example.com>\nS: 250 ..\nC: DATA",
            "S: 421 no",
        ),
        (
            "MAIL FROM:<a@example.com>\nS: 250 ..\nC: RCPT TO:<unwanted-421@example.com>\nS: 250 ..\nC: BDAT 1 LAST",
            "S: 421 no",
        ),
        (
            "MAIL FROM:<a@example.com>\nS: 250 ..\nC: RCPT TO:<undelivered-421@example.com>\nS: 250 ..\nC: DATA
             S: 354 ..\nC: .",
            "- message \"\"\nS: 421 no",
        ),
    ] {
        check(&open(), &format!("S: 220 ..\nC: EHLO x\nS: 250-..\nC: {command}\n{reply}\n- closed"));
    }
}
