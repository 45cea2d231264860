//! Sessions as transcripts: what the client says, what it hears, what is delivered.
//!
//! Each transcript runs in one write and octet by octet; replies, events and contents must be the same.

use std::sync::Arc;

use super::settings::{AuthRule, LoginRule, Settings};
use super::{Channel, Event, ServerSession};
use crate::reply::{EnhancedCode, Reply};
use crate::sasl::{Credentials, Mechanism, Mechanisms};

/// What came of a session.
#[derive(Debug, PartialEq, Eq, Default)]
struct Record {
    replies: String,
    messages: Vec<String>,
    events: Vec<String>,
}

fn open() -> Settings {
    Settings { login: LoginRule::Optional, ..Settings::new("relay.test") }
}

fn with_auth() -> Settings {
    Settings { mechanisms: Mechanisms::of(&Mechanism::ALL), auth: AuthRule::AnyChannel, ..Settings::new("relay.test") }
}

/// Runs a session; the driver lets in `app` with `secret`, and refuses what is called so.
fn run(settings: &Settings, channel: Channel, pieces: &[&[u8]]) -> Record {
    let mut session = ServerSession::new(Arc::new(settings.clone()), channel);
    let (mut record, mut content) = (Record::default(), Vec::new());
    for piece in pieces {
        session.receive(piece);
        if !drive(&mut session, &mut record, &mut content) {
            break;
        }
    }
    record.replies.push_str(std::str::from_utf8(session.output()).unwrap());
    record
}

/// `false` when the session is closed.
fn drive(session: &mut ServerSession, record: &mut Record, content: &mut Vec<u8>) -> bool {
    loop {
        match session.advance(content) {
            Event::NeedInput => return true,
            Event::Closed => return false,
            Event::Content => {}
            Event::Mail(mail) if mail.path.to_string().contains("refused") => session.refuse(no(550)),
            Event::Recipient(to) if to.path.to_string().contains("refused") => session.refuse(no(550)),
            Event::Recipient(to) if to.path.to_string().contains("closed") => session.refuse(no(421)),
            Event::Mail(_) | Event::Recipient(_) | Event::ClientIdentity(_) => session.accept(),
            Event::ContentStarts { .. } => {
                content.clear();
                session.accept();
            }
            Event::ContentEnds => {
                record.messages.push(String::from_utf8(std::mem::take(content)).unwrap());
                session.finish(Reply::new(250, EnhancedCode::new(2, 0, 0), "taken"));
            }
            Event::Authenticate(credentials) if is_app(&credentials) => session.accept_login(),
            Event::Authenticate(_) => session.refuse(Reply::new(535, EnhancedCode::new(5, 7, 8), "wrong")),
            Event::StartTls => {
                record.events.push("tls".to_owned());
                session.secured();
            }
            event @ (Event::Spoiled(_) | Event::Abandoned) => record.events.push(format!("{event:?}")),
        }
    }
}

fn no(code: u16) -> Reply {
    Reply::new(code, None, "no")
}

fn is_app(credentials: &Credentials) -> bool {
    match credentials {
        Credentials::Password { login, password, .. } => login == "app" && password.expose() == b"secret",
        Credentials::Bearer { user, token } => user == "app" && token.expose() == b"secret",
    }
}

/// Runs what the client sends whole and cut, and gives what came of it.
fn both(settings: &Settings, sent: &[u8]) -> Record {
    let whole = run(settings, Channel::Plaintext, &[sent]);
    let single: Vec<&[u8]> = sent.chunks(1).collect();
    assert_eq!(run(settings, Channel::Plaintext, &single), whole, "cut into octets");
    for at in (1..sent.len()).step_by(7) {
        let (one, two) = sent.split_at(at);
        assert_eq!(run(settings, Channel::Plaintext, &[one, two]), whole, "cut at {at}");
    }
    whole
}

/// A transcript: `C:` lines go in, `S:` lines must come out, in all and in order.
fn check(settings: &Settings, transcript: &str) -> Record {
    let lines = |side: &str| -> Vec<String> {
        transcript
            .lines()
            .filter_map(|line| line.trim().strip_prefix(side))
            .map(|line| line.trim_start().to_owned())
            .collect()
    };
    let sent: String = lines("C:").iter().map(|line| format!("{line}\r\n")).collect();
    let record = both(settings, sent.as_bytes());
    let heard: Vec<&str> = record.replies.lines().collect();
    let expected = lines("S:");
    let fits = |heard: &str, expected: &str| heard.starts_with(expected.trim_end_matches(".."));
    assert!(
        heard.len() == expected.len() && heard.iter().zip(&expected).all(|(heard, expected)| fits(heard, expected)),
        "heard:\n{}\nexpected:\n{}",
        heard.join("\n"),
        expected.join("\n")
    );
    record
}

