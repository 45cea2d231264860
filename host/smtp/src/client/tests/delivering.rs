//! A message to one recipient: one round trip where the server can take it, and what each reply means.

use super::transcript::{PLAIN, PROVIDER, WITHOUT_CHUNKING, check};

#[test]
fn sender_recipient_and_chunk_leave_at_once() {
    check(
        PROVIDER,
        "
        A: send app@example.com user@example.org bdat=25 size=25 8bit utf8
        C: MAIL FROM:<app@example.com> SIZE=25 BODY=8BITMIME SMTPUTF8
        C: RCPT TO:<user@example.org>
        C: BDAT 25 LAST
        A: phase some
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        A: phase some
        S: 250 2.0.0 Delivered
        E: answered Content 250 2.0.0 Delivered [250] by Server
        A: phase none
        A: send <> other@example.org bdat=7
        C: MAIL FROM:<>
        C: RCPT TO:<other@example.org>
        C: BDAT 7 LAST
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        S: 250 2.0.0 Delivered
        E: answered Content 250 2.0.0 Delivered [250] by Server
        ",
    );
}

#[test]
fn data_leaves_with_sender_and_recipient_and_waits_for_354() {
    check(
        WITHOUT_CHUNKING,
        "
        A: send app@example.com user@example.org bdat=25
        C: MAIL FROM:<app@example.com>
        C: RCPT TO:<user@example.org>
        C: DATA
        A: phase none
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        A: phase none
        S: 354 Go ahead
        E: go ahead
        A: phase some
        A: content sent
        A: phase all
        S: 250 2.0.0 Delivered
        E: answered Content 250 2.0.0 Delivered [250] by Server
        A: phase none
        ",
    );
}

#[test]
fn without_pipelining_each_command_waits_for_its_turn() {
    check(
        PLAIN,
        "
        A: send app@example.com user@example.org size=25
        C: MAIL FROM:<app@example.com>
        S: 250 OK
        C: RCPT TO:<user@example.org>
        S: 250 OK
        C: DATA
        S: 354 Go ahead
        E: go ahead
        A: content sent
        S: 250 Delivered
        E: answered Content 250 Delivered [250] by Server
        ",
    );
}

#[test]
fn without_pipelining_a_chunk_waits_for_the_recipient() {
    check(
        &PROVIDER.replace("S: 250-PIPELINING", ""),
        "
        A: send app@example.com user@example.org bdat=25
        C: MAIL FROM:<app@example.com>
        S: 250 2.1.0 OK
        C: RCPT TO:<user@example.org>
        S: 250 2.1.5 OK
        E: recipients accepted
        A: phase none
        A: bdat 25
        C: BDAT 25 LAST
        A: phase some
        S: 250 2.0.0 Delivered
        E: answered Content 250 2.0.0 Delivered [250] by Server
        ",
    );
}

#[test]
fn without_pipelining_nothing_follows_a_refusal() {
    check(
        PLAIN,
        "
        A: send app@example.com user@example.org
        C: MAIL FROM:<app@example.com>
        S: 550 5.1.0 No such sender
        E: answered MailFrom 550 5.1.0 No such sender [] by Server
        A: send app@example.com user@example.org
        C: RSET
        S: 250 OK
        C: MAIL FROM:<app@example.com>
        S: 250 OK
        C: RCPT TO:<user@example.org>
        S: 450 4.2.1 Busy
        E: answered RcptTo 450 4.2.1 Busy [450] by Server
        ",
    );
}

#[test]
fn a_refused_sender_decides_although_the_chunk_was_sent() {
    for (rcpt, bdat) in [("503 5.5.1 MAIL first", "503 5.5.1 MAIL first"), ("250 2.1.5 OK", "554 5.5.1 No")] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                S: 530 5.7.0 Authentication required
                S: {rcpt}
                S: {bdat}
                E: answered MailFrom 530 5.7.0 Authentication required [] by Server
                "
            ),
        );
    }
}

