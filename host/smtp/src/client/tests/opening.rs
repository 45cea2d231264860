//! From the connection to a known server.

use super::transcript::{PLAIN, check, check_with};
use crate::capability::Capabilities;
use crate::client::{ClientSession, Error, Event, Settings, TlsRule};

#[test]
fn a_friendly_server_is_greeted_and_known() {
    check(PLAIN, "");
}

#[test]
fn a_greeting_may_have_many_lines() {
    check_with(
        TlsRule::Implicit,
        "
        S: 220-mx.example.org ESMTP
        S: 220-No unsolicited mail
        S: 220 Welcome
        C: EHLO relay.example.com
        S: 250 mx.example.org
        E: identified
        ",
    );
}

#[test]
fn a_server_that_refuses_at_the_greeting_is_left() {
    for reply in ["554 5.7.1 Not you", "421 4.3.2 Too busy", "450 4.3.2 Later"] {
        check_with(
            TlsRule::None,
            &format!(
                "
                S: {reply}
                E: error: refused at the greeting: {reply}
                "
            ),
        );
    }
}

#[test]
fn a_greeting_that_is_none_is_unexpected() {
    check_with(
        TlsRule::None,
        "
        S: 250 OK
        E: error: unexpected reply while waiting for the greeting: 250 OK
        ",
    );
}

#[test]
fn garbage_instead_of_a_greeting_is_an_error() {
    check_with(
        TlsRule::None,
        "
        S: SSH-2.0-OpenSSH_9.2
        E: error: the server sent a reply that does not begin with a code
        ",
    );
}

#[test]
fn a_server_without_ehlo_is_greeted_with_helo() {
    check_with(
        TlsRule::None,
        "
        S: 220 mx.example.org
        C: EHLO relay.example.com
        S: 502 5.5.1 What?
        C: HELO relay.example.com
        S: 250 mx.example.org
        E: identified
        A: login PLAIN app secret
        E: error: the server does not offer AUTH PLAIN
        ",
    );
}

#[test]
fn a_server_that_refuses_helo_too_is_left() {
    check_with(
        TlsRule::None,
        "
        S: 220 mx.example.org
        C: EHLO relay.example.com
        S: 550 5.7.1 Go away
        C: HELO relay.example.com
        S: 550 5.7.1 I said go away
        E: error: refused at EHLO: 550 5.7.1 I said go away
        ",
    );
}

#[test]
fn a_server_that_closes_at_ehlo_is_not_asked_again() {
    for reply in ["421 4.7.0 Try again later, closing connection", "451 4.3.0 Later"] {
        check_with(
            TlsRule::None,
            &format!(
                "
                S: 220 mx.example.org
                C: EHLO relay.example.com
                S: {reply}
                E: error: refused at EHLO: {reply}
                "
            ),
        );
    }
}

#[test]
fn starttls_is_demanded_and_the_server_is_asked_anew() {
    check_with(
        TlsRule::StartTls,
        "
        S: 220 mx.example.org
        C: EHLO relay.example.com
        S: 250-mx.example.org
        S: 250-AUTH PLAIN
        S: 250-CHUNKING
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 2.0.0 Go on
        E: start tls
        A: secured
        C: EHLO relay.example.com
        S: 250 mx.example.org
        E: identified
        A: login PLAIN app secret
        E: error: the server does not offer AUTH PLAIN
        ",
    );
}

#[test]
fn without_starttls_nothing_is_said_where_it_is_demanded() {
    for ehlo in ["S: 250 mx.example.org", "S: 502 5.5.1 What?\nC: HELO relay.example.com\nS: 250 mx.example.org"] {
        check_with(
            TlsRule::StartTls,
            &format!(
                "
                S: 220 mx.example.org
                C: EHLO relay.example.com
                {ehlo}
                E: error: the server does not offer STARTTLS, which is demanded
                "
            ),
        );
    }
}

#[test]
fn a_refused_starttls_ends_the_session() {
    for reply in ["454 4.7.0 TLS not available", "501 5.5.4 Syntax", "421 4.3.2 Closing"] {
        check_with(
            TlsRule::StartTls,
            &format!(
                "
                S: 220 mx.example.org
                C: EHLO relay.example.com
                S: 250-mx.example.org
                S: 250 STARTTLS
                C: STARTTLS
                S: {reply}
                E: error: refused at STARTTLS: {reply}
                "
            ),
        );
    }
}

/// A session that waits for the reply to STARTTLS.
fn at_starttls() -> ClientSession {
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::StartTls });
    for said in ["220 mx.example.org\r\n", "250-mx.example.org\r\n250 STARTTLS\r\n"] {
        session.receive(said.as_bytes());
        assert_eq!(session.advance(), Ok(Event::NeedInput));
        session.output().clear();
    }
    session
}

#[test]
fn what_was_offered_in_the_clear_is_forgotten_at_once() {
    let mut session = at_starttls();
    assert!(session.capabilities().starttls);
    session.receive(b"220 Go on\r\n");
    session.advance().unwrap();
    session.secured();
    assert_eq!(*session.capabilities(), Capabilities::default());
}

#[test]
fn octets_in_the_clear_behind_the_220_are_an_error() {
    for behind in ["250 mx.example.org\r\n", "2", "\r\n"] {
        let mut session = at_starttls();
        session.receive(format!("220 Go on\r\n{behind}").as_bytes());
        assert_eq!(session.advance(), Err(Error::BytesBehindStartTls));
        assert_eq!(session.advance(), Err(Error::BytesBehindStartTls), "an error latches");
        assert!(session.output().is_empty());
    }
}

#[test]
fn octets_in_the_clear_during_the_handshake_are_an_error() {
    let mut session = at_starttls();
    session.receive(b"220 Go on\r\n");
    assert_eq!(session.advance(), Ok(Event::StartTls));
    session.receive(b"250 mx.example.org\r\n");
    session.secured();
    assert_eq!(session.advance(), Err(Error::BytesBehindStartTls));
    assert!(session.output().is_empty());
}

#[test]
fn replies_that_nobody_asked_for_are_not_taken_for_later_ones() {
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::None });
    session.receive(b"220 mx.example.org\r\n250 mx.example.org\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));
    assert!(session.output().is_empty());
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::None });
    session.receive(b"220 mx.example.org\r\n");
    assert_eq!(session.advance(), Ok(Event::NeedInput));
    session.receive(b"250 mx.example.org\r\n235 2.7.0 Accepted\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));
}

#[test]
fn a_name_that_could_end_a_line_is_not_said() {
    for hostname in ["", "relay\r\nMAIL FROM:<>", "relay example", "relay\0", "relay.exämple.com"] {
        let mut session = ClientSession::new(Settings { hostname: hostname.into(), tls: TlsRule::None });
        session.receive(b"220 mx.example.org\r\n");
        assert_eq!(session.advance(), Err(Error::Unwritable("hostname")));
        assert!(session.output().is_empty());
    }
}