#[test]
fn a_message_is_taken_and_the_session_goes_on() {
    let record = check(
        &open(),
        "S: 220 relay.test ESMTP
         C: EHLO client
         S: 250-relay.test
         S: 250-PIPELINING
         S: 250-SIZE 35882577
         S: 250-8BITMIME
         S: 250-SMTPUTF8
         S: 250-ENHANCEDSTATUSCODES
         S: 250 CHUNKING
         C: MAIL FROM:<a@example.com> SIZE=20 BODY=8BITMIME
         S: 250 2.1.0 ..
         C: RCPT TO:<b@example.com>
         S: 250 2.1.5 ..
         C: RCPT TO:<refused@example.com>
         S: 550 no
         C: DATA
         S: 354 ..
         C: Subject: x
         C:
         C: ..stuffed
         C: .
         S: 250 2.0.0 taken
         C: MAIL FROM:<>
         S: 250 2.1.0 ..
         C: RSET
         S: 250 2.0.0 ..
         C: QUIT
         S: 221 2.0.0 ..",
    );
    assert_eq!(record.messages, ["Subject: x\r\n\r\n.stuffed\r\n"]);
    assert_eq!(record.events, ["Abandoned"]);
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
         C: MAIL FROM: <a@example.com>
         S: 250 2.1.0 ..
         C: AUTH PLAIN
         S: 502 5.5.1 ..",
    );
}

#[test]
fn commands_out_of_order_are_refused_and_change_nothing() {
    check(
        &open(),
        "S: 220 ..
         C: MAIL FROM:<a@example.com>
         S: 503 5.5.1 say EHLO..
         C: EHLO x
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250 ..
         C: RCPT TO:<b@example.com>
         S: 503 5.5.1 MAIL first
         C: DATA
         S: 503 5.5.1 MAIL first
         C: MAIL FROM:<refused@example.com>
         S: 550 no
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: MAIL FROM:<a@example.com>
         S: 503 5.5.1 a transaction..
         C: DATA
         S: 503 5.5.1 RCPT first
         C: RCPT TO:<refused@example.com>
         S: 550 no
         C: DATA
         S: 554 5.5.1 ..
         C: STARTTLS
         S: 502 5.5.1 ..
         C: XCLIENT ADDR=192.0.2.1
         S: 502 5.5.1 ..
         C: VRFY x
         S: 252 ..
         C: EXPN x
         S: 502 ..
         C: HELP
         S: 214 ..
         C: NOOP anything
         S: 250 ..
         C: BOGUS
         S: 500 5.5.1 ..",
    );
}

#[test]
fn logins_are_needed_and_every_mechanism_works() {
    for (lines, replies) in [
        ("C: AUTH PLAIN AGFwcABzZWNyZXQ=", "S: 235 2.7.0 .."),
        ("C: AUTH PLAIN\nC: AGFwcABzZWNyZXQ=", "S: 334\nS: 235 2.7.0 .."),
        ("C: AUTH LOGIN\nC: YXBw\nC: c2VjcmV0", "S: 334 VXNlcm5hbWU6\nS: 334 UGFzc3dvcmQ6\nS: 235 2.7.0 .."),
        ("C: AUTH LOGIN YXBw\nC: c2VjcmV0", "S: 334 UGFzc3dvcmQ6\nS: 235 2.7.0 .."),
        ("C: AUTH XOAUTH2 dXNlcj1hcHABYXV0aD1CZWFyZXIgc2VjcmV0AQE=", "S: 235 2.7.0 .."),
    ] {
        check(
            &with_auth(),
            &format!(
                "S: 220 ..\nC: EHLO x\nS: 250-..\nS: 250-..\nS: 250-..\nS: 250-..\nS: 250-..\nS: 250-..\nS: 250-..
                 S: 250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER
                 C: MAIL FROM:<a@example.com>
                 S: 530 5.7.0 ..
                 {lines}
                 {replies}
                 C: AUTH PLAIN
                 S: 503 5.5.1 ..
                 C: MAIL FROM:<a@example.com>
                 S: 250 .."
            ),
        );
    }
}

