//! Between messages: what a message needs, what the server says unasked, RSET, QUIT and waiting.

use std::time::Duration;

use super::transcript::{PLAIN, PROVIDER, check};
use crate::client::{ClientSession, ContentPhase, Error, Event, Framing, Settings, TlsRule, Transaction};
use crate::command::Body;
use crate::path::{ForwardPath, ReversePath};

#[test]
fn what_the_server_does_not_offer_is_not_asked_of_it() {
    for (message, refusal) in [
        ("app@example.com user@example.org 8bit", "554 5.6.3 the server does not offer 8BITMIME"),
        ("app@example.com user@example.org utf8", "553 5.6.7 the server does not offer SMTPUTF8"),
        ("app@example.com üser@example.org", "553 5.6.7 the server does not offer SMTPUTF8"),
        ("äpp@example.com user@example.org", "553 5.6.7 the server does not offer SMTPUTF8"),
    ] {
        check(
            PLAIN,
            &format!(
                "
                A: send {message}
                E: answered MailFrom {refusal} [] by Session
                A: phase none
                A: send app@example.com user@example.org
                C: MAIL FROM:<app@example.com>
                "
            ),
        );
    }
}

#[test]
fn an_address_beyond_ascii_asks_for_smtputf8_by_itself() {
    check(
        PROVIDER,
        "
        A: send app@example.com üser@example.org bdat=5
        C: MAIL FROM:<app@example.com> SMTPUTF8
        C: RCPT TO:<üser@example.org>
        C: BDAT 5 LAST
        ",
    );
}

#[test]
fn a_message_that_is_too_big_is_not_sent() {
    check(
        PROVIDER,
        "
        A: send app@example.com user@example.org bdat=1001 size=1001
        E: answered MailFrom 552 5.3.4 message larger than the server takes [] by Session
        A: send app@example.com user@example.org bdat=1000 size=1000
        C: MAIL FROM:<app@example.com> SIZE=1000
        C: RCPT TO:<user@example.org>
        C: BDAT 1000 LAST
        ",
    );
}

#[test]
fn a_size_without_a_limit_has_none() {
    for size in ["SIZE", "SIZE 0"] {
        check(
            &PROVIDER.replace("SIZE 1000", size),
            "
            A: send app@example.com user@example.org size=999999
            C: MAIL FROM:<app@example.com> SIZE=999999
            C: RCPT TO:<user@example.org>
            C: DATA
            ",
        );
    }
}

#[test]
fn a_message_to_nobody_is_not_sent() {
    check(
        PROVIDER,
        "
        A: send app@example.com nobody bdat=5
        E: answered MailFrom 554 5.5.1 no recipients [] by Session
        ",
    );
}

#[test]
fn a_session_that_cannot_be_reset_gets_no_other_message() {
    for (reply, answer) in [
        ("503 5.5.1 What?", "421 4.3.0 session cannot be reset [] by Session"),
        ("354 Eh", "421 4.3.0 session cannot be reset [] by Session"),
        ("421 4.4.2 Bye", "421 4.4.2 Bye [] by Server"),
    ] {
        check(
            PROVIDER,
            &format!(
                "
                A: send app@example.com one@example.org bdat=5
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<one@example.org>
                C: BDAT 5 LAST
                S: 250 2.1.0 OK
                S: 250 2.1.5 OK
                S: 554 5.6.0 Not this one
                E: answered Content 554 5.6.0 Not this one [250] by Server
                A: send app@example.com two@example.org bdat=5
                C: RSET
                C: MAIL FROM:<app@example.com>
                C: RCPT TO:<two@example.org>
                A: phase none
                S: {reply}
                E: answered MailFrom {answer} (not reusable)
                A: phase none
                "
            ),
        );
    }
}

#[test]
fn a_server_that_closes_an_idle_session_is_heard() {
    check(
        PROVIDER,
        "
        S: 421 4.4.2 Idle for too long
        E: error: refused at the greeting: 421 4.4.2 Idle for too long
        ",
    );
}

#[test]
fn what_nobody_asked_for_ends_the_session() {
    check(
        PROVIDER,
        "
        S: 250 2.0.0 Surprise
        E: error: the server said something that nobody asked for
        A: send app@example.com user@example.org bdat=5
        E: error: the server said something that nobody asked for
        ",
    );
}

#[test]
fn goodbye_is_said_and_the_answer_taken() {
    check(
        PROVIDER,
        "
        A: quit
        C: QUIT
        S: 221 2.0.0 Bye
        ",
    );
}

#[test]
fn goodbye_comes_without_rset() {
    check(
        PROVIDER,
        "
        A: probe app@example.com one@example.org
        C: MAIL FROM:<app@example.com>
        C: RCPT TO:<one@example.org>
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        E: answered RcptTo 250 2.1.5 OK [250] by Server
        A: quit
        C: QUIT
        S: 221 2.0.0 Bye
        ",
    );
}

/// A session that is ready for a message.
fn ready() -> ClientSession {
    ready_behind(&["220 mx.example.org\r\n", "250-mx.example.org\r\n250-PIPELINING\r\n250 CHUNKING\r\n"])
}

