//! STARTTLS (RFC 3207).

use std::sync::Arc;

use super::transcript::{check, open, run_octets, with_auth};
use crate::server::settings::{AuthRule, Settings};
use crate::server::{Channel, Event, ServerSession};

fn with_tls() -> Settings {
    let mut settings = Settings { auth: AuthRule::TlsOnly, ..with_auth() };
    settings.extensions.starttls = true;
    settings
}

#[test]
fn logins_are_offered_and_taken_under_tls_only() {
    check(
        &with_tls(),
        "S: 220 ..
         C: EHLO x
         S: 250-relay.test / 250-PIPELINING / 250-SIZE 35882577 / 250-8BITMIME / 250-SMTPUTF8 / 250-ENHANCEDSTATUSCODES / 250-CHUNKING / 250 STARTTLS
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 538 5.7.11 ..
         C: MAIL FROM:<a@example.com>
         S: 530 5.7.0 ..
         C: STARTTLS
         S: 220 2.0.0 ready to start TLS
         - tls
         C: EHLO x
         S: 250-relay.test / 250-PIPELINING / 250-SIZE 35882577 / 250-8BITMIME / 250-SMTPUTF8 / 250-ENHANCEDSTATUSCODES / 250-CHUNKING / 250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER
         C: STARTTLS
         S: 502 5.5.1 ..
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 235 2.7.0 ..
         C: MAIL FROM:<a@example.com>
         S: 250 2.1.0 ..",
    );
}

#[test]
fn nothing_that_was_said_before_holds_afterwards() {
    let mut settings = with_auth();
    settings.extensions.starttls = true;
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 235 ..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: STARTTLS
         S: 503 5.5.1 not within a transaction
         C: RSET
         S: 250 ..
         - abandoned
         C: STARTTLS
         S: 220 ..
         - tls
         C: MAIL FROM:<a@example.com>
         S: 503 5.5.1 say EHLO first
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 530 5.7.0 ..",
    );
}

#[test]
fn octets_behind_starttls_end_the_session_unread() {
    let mut settings = open();
    settings.extensions.starttls = true;
    for behind in ["MAIL FROM:<a@example.com>\r\n", "\r\n", "x", "\u{16}\u{3}\u{1}"] {
        let told = run_octets(&settings, &[format!("EHLO x\r\nSTARTTLS\r\n{behind}").as_bytes(), b"EHLO y\r\n"]);
        assert_eq!(told.events, [Event::Closed], "{behind:?}");
        assert!(told.replies().last().is_some_and(|last| last.starts_with("554 5.5.1 nothing may follow STARTTLS")));
    }
}

#[test]
fn octets_in_the_clear_during_the_handshake_are_never_read() {
    let mut settings = open();
    settings.extensions.starttls = true;
    let mut session = ServerSession::new(Arc::new(settings), Channel::Plaintext);
    session.receive(b"EHLO x\r\nSTARTTLS\r\n");
    assert_eq!(session.advance(&mut Vec::new()), Event::StartTls);
    session.output().clear();
    session.receive(b"EHLO injected\r\n");
    session.secured();
    assert_eq!(session.advance(&mut Vec::new()), Event::NeedInput);
    assert!(session.output().is_empty());
    assert_eq!((session.helo(), session.channel()), (None, Channel::Tls));
}
