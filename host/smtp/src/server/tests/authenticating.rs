//! AUTH (RFC 4954), mechanism by mechanism.

use super::transcript::{check, run_octets, with_auth};
use crate::base64;
use crate::server::settings::Settings;

fn encoded(message: &str) -> String {
    let mut out = Vec::new();
    base64::encode(message.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn bearer(user: &str, token: &str) -> String {
    encoded(&format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

#[test]
fn every_mechanism_logs_in_with_and_without_an_initial_response() {
    let (xoauth2, plain) = (bearer("app", "secret"), encoded("app\0app\0secret"));
    let oauthbearer = encoded("n,a=app,\x01host=relay.test\x01port=587\x01auth=Bearer secret\x01\x01");
    let (user, password) = (encoded("app"), encoded("secret"));
    for exchange in [
        format!("C: AUTH PLAIN {plain}"),
        format!("C: auth plain\nS: 334\nC: {plain}"),
        format!("C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: {user}\nS: 334 UGFzc3dvcmQ6\nC: {password}"),
        format!("C: AUTH LOGIN {user}\nS: 334 UGFzc3dvcmQ6\nC: {password}"),
        format!("C: AUTH XOAUTH2 {xoauth2}"),
        format!("C: AUTH XOAUTH2\nS: 334\nC: {xoauth2}"),
        format!("C: AUTH OAUTHBEARER {oauthbearer}"),
    ] {
        check(
            &with_auth(),
            &format!(
                "S: 220 ..
                 C: EHLO x
                 S: 250-..
                 C: MAIL FROM:<a@example.com>
                 S: 530 5.7.0 ..
                 {exchange}
                 S: 235 2.7.0 authentication succeeded
                 C: AUTH PLAIN {plain}
                 S: 503 5.5.1 already authenticated
                 C: MAIL FROM:<a@example.com>
                 S: 250 .."
            ),
        );
    }
}

#[test]
fn what_is_no_exchange_is_refused_and_lets_nothing_through() {
    let plain = encoded("\0app\0secret");
    check(
        &with_auth(),
        &format!(
            "S: 220 ..
             C: HELO x
             S: 250 ..
             C: AUTH PLAIN {plain}
             S: 503 5.5.1 say EHLO first
             C: EHLO x
             S: 250-..
             C: AUTH
             S: 501 5.5.4 ..
             C: AUTH CRAM-MD5
             S: 504 5.5.4 ..
             C: AUTH PLAIN =
             S: 501 5.5.2 ..
             C: AUTH PLAIN {plain}=
             S: 501 5.5.2 ..
             C: AUTH PLAIN {plain} more
             S: 501 5.5.4 ..
             C: AUTH LOGIN
             S: 334 ..
             C: *
             S: 501 5.7.0 authentication cancelled
             C: AUTH LOGIN
             S: 334 ..
             C: YXBw
             S: 334 ..
             C: *
             S: 501 5.7.0 authentication cancelled
             C: AUTH PLAIN
             S: 334
             C: QUIT
             S: 501 5.5.2 ..
             C: MAIL FROM:<a@example.com>
             S: 530 5.7.0 .."
        ),
    );
}

#[test]
fn commands_behind_a_failed_login_find_no_login() {
    check(
        &with_auth(),
        &format!(
            "S: 220 ..
             C: EHLO x
             S: 250-..
             C: AUTH PLAIN {}
             S: 535 no
             C: MAIL FROM:<a@example.com>
             S: 530 5.7.0 ..
             C: RCPT TO:<b@example.com>
             S: 503 5.5.1 MAIL first
             C: DATA
             S: 503 5.5.1 MAIL first",
            encoded("\0app\0wrong")
        ),
    );
}

#[test]
fn the_third_failure_ends_the_session() {
    let wrong = encoded("\0app\0wrong");
    check(
        &with_auth(),
        &format!(
            "S: 220 ..
             C: EHLO x
             S: 250-..
             C: AUTH PLAIN {wrong}
             S: 535 no
             C: AUTH PLAIN {}
             S: 454 no
             C: AUTH PLAIN {wrong}
             S: 535 no
             C: AUTH PLAIN {wrong}
             S: 421 4.7.0 too many failed logins; closing
             - closed",
            encoded("\0later\0any")
        ),
    );
}

#[test]
fn a_token_that_is_no_good_is_challenged_with_the_reason() {
    let settings = Settings { bearer_challenge: Some("{\"status\":\"401\"}".to_owned()), ..with_auth() };
    for answer in ["C:", "C: AQ==", "C: *"] {
        check(
            &settings,
            &format!(
                "S: 220 ..
                 C: EHLO x
                 S: 250-..
                 C: AUTH XOAUTH2 {}
                 S: 334 eyJzdGF0dXMiOiI0MDEifQ==
                 {answer}
                 S: 535 no
                 C: AUTH PLAIN {}
                 S: 535 no
                 C: AUTH XOAUTH2 {}
                 S: 454 no
                 C: AUTH XOAUTH2 {}
                 S: 421 no
                 - closed",
                bearer("app", "wrong"),
                encoded("\0app\0wrong"),
                bearer("later", "any"),
                bearer("never", "any"),
            ),
        );
    }
}

#[test]
fn a_long_challenge_stays_one_line() {
    let reason = format!("{{\"status\":\"401\",\"scope\":\"{}\"}}", "x".repeat(900));
    let settings = Settings { bearer_challenge: Some(reason.clone()), ..with_auth() };
    let told = run_octets(&settings, &[format!("EHLO x\r\nAUTH XOAUTH2 {}\r\n", bearer("app", "wrong")).as_bytes()]);
    assert_eq!(told.replies().last(), Some(&format!("334 {}", encoded(&reason)).as_str()));
}

#[test]
fn lines_of_auth_may_be_long_but_not_endless() {
    let long = bearer("app", &"x".repeat(8_000));
    let told = run_octets(&with_auth(), &[format!("EHLO x\r\nAUTH XOAUTH2 {long}\r\n").as_bytes()]);
    assert_eq!(told.replies().last(), Some(&"535 no"));
    let endless = "x".repeat(13_000);
    for octets in [format!("AUTH PLAIN\r\n{endless}\r\nNOOP\r\n"), format!("AUTH PLAIN {endless}\r\nNOOP\r\n")] {
        let octets = format!("EHLO x\r\n{octets}");
        for size in [octets.len(), 1, 1000] {
            let pieces: Vec<&[u8]> = octets.as_bytes().chunks(size).collect();
            let told = run_octets(&with_auth(), &pieces);
            assert!(told.replies().ends_with(&["500 5.5.2 line too long", "250 2.0.0 ok"]), "{:?}", told.log.last());
        }
    }
}

#[test]
fn a_login_is_not_for_the_middle_of_a_transaction() {
    let settings = Settings { login: crate::server::settings::LoginRule::Optional, ..with_auth() };
    check(
        &settings,
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: AUTH PLAIN AGFwcABzZWNyZXQ=
         S: 503 5.5.1 not within a transaction
         C: RCPT TO:<b@example.com>
         S: 250 ..",
    );
}