#[test]
fn failed_and_broken_logins_let_nothing_through() {
    check(
        &with_auth(),
        "S: 220 ..
         C: HELO x
         S: 250 ..
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 503 5.5.1 ..
         C: EHLO x
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250-..
         S: 250 ..
         C: AUTH CRAM-MD5
         S: 504 5.5.4 ..
         C: AUTH PLAIN =
         S: 501 5.5.2 ..
         C: AUTH PLAIN not-base64
         S: 501 5.5.2 ..
         C: AUTH LOGIN
         S: 334 ..
         C: *
         S: 501 5.7.0 ..
         C: AUTH PLAIN AGFwcAB3cm9uZw==
         S: 535 5.7.8 wrong
         C: MAIL FROM:<a@example.com>
         S: 530 5.7.0 ..
         C: AUTH PLAIN AGFwcAB3cm9uZw==
         S: 535 5.7.8 wrong
         C: AUTH PLAIN AGFwcAB3cm9uZw==
         S: 421 4.7.0 ..
         C: MAIL FROM:<a@example.com>",
    );
}

#[test]
fn a_refused_token_is_challenged_with_the_reason() {
    let settings = Settings { bearer_challenge: Some("{\"status\":\"401\"}".to_owned()), ..with_auth() };
    let record = both(&settings, b"EHLO x\r\nAUTH XOAUTH2 dXNlcj1hcHABYXV0aD1CZWFyZXIgd3JvbmcBAQ==\r\n\r\nNOOP\r\n");
    assert!(
        record.replies.ends_with("334 eyJzdGF0dXMiOiI0MDEifQ==\r\n535 5.7.8 wrong\r\n250 2.0.0 ok\r\n"),
        "{}",
        record.replies
    );
}

#[test]
fn auth_in_the_clear_is_neither_offered_nor_taken() {
    let settings = Settings { auth: AuthRule::TlsOnly, ..with_auth() };
    let record = both(&settings, b"EHLO x\r\nAUTH PLAIN AGFwcABzZWNyZXQ=\r\nMAIL FROM:<a@example.com>\r\n");
    assert!(!record.replies.contains("AUTH PLAIN"));
    assert!(
        record
            .replies
            .ends_with("538 5.7.11 encryption required for authentication\r\n530 5.7.0 authentication required\r\n")
    );
}

