//! Between commands: greetings, small talk, commands out of order.

use super::transcript::{check, open, with_auth};

#[test]
fn ehlo_says_what_is_offered() {
    check(
        &open(),
        "S: 220 relay.test ESMTP
         C: EHLO client.example
         S: 250-relay.test / 250-PIPELINING / 250-SIZE 35882577 / 250-8BITMIME / 250-SMTPUTF8 / 250-ENHANCEDSTATUSCODES / 250 CHUNKING
         C: EHLO client.example
         S: 250-relay.test ..
         C: QUIT
         S: 221 2.0.0 bye
         - closed",
    );
}

#[test]
fn helo_offers_nothing_and_takes_no_parameters() {
    check(
        &open(),
        "S: 220 ..
         C: HELO printer
         S: 250 relay.test
         C: MAIL FROM:<a@example.com> SIZE=1
         S: 555 5.5.4 ..
         C: MAIL FROM:<a@example.com> BODY=8BITMIME
         S: 555 5.5.4 ..
         C: MAIL FROM:<\u{fc}@example.com> SMTPUTF8
         S: 555 5.5.4 ..
         C: AUTH PLAIN
         S: 502 5.5.1 ..
         C: MAIL FROM: <a@example.com>
         S: 250 2.1.0 ..
         C: RCPT TO: <b@example.com>
         S: 250 2.1.5 ..
         C: DATA
         S: 354 ..
         C: x
         C: .
         - message \"x\\r\\n\"
         S: 250 2.0.0 delivered",
    );
}

#[test]
fn small_talk_changes_nothing() {
    check(
        &open(),
        "S: 220 ..
         C: NOOP anything
         S: 250 2.0.0 ok
         C: VRFY someone
         S: 252 2.5.2 ..
         C: EXPN list
         S: 502 5.5.1 ..
         C: HELP
         S: 214 2.0.0 ..
         C: RSET
         S: 250 2.0.0 flushed
         C: ehlo x
         S: 250-relay.test ..
         C: mail from:<a@example.com>
         S: 250 2.1.0 ..
         C: noop
         S: 250 ..
         C: vrfy b
         S: 252 ..
         C: rcpt to:<b@example.com>
         S: 250 2.1.5 ..",
    );
}

#[test]
fn commands_out_of_order_are_refused_and_change_nothing() {
    check(
        &open(),
        "S: 220 ..
         C: MAIL FROM:<a@example.com>
         S: 503 5.5.1 say EHLO first
         C: EHLO x
         S: 250-..
         C: RCPT TO:<b@example.com>
         S: 503 5.5.1 MAIL first
         C: DATA
         S: 503 5.5.1 MAIL first
         C: STARTTLS
         S: 502 5.5.1 not offered here
         C: XCLIENT ADDR=192.0.2.1
         S: 502 5.5.1 not offered here
         C: AUTH PLAIN
         S: 502 5.5.1 AUTH is not offered here
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: MAIL FROM:<other@example.com>
         S: 503 5.5.1 a transaction is open already
         C: DATA
         S: 503 5.5.1 RCPT first
         C: RCPT TO:<b@example.com>
         S: 250 ..",
    );
}

#[test]
fn lines_that_are_no_command_are_said_to_be_none() {
    check(
        &open(),
        r"S: 220 ..
         C: BOGUS
         S: 500 5.5.1 command not recognized
         C:
         S: 500 5.5.1 command not recognized
         C: EHLO
         S: 501 5.5.4 ..
         C: NOOP \0
         S: 501 5.5.4 ..
         C: NOOP \xff
         S: 501 5.5.4 ..
         C: QUIT now
         S: 501 5.5.4 ..",
    );
}

#[test]
fn greetings_and_rset_and_quit_end_an_open_transaction() {
    for (command, reply) in [("EHLO y", "250-.."), ("HELO y", "250 .."), ("RSET", "250 2.0.0 flushed")] {
        check(
            &open(),
            &format!(
                "S: 220 ..
                 C: EHLO x
                 S: 250-..
                 C: MAIL FROM:<a@example.com>
                 S: 250 ..
                 C: RCPT TO:<b@example.com>
                 S: 250 ..
                 C: {command}
                 S: {reply}
                 - abandoned
                 C: RCPT TO:<b@example.com>
                 S: 503 5.5.1 MAIL first
                 C: MAIL FROM:<a@example.com>
                 S: 250 ..
                 C: QUIT
                 S: 221 ..
                 - abandoned
                 - closed"
            ),
        );
    }
}

#[test]
fn what_is_switched_off_is_neither_offered_nor_taken() {
    let mut settings = open();
    settings.extensions.enhanced_status_codes = false;
    settings.extensions.chunking = false;
    settings.extensions.pipelining = false;
    settings.extensions.smtputf8 = false;
    settings.extensions.size = false;
    settings.extensions.eight_bit_mime = false;
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250 relay.test
         C: BDAT 4 LAST
         S: 502 not offered here
         C: MAIL FROM:<a@example.com> SMTPUTF8
         S: 555 unknown parameter
         C: MAIL FROM:<a@example.com> BODY=8BITMIME
         S: 555 unknown parameter
         C: MAIL FROM:<a@example.com> SIZE=1
         S: 555 unknown parameter
         C: MAIL FROM:<a@example.com> BODY=7BIT
         S: 250 sender ok",
    );
}

#[test]
fn a_named_network_says_who_its_client_is_and_the_session_begins_anew() {
    let mut settings = with_auth();
    settings.extensions.xclient = true;
    check(
        &settings,
        "S: 220 relay.test ESMTP
         C: EHLO proxy
         S: 250-..
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 235 2.7.0 ..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: XCLIENT ADDR=192.0.2.9
         S: 503 5.5.1 not within a transaction
         C: RSET
         S: 250 ..
         - abandoned
         C: XCLIENT ADDR=[UNAVAILABLE]
         S: 550 no
         C: XCLIENT ADDR=192.0.2.9 HELO=printer
         - client 192.0.2.9
         S: 220 relay.test ESMTP
         C: MAIL FROM:<a@example.com>
         S: 503 5.5.1 say EHLO first
         C: EHLO printer
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 530 5.7.0 authentication required",
    );
}
