//! After the go-ahead: the content, words of the server meanwhile, and the reply to the final dot.

use super::transcript::{PROVIDER, WITHOUT_CHUNKING, check};

const ASKED: &str = "
    A: send app@example.com user@example.org
    C: MAIL FROM:<app@example.com>
    C: RCPT TO:<user@example.org>
    C: DATA
    ";

const SENDING: &str = "
    A: send app@example.com user@example.org
    C: MAIL FROM:<app@example.com>
    C: RCPT TO:<user@example.org>
    C: DATA
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 354 Go ahead
    E: go ahead
    ";

#[test]
fn a_refused_data_is_the_answer() {
    for reply in ["451 4.3.0 Later", "554 5.7.1 No", "503 5.5.1 What?"] {
        check(
            PROVIDER,
            &format!(
                "{ASKED}
                S: 250 2.1.0 OK
                S: 250 2.1.5 OK
                S: {reply}
                E: answered Data {reply} [250] by Server
                "
            ),
        );
    }
    check(
        PROVIDER,
        &format!(
            "{ASKED}
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 421 4.7.0 Try again later, closing connection (DATA)
            E: answered Data 421 4.7.0 Try again later, closing connection (DATA) [250] by Server (not reusable)
            "
        ),
    );
}

#[test]
fn data_refused_behind_a_refused_recipient_leaves_the_recipients_refusal() {
    check(
        PROVIDER,
        &format!(
            "{ASKED}
            S: 250 2.1.0 OK
            S: 550 5.1.1 No such user
            S: 503 5.5.1 RCPT first
            E: answered RcptTo 550 5.1.1 No such user [550] by Server
            "
        ),
    );
}

#[test]
fn a_go_ahead_for_nobody_is_not_taken() {
    for (replies, answer) in [
        ("S: 250 2.1.0 OK\nS: 550 5.1.1 No such user", "RcptTo 550 5.1.1 No such user [550]"),
        ("S: 550 5.1.0 Not you\nS: 503 5.5.1 MAIL first", "MailFrom 550 5.1.0 Not you []"),
    ] {
        check(
            PROVIDER,
            &format!(
                "{ASKED}
                {replies}
                S: 354 Go ahead
                E: answered {answer} by Server (not reusable)
                A: phase none
                A: quit
                "
            ),
        );
    }
}

#[test]
fn anything_but_354_is_no_go_ahead() {
    for reply in ["250 2.0.0 OK", "334 Eh"] {
        check(
            PROVIDER,
            &format!(
                "{ASKED}
                S: 250 2.1.0 OK
                S: 250 2.1.5 OK
                S: {reply}
                E: error: unexpected reply while waiting for the reply to DATA: {reply}
                A: phase none
                "
            ),
        );
    }
}

#[test]
fn the_reply_to_the_final_dot_is_the_answer() {
    for reply in ["451 4.3.0 Later", "550 5.4.5 Daily user sending limit exceeded", "250 2.0.0 Delivered"] {
        check(
            WITHOUT_CHUNKING,
            &format!(
                "{SENDING}
                A: content sent
                S: {reply}
                E: answered Content {reply} [250] by Server
                "
            ),
        );
    }
}

#[test]
fn a_421_to_the_final_dot_is_a_refusal_and_the_end() {
    check(
        WITHOUT_CHUNKING,
        &format!(
            "{SENDING}
            A: content sent
            S: 421 4.4.5 Try later
            E: answered Content 421 4.4.5 Try later [250] by Server (not reusable)
            "
        ),
    );
}

#[test]
fn a_refusal_in_the_middle_of_the_content_stops_it() {
    for reply in ["552 5.3.4 Too big", "421 4.4.2 Too slow"] {
        check(
            WITHOUT_CHUNKING,
            &format!(
                "{SENDING}
                S: {reply}
                E: early reply {reply}
                A: phase some
                A: quit
                A: send app@example.com user@example.org
                E: error: the session is not ready for that
                "
            ),
        );
    }
}

#[test]
fn no_success_is_taken_before_the_final_dot() {
    check(
        WITHOUT_CHUNKING,
        &format!(
            "{SENDING}
            S: 250 2.0.0 Delivered
            E: error: the server said something that nobody asked for
            A: phase some
            "
        ),
    );
}

#[test]
fn garbage_after_the_final_dot_leaves_the_outcome_open() {
    check(
        WITHOUT_CHUNKING,
        &format!(
            "{SENDING}
            A: content sent
            S: 2xx what
            E: error: the server sent a reply that does not begin with a code
            A: phase all
            "
        ),
    );
}

#[test]
fn goodbye_is_not_said_into_the_content() {
    check(
        WITHOUT_CHUNKING,
        &format!(
            "{SENDING}
            A: quit
            A: phase some
            "
        ),
    );
}