#[test]
fn tls_makes_the_session_anew_and_takes_nothing_from_before() {
    let mut settings = with_auth();
    settings.extensions.starttls = true;
    let sent: [&[u8]; 3] = [
        b"EHLO x\r\nAUTH PLAIN AGFwcABzZWNyZXQ=\r\n",
        b"STARTTLS\r\n",
        b"MAIL FROM:<a@b.c>\r\nEHLO y\r\nMAIL FROM:<a@b.c>\r\nSTARTTLS\r\n",
    ];
    let record = run(&settings, Channel::Plaintext, &sent);
    let after = record.replies.split("220 2.0.0 ready to start TLS\r\n").nth(1).unwrap();
    assert!(after.starts_with("503 5.5.1 say EHLO first\r\n250-") && !after.contains("STARTTLS\r\n250"), "{after}");
    assert!(after.ends_with("530 5.7.0 authentication required\r\n502 5.5.1 not offered here\r\n"), "{after}");
    assert_eq!(record.events, ["tls"]);
    let injected = run(&settings, Channel::Plaintext, &[b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b.c>\r\n", b"NOOP\r\n"]);
    assert!(injected.replies.ends_with("554 5.5.1 nothing may follow STARTTLS before the handshake; closing\r\n"));
    assert!(injected.events.is_empty());
}

#[test]
fn bare_newlines_spoil_a_message_without_losing_step() {
    for (content, code) in [
        (&b"a\nb\r\n"[..], "550 5.6.11 bare LF"),
        (b"a\rb\r\n", "550 5.6.11 bare CR"),
        (b"x\r\n.\nMAIL FROM:<smuggled@b.c>\r\n", "550 5.6.11 bare LF"),
        (b"x\n.\r\nMAIL FROM:<smuggled@b.c>\r\n", "550 5.6.11 bare LF"),
        (b"x\r.\r\nRCPT TO:<smuggled@b.c>\r\n", "550 5.6.11 bare CR"),
    ] {
        let head = b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\n";
        let record = both(&open(), &[&head[..], content, b".\r\nNOOP\r\n"].concat());
        assert!(record.messages.is_empty(), "{content:?}");
        let end = &record.replies[record.replies.find("354").unwrap()..];
        assert!(end.contains(code) && end.ends_with("message\r\n250 2.0.0 ok\r\n"), "{content:?}: {end}");
        assert_eq!(record.events.len(), 1);
    }
}

#[test]
fn bare_newlines_in_commands_end_the_session() {
    for sent in [&b"EHLO x\nMAIL FROM:<a@b.c>\r\n"[..], b"EHLO x\rNOOP\r\nNOOP\r\n", b"EHLO x\r\nNOOP\n"] {
        let record = both(&open(), sent);
        assert!(record.replies.ends_with("stands alone; closing\r\n"), "{:?}", record.replies);
        assert_eq!(record.replies.matches("250 2.0.0").count(), 0);
    }
}

#[test]
fn chunks_make_a_message_and_refused_ones_are_skipped() {
    let head = "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\n";
    let record = both(&open(), format!("{head}BDAT 5\r\na\r\n\r\nBDAT 3\r\nRSEBDAT 0 LAST\r\nNOOP\r\n").as_bytes());
    assert_eq!(record.messages, ["a\r\n\r\nRSE"]);
    assert!(record.replies.ends_with("250 2.0.0 taken\r\n250 2.0.0 ok\r\n"));
    let unasked = both(&open(), b"EHLO x\r\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n");
    assert!(unasked.replies.ends_with("503 5.5.1 MAIL first\r\n250 2.0.0 ok\r\n"), "{}", unasked.replies);
    let mixed = both(&open(), format!("{head}BDAT 1\r\nxDATA\r\nRCPT TO:<c@b.c>\r\nBDAT 0 LAST\r\n").as_bytes());
    assert_eq!(mixed.replies.matches("503 5.5.1 only BDAT or RSET").count(), 2);
    assert_eq!(mixed.messages, ["x"]);
}

#[test]
fn spoiled_chunks_leave_nothing_behind() {
    let head = "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\n";
    for (sent, code) in [
        ("BDAT 3\r\na\nbBDAT 1 LAST\r\nx", "550 5.6.11 bare LF"),
        ("BDAT 2\r\na\rBDAT 1 LAST\r\nx", "550 5.6.11 bare CR"),
        ("BDAT 2 LAST\r\na\r", "550 5.6.11 bare CR"),
    ] {
        let record = both(&open(), format!("{head}{sent}RSET\r\nNOOP\r\n").as_bytes());
        assert!(record.messages.is_empty(), "{sent:?}");
        assert!(
            record.replies.contains(code) && record.replies.ends_with("flushed\r\n250 2.0.0 ok\r\n"),
            "{}",
            record.replies
        );
        assert_eq!(record.events.iter().filter(|event| event.starts_with("Spoiled")).count(), 1);
        assert!(!record.events.contains(&"Abandoned".to_owned()));
    }
    let absurd = both(&open(), format!("{head}BDAT 18446744073709551615\r\n").as_bytes());
    assert!(absurd.replies.ends_with("552 5.3.4 message too big\r\n"));
}

#[test]
fn sizes_are_counted_and_not_believed() {
    let mut settings = open();
    settings.limits.message_size = 10;
    let head = "EHLO x\r\nMAIL FROM:<a@b.c> SIZE=1\r\nRCPT TO:<b@b.c>\r\n";
    let exact = both(&settings, format!("{head}DATA\r\n12345678\r\n.\r\n").as_bytes());
    assert_eq!(exact.messages, ["12345678\r\n"]);
    let over = both(&settings, format!("{head}DATA\r\n123456789\r\n.\r\nNOOP\r\n").as_bytes());
    assert!(over.messages.is_empty() && over.replies.ends_with("552 5.3.4 message too big\r\n250 2.0.0 ok\r\n"));
    let chunks = both(&settings, format!("{head}BDAT 9\r\n123456789BDAT 2 LAST\r\nabRSET\r\n").as_bytes());
    assert!(chunks.messages.is_empty() && chunks.replies.contains("552 5.3.4"), "{}", chunks.replies);
    let declared = both(&settings, b"EHLO x\r\nMAIL FROM:<a@b.c> SIZE=11\r\n");
    assert!(declared.replies.ends_with("552 5.3.4 message too big\r\n"));
}

#[test]
fn recipients_errors_commands_and_lines_are_bounded() {
    let mut settings = open();
    (settings.limits.recipients, settings.limits.errors, settings.limits.commands) = (2, 3, 5);
    let rcpt = "RCPT TO:<b@b.c>\r\n";
    let many =
        both(&settings, format!("EHLO x\r\nMAIL FROM:<a@b.c>\r\n{rcpt}{rcpt}{rcpt}DATA\r\nx\r\n.\r\n").as_bytes());
    assert!(many.replies.contains("452 4.5.3 too many recipients\r\n354") && many.messages.len() == 1);
    let wrong = both(&settings, "X\r\n".repeat(9).as_bytes());
    assert!(
        wrong.replies.ends_with("421 4.7.0 too many errors; closing\r\n") && wrong.replies.matches("500 ").count() == 3
    );
    let idle = both(&settings, "NOOP\r\n".repeat(9).as_bytes());
    assert!(idle.replies.ends_with("without a message; closing\r\n") && idle.replies.matches("250 ").count() == 5);
    let long = both(&open(), format!("EHLO x\r\nNOOP {}\r\nNOOP\r\n", "x".repeat(5_000)).as_bytes());
    assert!(long.replies.ends_with("500 5.5.2 line too long\r\n250 2.0.0 ok\r\n"), "{}", long.replies);
}

#[test]
fn lines_of_auth_may_be_longer_but_not_endless() {
    let token = "x".repeat(8_000);
    let mut message = Vec::new();
    crate::base64::encode(format!("user=app\x01auth=Bearer {token}\x01\x01").as_bytes(), &mut message);
    let message = String::from_utf8(message).unwrap();
    let taken = both(&with_auth(), format!("EHLO x\r\nAUTH XOAUTH2 {message}\r\n").as_bytes());
    assert!(taken.replies.ends_with("535 5.7.8 wrong\r\n"));
    let endless =
        run(&with_auth(), Channel::Plaintext, &[b"EHLO x\r\nAUTH PLAIN\r\n", &[b'x'; 13_000], b"\r\nNOOP\r\n"]);
    assert!(endless.replies.ends_with("500 5.5.2 line too long\r\n250 2.0.0 ok\r\n"), "{}", endless.replies);
}

#[test]
fn utf8_addresses_need_the_extension() {
    let record = both(
        &open(),
        "EHLO x\r\nMAIL FROM:<ü@b.c>\r\nMAIL FROM:<ü@b.c> SMTPUTF8\r\nRCPT TO:<ä@b.c>\r\nRSET\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<ä@b.c>\r\n"
            .as_bytes(),
    );
    let codes: Vec<&str> = record.replies.lines().skip(8).map(|line| &line[..9]).collect();
    assert_eq!(codes, ["553 5.6.7", "250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.1.0", "553 5.6.7"]);
}

#[test]
fn a_421_closes_wherever_it_is_said() {
    let record = both(&open(), b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<closed@b.c>\r\nNOOP\r\n");
    assert!(record.replies.ends_with("421 no\r\n"));
    let mut session = ServerSession::new(Arc::new(open()), Channel::Plaintext);
    session.close(no(421));
    assert_eq!(session.advance(&mut Vec::new()), Event::Closed);
}

#[test]
fn a_named_network_may_say_who_its_client_is() {
    let mut settings = open();
    settings.extensions.xclient = true;
    let record = both(&settings, b"EHLO x\r\nXCLIENT ADDR=192.0.2.9 HELO=printer\r\nMAIL FROM:<a@b.c>\r\nEHLO y\r\n");
    assert!(
        record.replies.contains("XCLIENT NAME ADDR") && record.replies.contains("220 relay.test ESMTP\r\n503 5.5.1")
    );
}

#[test]
fn what_extensions_are_switched_off_is_not_offered() {
    let mut settings = open();
    settings.extensions.enhanced_status_codes = false;
    settings.extensions.chunking = false;
    let record = both(&settings, b"EHLO x\r\nBDAT 1 LAST\r\nMAIL FROM:<a@b.c>\r\n");
    assert!(!record.replies.contains("CHUNKING") && !record.replies.contains("ENHANCED"));
    assert!(record.replies.contains("502 not offered here\r\n") && record.replies.ends_with("250 sender ok\r\n"));
}
