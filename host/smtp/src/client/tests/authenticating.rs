//! AUTH, as the providers answer it.

use super::transcript::check;
use crate::client::login::Login;
use crate::client::{ClientSession, Event, Settings, TlsRule};
use crate::sasl::{Mechanism, Secret};

const OFFERS: &str = "
    S: 220 mx.example.org
    C: EHLO relay.example.com
    S: 250-mx.example.org
    S: 250 AUTH LOGIN PLAIN XOAUTH2 OAUTHBEARER
    E: identified
";

#[test]
fn a_token_goes_along_with_auth() {
    check(
        OFFERS,
        "
        A: login XOAUTH2 app@example.com token
        C: AUTH XOAUTH2 dXNlcj1hcHBAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
        S: 235 2.7.0 Accepted
        E: ready
        ",
    );
}

#[test]
fn a_password_goes_along_with_auth_plain() {
    check(
        OFFERS,
        "
        A: login PLAIN app secret
        C: AUTH PLAIN AGFwcABzZWNyZXQ=
        S: 235 2.7.0 Accepted
        E: ready
        ",
    );
}

#[test]
fn login_answers_two_questions() {
    check(
        OFFERS,
        "
        A: login LOGIN app secret
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: YXBw
        S: 334 UGFzc3dvcmQ6
        C: c2VjcmV0
        S: 235 2.7.0 Accepted
        E: ready
        ",
    );
}

#[test]
fn oauthbearer_names_the_server_and_quotes_the_user() {
    check(
        OFFERS,
        "
        A: login OAUTHBEARER a,b=c@example.com token
        C: AUTH OAUTHBEARER bixhPWE9MkNiPTNEY0BleGFtcGxlLmNvbSwBaG9zdD1zbXRwLmV4YW1wbGUub3JnAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHRva2VuAQE=
        S: 235 2.7.0 Accepted
        E: ready
        ",
    );
}

#[test]
fn gmail_says_why_it_refuses_a_token_before_it_refuses_it() {
    check(
        OFFERS,
        "
        A: login XOAUTH2 app@example.com token
        C: AUTH XOAUTH2 dXNlcj1hcHBAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
        S: 334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiQmVhcmVyIn0=
        C:
        S: 535-5.7.8 Username and Password not accepted. For more information, go to
        S: 535 5.7.8  https://support.example.org/ - gsmtp
        E: error: refused at AUTH: 535 5.7.8 Username and Password not accepted. For more information, go to /  https://support.example.org/ - gsmtp
        ",
    );
}

#[test]
fn outlook_refuses_a_token_at_once() {
    check(
        OFFERS,
        "
        A: login XOAUTH2 app@example.com token
        C: AUTH XOAUTH2 dXNlcj1hcHBAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
        S: 535 5.7.3 Authentication unsuccessful
        E: error: refused at AUTH: 535 5.7.3 Authentication unsuccessful
        ",
    );
}

#[test]
fn a_refused_oauthbearer_is_acknowledged_with_its_own_octet() {
    check(
        OFFERS,
        "
        A: login OAUTHBEARER app@example.com token
        C: AUTH OAUTHBEARER bixhPWFwcEBleGFtcGxlLmNvbSwBaG9zdD1zbXRwLmV4YW1wbGUub3JnAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHRva2VuAQE=
        S: 334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=
        C: AQ==
        S: 535 5.7.8 No
        E: error: refused at AUTH: 535 5.7.8 No
        ",
    );
}

#[test]
fn a_server_that_closes_or_limits_logins_says_so() {
    for reply in ["454 4.7.0 Too many login attempts, please try again later", "421 4.7.0 Closing", "504 5.5.4 Unknown"]
    {
        check(
            OFFERS,
            &format!(
                "
                A: login PLAIN app secret
                C: AUTH PLAIN AGFwcABzZWNyZXQ=
                S: {reply}
                E: error: refused at AUTH: {reply}
                "
            ),
        );
    }
}

