//! What a session bears: lines, errors, commands.

use std::sync::Arc;

use super::transcript::{check, open, run_octets, with_auth};
use crate::reply::{EnhancedCode, Reply};
use crate::server::{Channel, Event, ServerSession};

#[test]
fn a_line_is_as_long_as_the_limit_and_not_longer() {
    let mut settings = open();
    settings.limits.command_line = 12;
    check(
        &settings,
        "S: 220 ..
         C: NOOP 67890
         S: 250 2.0.0 ok
         C: NOOP 678901
         S: 500 5.5.2 line too long
         C: NOOP 6789012
         S: 500 5.5.2 line too long
         C: NOOP 67890123456789 RSET
         S: 500 5.5.2 line too long
         C: NOOP
         S: 250 2.0.0 ok",
    );
}

#[test]
fn newlines_that_stand_alone_end_the_session_and_run_nothing() {
    for line in [r"C+ NOOP\nNOOP\r\n", r"C+ \n", r"C+ NOOP\rNOOP\r\n", r"C+ \r\r\n", r"C+ NOOP\r\r\n"] {
        let line = line.strip_suffix(r"\r\n").map_or(line.to_owned(), |line| line.replace("C+", "C:"));
        check(
            &open(),
            &format!(
                "S: 220 ..
                 {line}
                 S: 500 5.5.2 lines end with CRLF, neither CR nor LF stands alone; closing
                 - closed"
            ),
        );
    }
}

#[test]
fn one_line_that_is_too_long_never_becomes_two_commands() {
    let mut settings = open();
    settings.limits.command_line = 12;
    for end in [r"\n", r"\r"] {
        check(
            &settings,
            &format!(
                "S: 220 ..
                 C+ NOOP 678901234567890
                 S: 500 5.5.2 line too long
                 C: {end}RSET
                 S: 500 5.5.2 lines end with CRLF, neither CR nor LF stands alone; closing
                 - closed"
            ),
        );
    }
}

#[test]
fn the_limit_is_looked_at_before_what_stands_behind_it() {
    let mut settings = open();
    settings.limits.command_line = 12;
    for length in 10..16 {
        let too_long = if length > 12 { "S: 500 5.5.2 line too long" } else { "" };
        check(
            &settings,
            &format!(
                "S: 220 ..
                 C: {}\\nRSET
                 {too_long}
                 S: 500 5.5.2 lines end with CRLF, neither CR nor LF stands alone; closing
                 - closed",
                "x".repeat(length)
            ),
        );
    }
}

#[test]
fn too_many_errors_end_the_session() {
    let mut settings = open();
    settings.limits.errors = 2;
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: X
         S: 500 ..
         C: EXPN x
         S: 502 ..
         C: DATA
         S: 421 4.7.0 too many errors; closing
         - abandoned
         - closed",
    );
}

#[test]
fn a_message_makes_up_for_errors_and_idle_commands() {
    let mut settings = open();
    (settings.limits.errors, settings.limits.commands) = (2, 3);
    let message = "
         C: X
         S: 500 ..
         C: X
         S: 500 ..
         C: NOOP
         S: 250 ..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: RCPT TO:<b@example.com>
         S: 250 ..
         C: DATA
         S: 354 ..
         C: .
         - message \"\"
         S: 250 2.0.0 delivered
    ";
    check(&settings, &format!("S: 220 ..\nC: EHLO x\nS: 250-..\n{message}{message}{message}"));
}

#[test]
fn commands_without_a_message_are_bounded_refused_ones_too() {
    let mut settings = open();
    settings.limits.commands = 4;
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<refused-550@example.com>
         S: 550 no
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: RCPT TO:<refused-550@example.com>
         S: 550 no
         C: NOOP
         S: 250 ..
         C: RCPT TO:<refused-550@example.com>
         S: 550 no
         C: NOOP
         S: 250 ..
         C: NOOP
         S: 421 4.7.0 too many commands without a message; closing
         - abandoned
         - closed",
    );
}

#[test]
fn whoever_drives_the_session_may_end_it_at_any_time() {
    let reply = || Reply::new(421, EnhancedCode::new(4, 3, 2), "going down");
    for octets in [&b""[..], b"EHLO x\r\nAUTH LOGIN\r\n", b"EHL"] {
        let mut session = ServerSession::new(Arc::new(with_auth()), Channel::Tls);
        session.receive(octets);
        assert_eq!(session.advance(&mut Vec::new()), Event::NeedInput);
        session.output().clear();
        session.close(reply());
        assert_eq!(session.output(), b"421 4.3.2 going down\r\n");
        assert_eq!(session.advance(&mut Vec::new()), Event::Closed);
    }
}

#[test]
fn a_client_of_a_known_network_needs_no_login_until_a_proxy_names_another() {
    let mut settings = with_auth();
    settings.extensions.xclient = true;
    let mut session = ServerSession::new(Arc::new(settings), Channel::Plaintext);
    session.presume_login();
    assert!(session.is_authenticated());
    session.receive(b"EHLO x\r\nXCLIENT ADDR=192.0.2.9\r\n");
    assert!(matches!(session.advance(&mut Vec::new()), Event::ClientIdentity(_)));
    session.accept();
    assert!(!session.is_authenticated() && session.helo().is_none());
}

#[test]
fn an_endless_line_is_not_kept() {
    let endless = vec![b'x'; 1 << 20];
    let pieces: Vec<&[u8]> = endless.chunks(4096).collect();
    let told = run_octets(&open(), &pieces);
    assert_eq!(told.replies(), ["220 relay.test ESMTP", "500 5.5.2 line too long"]);
}