#[test]
fn a_refused_recipient_decides_although_the_chunk_was_sent() {
    for bdat in ["503 5.5.1 RCPT first", "554 5.5.1 No valid recipients", "451 4.3.0 Later"] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                S: 250 2.1.0 OK
                S: 550 5.1.1 No such user
                S: {bdat}
                E: answered RcptTo 550 5.1.1 No such user [550] by Server
                "
            ),
        );
    }
}

#[test]
fn a_chunk_that_is_accepted_after_a_refusal_is_an_error_and_stays_open() {
    for (mail, rcpt) in [("250 2.1.0 OK", "550 5.1.1 No"), ("550 5.1.0 No", "503 5.5.1 No"), ("451 4.3.0 No", "250 OK")]
    {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                S: {mail}
                S: {rcpt}
                S: 250 2.0.0 Delivered
                E: error: unexpected reply while waiting for the reply to the content -- may be delivered: 250 2.0.0 Delivered
                A: phase some
                "
            ),
        );
    }
}

#[test]
fn a_refused_chunk_is_the_answer() {
    for reply in ["552 5.2.3 Too big", "432 4.3.2 Concurrent connections limit exceeded", "554 5.2.0 SendAsDenied"] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                S: 250 2.1.0 OK
                S: 250 2.1.5 OK
                S: {reply}
                E: answered Content {reply} [250] by Server
                "
            ),
        );
    }
}

#[test]
fn a_server_that_closes_is_not_asked_again() {
    let begin = "
        A: send app@example.com user@example.org bdat=25
        C: MAIL FROM:<app@example.com>
        C: RCPT TO:<user@example.org>
        C: BDAT 25 LAST
        ";
    for (replies, answer) in [
        ("S: 421 4.4.2 Bye", "MailFrom 421 4.4.2 Bye []"),
        ("S: 250 OK\nS: 421 4.4.2 Bye", "RcptTo 421 4.4.2 Bye [421]"),
        ("S: 250 OK\nS: 250 OK\nS: 421 4.4.2 Bye", "Content 421 4.4.2 Bye [250]"),
        ("S: 250 OK\nS: 550 5.1.1 No\nS: 421 4.4.2 Bye", "RcptTo 550 5.1.1 No [550]"),
        ("S: 550 5.1.0 No\nS: 421 4.4.2 Bye", "MailFrom 550 5.1.0 No []"),
    ] {
        check(
            PROVIDER,
            &format!(
                "{begin}
                {replies}
                E: answered {answer} by Server (not reusable)
                A: send app@example.com user@example.org bdat=25
                E: error: the session is not ready for that
                "
            ),
        );
    }
}

#[test]
fn replies_that_fit_no_command_are_errors() {
    for (replies, error) in [
        ("S: 354 Go ahead", "waiting for the reply to MAIL: 354 Go ahead"),
        ("S: 250 OK\nS: 334 Eh", "waiting for the reply to RCPT: 334 Eh"),
        (
            "S: 250 OK\nS: 250 OK\nS: 354 Go ahead",
            "waiting for the reply to the content -- may be delivered: 354 Go ahead",
        ),
    ] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                {replies}
                E: error: unexpected reply while {error}
                A: send app@example.com user@example.org bdat=25
                E: error: unexpected reply while {error}
                "
            ),
        );
    }
}

#[test]
fn nonsense_in_a_transaction_is_an_error() {
    for (reply, error) in [
        ("S: 2xx what", "a reply that does not begin with a code"),
        ("S: 250-OK\nS: 550 No", "a reply with more than one code"),
        ("S: HTTP/1.1 400 Bad Request", "a reply that does not begin with a code"),
    ] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com user@example.org bdat=25
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<user@example.org>
                C: BDAT 25 LAST
                {reply}
                E: error: the server sent {error}
                A: phase some
                "
            ),
        );
    }
}