#[test]
fn success_before_the_credentials_or_after_their_refusal_is_none() {
    check(
        OFFERS,
        "
        A: login LOGIN app secret
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: YXBw
        S: 235 2.7.0 Accepted
        E: error: unexpected reply while waiting for the reply to AUTH: 235 2.7.0 Accepted
        ",
    );
    check(
        OFFERS,
        "
        A: login XOAUTH2 a token
        C: AUTH XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIHRva2VuAQE=
        S: 334 e30=
        C:
        S: 235 2.7.0 Accepted
        E: error: unexpected reply while waiting for the reply to AUTH: 235 2.7.0 Accepted
        ",
    );
}

#[test]
fn questions_without_end_are_not_answered() {
    check(
        OFFERS,
        "
        A: login PLAIN app secret
        C: AUTH PLAIN AGFwcABzZWNyZXQ=
        S: 334 more
        E: error: unexpected reply while waiting for the reply to AUTH: 334 more
        ",
    );
    check(
        OFFERS,
        "
        A: login XOAUTH2 a token
        C: AUTH XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIHRva2VuAQE=
        S: 334 e30=
        C:
        S: 334 e30=
        E: error: unexpected reply while waiting for the reply to AUTH: 334 e30=
        ",
    );
}

#[test]
fn what_could_change_a_message_is_refused_before_anything_is_said() {
    for (mechanism, user, secret, what) in [
        ("XOAUTH2", "app\\r\\nMAIL", "token", "user"),
        ("XOAUTH2", "app\\1auth=Bearer", "token", "user"),
        ("XOAUTH2", "-", "token", "user"),
        ("XOAUTH2", "app", "to\\r\\nken", "secret"),
        ("XOAUTH2", "app", "to\\1ken", "secret"),
        ("XOAUTH2", "app", "tökén", "secret"),
        ("XOAUTH2", "app", "-", "secret"),
        ("OAUTHBEARER", "app", "to\\1ken", "secret"),
        ("PLAIN", "app\\0admin", "secret", "user"),
        ("PLAIN", "app", "sec\\0ret", "secret"),
        ("LOGIN", "app\\n", "secret", "user"),
    ] {
        check(
            OFFERS,
            &format!(
                "
                A: login {mechanism} {user} {secret}
                E: error: the {what} is empty or holds octets that cannot be sent
                "
            ),
        );
    }
}

#[test]
fn only_offered_mechanisms_are_used() {
    check(
        &OFFERS.replace(" XOAUTH2", ""),
        "
        A: login XOAUTH2 app token
        E: error: the server does not offer AUTH XOAUTH2
        ",
    );
}

/// A session whose server offers XOAUTH2, and that logs in with this token.
fn logging_in(token: &str) -> (ClientSession, Result<(), crate::client::Error>) {
    let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::Implicit });
    for said in ["220 mx.example.org\r\n", "250-mx.example.org\r\n250 AUTH XOAUTH2\r\n"] {
        session.receive(said.as_bytes());
        session.advance().unwrap();
    }
    session.output().clear();
    let done = session.authenticate(&Login {
        mechanism: Mechanism::XOAuth2,
        user: "app@example.com".into(),
        secret: Secret::new(token),
        server: ("mx.example.org".into(), 587),
    });
    (session, done)
}