fn ready_behind(greeting: &[&str]) -> ClientSession {
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::None });
    for said in greeting {
        session.receive(said.as_bytes());
        session.advance().unwrap();
    }
    session.skip_login();
    assert_eq!(session.advance(), Ok(Event::Ready));
    session.output().clear();
    session
}

fn begin(session: &mut ClientSession, framing: Framing) -> Result<(), Error> {
    let recipients = [ForwardPath::Postmaster];
    let transaction = Transaction {
        reverse_path: &ReversePath::Null,
        recipients: &recipients,
        size: None,
        body: Body::SevenBit,
        smtputf8: false,
    };
    session.begin(&transaction, framing)
}

#[test]
fn nothing_begins_on_a_session_with_words_that_nobody_asked_for() {
    for stray in ["250 2.0.0 OK\r\n", "2"] {
        let mut session = ready();
        assert!(session.reusable() && !session.has_stray_input());
        session.receive(stray.as_bytes());
        assert!(!session.reusable() && session.has_stray_input());
        assert_eq!(begin(&mut session, Framing::Bdat { size: 5 }), Err(Error::StrayInput));
        assert!(session.output().is_empty());
    }
}

#[test]
fn words_behind_the_answer_make_a_session_useless() {
    let mut session = ready();
    begin(&mut session, Framing::Bdat { size: 5 }).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n250 OK\r\n250 OK\r\n");
    assert!(matches!(session.advance(), Ok(Event::Answered(_))));
    assert!(session.has_stray_input() && !session.reusable());
    assert_eq!(begin(&mut session, Framing::Bdat { size: 5 }), Err(Error::StrayInput));
}

#[test]
fn replies_that_came_before_the_content_do_not_speak_of_it() {
    // To DATA.
    let mut session = ready();
    begin(&mut session, Framing::Data).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));
    assert_eq!(session.content_phase(), ContentPhase::NotBegun);

    // While the content is sent, and looked at when it is.
    let mut session = ready();
    begin(&mut session, Framing::Data).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n354 go\r\n");
    assert_eq!(session.advance(), Ok(Event::GoAhead));
    session.receive(b"250 OK\r\n");
    session.content_sent();
    assert_eq!(session.advance(), Err(Error::StrayInput));
    assert_eq!(session.content_phase(), ContentPhase::FinalDotSent);
}

#[test]
fn without_pipelining_no_reply_comes_before_its_command() {
    let plain = ["220 mx.example.org\r\n", "250 mx.example.org\r\n"];
    let mut session = ready_behind(&plain);
    begin(&mut session, Framing::Data).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));

    // Nor behind RSET.
    let mut session = ready_behind(&plain);
    begin(&mut session, Framing::Data).unwrap();
    session.receive(b"550 no\r\n");
    assert!(matches!(session.advance(), Ok(Event::Answered(_))));
    begin(&mut session, Framing::Data).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));
}

#[test]
fn a_chunk_is_announced_even_where_its_answer_cannot_be_believed() {
    let mut session = ready();
    let to: Vec<ForwardPath> = vec![ForwardPath::Postmaster, ForwardPath::Postmaster];
    let transaction = Transaction {
        reverse_path: &ReversePath::Null,
        recipients: &to,
        size: None,
        body: Body::SevenBit,
        smtputf8: false,
    };
    session.begin(&transaction, Framing::Bdat { size: 5 }).unwrap();
    session.receive(b"250 OK\r\n250 OK\r\n250 OK\r\n");
    assert_eq!(session.advance(), Ok(Event::RecipientsAccepted));
    session.output().clear();
    session.receive(b"250 OK\r\n");
    session.send_bdat(5);
    // What is sent behind it is content and not commands.
    assert_eq!(session.output(), b"BDAT 5 LAST\r\n");
    assert_eq!(session.advance(), Err(Error::StrayInput));
    assert_eq!(session.content_phase(), ContentPhase::MayHaveBeenSent);
}

#[test]
fn a_session_names_what_it_waits_for_and_how_long() {
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::None });
    let wait = |session: &ClientSession| (session.state().name, session.state().timeout.as_secs());
    assert_eq!(wait(&session), ("waiting for the greeting", 300));
    session.receive(b"220 mx.example.org\r\n");
    session.advance().unwrap();
    assert_eq!(wait(&session), ("waiting for the reply to EHLO", 300));
    let mut session = ready();
    assert_eq!(wait(&session), ("between messages", 300));
    begin(&mut session, Framing::Data).unwrap();
    assert_eq!(wait(&session), ("waiting for the reply to MAIL", 300));
    for (said, name, seconds) in [
        ("250 OK\r\n", "waiting for the reply to RCPT", 300),
        ("250 OK\r\n", "waiting for the reply to DATA", 120),
        ("354 OK\r\n", "sending the content", 180),
    ] {
        session.receive(said.as_bytes());
        session.advance().unwrap();
        assert_eq!(wait(&session), (name, seconds));
    }
    session.content_sent();
    assert_eq!(wait(&session), ("waiting for the reply to the content -- may be delivered", 600));
    session.receive(b"what\r\n");
    session.advance().unwrap_err();
    assert_eq!(session.state().timeout, Duration::from_secs(600), "an error does not change it");
}