#[test]
fn a_long_token_waits_for_its_own_line() {
    // 512 octets of a command line hold 496 of base64, thus 372 of a message, 35 of them not the token's.
    for (token, goes_along) in [("t".repeat(337), true), ("t".repeat(338), false), ("t".repeat(2_800), false)] {
        let (mut session, done) = logging_in(&token);
        assert_eq!(done, Ok(()));
        assert_eq!(session.output().starts_with(b"AUTH XOAUTH2 "), goes_along, "{}", token.len());
        assert!(session.output().len() <= 512);
        if goes_along {
            continue;
        }
        assert_eq!(session.output(), b"AUTH XOAUTH2\r\n");
        session.output().clear();
        session.receive(b"334 \r\n");
        assert_eq!(session.advance(), Ok(Event::NeedInput));
        let mut expected = Vec::new();
        let message = format!("user=app@example.com\x01auth=Bearer {token}\x01\x01");
        crate::base64::encode(message.as_bytes(), &mut expected);
        expected.extend_from_slice(b"\r\n");
        assert_eq!(session.output(), &expected);
        session.receive(b"235 2.7.0 Accepted\r\n");
        assert_eq!(session.advance(), Ok(Event::Ready));
    }
}

#[test]
fn the_limit_of_a_command_line_includes_its_end() {
    // 500 octets of base64 would make a line of 511, and 513 with its end.
    for (length, line) in [(367, "AUTH PLAIN AGFwcAB0"), (368, "AUTH PLAIN\r\n")] {
        let password = "t".repeat(length);
        let mut session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls: TlsRule::Implicit });
        for said in ["220 mx.example.org\r\n", "250-mx.example.org\r\n250 AUTH PLAIN\r\n"] {
            session.receive(said.as_bytes());
            session.advance().unwrap();
        }
        session.output().clear();
        let login = Login {
            mechanism: Mechanism::Plain,
            user: "app".into(),
            secret: Secret::new(password),
            server: ("mx.example.org".into(), 587),
        };
        session.authenticate(&login).unwrap();
        let said = String::from_utf8(session.output().clone()).unwrap();
        assert!(said.starts_with(line), "{said}");
    }
}

#[test]
fn a_token_for_which_no_line_is_long_enough_is_not_sent() {
    let (mut session, done) = logging_in(&"t".repeat(9_200));
    assert_eq!(done, Err(crate::client::Error::LoginTooLong));
    assert!(session.output().is_empty());
}

#[test]
fn the_reason_of_a_refusal_is_kept_and_can_do_no_harm() {
    let (mut session, _) = logging_in("token-1");
    let mut challenge = Vec::new();
    crate::base64::encode(b"{\"status\":\"400\"}\r\n\x1b[2J", &mut challenge);
    session.receive(&[b"334 ", &challenge[..], b"\r\n"].concat());
    assert_eq!(session.advance(), Ok(Event::NeedInput));
    session.receive(b"535 5.7.8 no\r\n");
    let Err(crate::client::Error::Refused { detail, .. }) = session.advance() else { panic!("refused") };
    assert_eq!(detail.unwrap(), "{\"status\":\"400\"}   [2J");
}

#[test]
fn a_token_that_the_server_repeats_is_in_no_error() {
    let (mut session, _) = logging_in("token-1");
    let mut challenge = Vec::new();
    crate::base64::encode(b"{\"refused\":\"token-1\"}", &mut challenge);
    session.receive(&[b"334 ", &challenge[..], b"\r\n"].concat());
    session.advance().unwrap();
    session.receive(b"535 5.7.8 token-1 is bad\r\n");
    let error = session.advance().unwrap_err();
    assert!(!format!("{error:?} {error}").contains("token-1"), "{error:?}");
    assert!(format!("{error:?}").contains("[redacted]"));
}

#[test]
fn a_session_shows_no_secret() {
    let (session, _) = logging_in(&"token-1".repeat(100));
    let (other, _) = logging_in("token-1");
    let mut encoded = Vec::new();
    crate::base64::encode(b"token-1token-1", &mut encoded);
    for shown in [format!("{session:?}"), format!("{other:?}")] {
        assert!(!shown.contains("token-1") && !shown.contains("dXNlcj1"), "{shown}");
        // Nor its octets, as a vector of bytes would show them.
        assert!(!shown.contains("116, 111, 107") && !shown.contains("65, 85, 84, 72"), "{shown}");
    }
}
