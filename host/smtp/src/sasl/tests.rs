//! SASL messages, by what is read from them.

use super::{Credentials, Mechanism, Mechanisms, Secret, login, oauthbearer, plain, xoauth2};

fn bearer(user: &str, token: &str) -> Option<Credentials> {
    Some(Credentials::Bearer { user: user.to_owned(), token: Secret::new(token) })
}

#[test]
fn plain_has_three_parts() {
    let credentials = plain(b"admin\0app\0secret").unwrap();
    let Credentials::Password { authorization_id, login, password } = credentials else { panic!("a password") };
    assert_eq!((authorization_id.as_str(), login.as_str(), password.expose()), ("admin", "app", &b"secret"[..]));
    for message in [&b"app\0secret"[..], b"\0\0secret", b"\0app\0", b"\0a\0b\0c", b"\0a\r\n\0b", b"\0\xff\0b", b""] {
        assert_eq!(plain(message), None);
    }
}

#[test]
fn login_needs_both_answers() {
    assert!(login(b"app", b"secret").is_some());
    assert!(login(b"", b"secret").is_none() && login(b"app", b"").is_none());
}

#[test]
fn bearer_tokens_are_read_from_both_mechanisms() {
    assert_eq!(xoauth2(b"user=a@example.com\x01auth=Bearer tok\x01\x01"), bearer("a@example.com", "tok"));
    assert_eq!(
        oauthbearer(b"n,a=a=2Cb@example.com,\x01host=h\x01port=1\x01auth=Bearer tok\x01\x01"),
        bearer("a,b@example.com", "tok")
    );
    for message in [&b"user=a\x01auth=Bearer tok\x01"[..], b"user=a\x01auth=Bearer t k\x01\x01", b"user=a\x01\x01", b""]
    {
        assert_eq!(xoauth2(message), None);
    }
    assert_eq!(oauthbearer(b"y,a=a,\x01auth=Bearer tok\x01\x01"), None);
}

#[test]
fn secrets_print_as_nothing() {
    let credentials = plain(b"\0app\0hunter2").unwrap();
    assert!(!format!("{credentials:?}").contains("hunter2"));
    assert_eq!(Secret::new("hunter2").to_string(), "[redacted]");
}

#[test]
fn mechanisms_are_a_set() {
    let set = Mechanisms::of(&[Mechanism::Login, Mechanism::Plain]);
    assert_eq!(set.iter().map(Mechanism::name).collect::<Vec<_>>(), ["PLAIN", "LOGIN"]);
    assert_eq!(Mechanism::named(b"xoauth2"), Some(Mechanism::XOAuth2));
    assert!(!set.contains(Mechanism::XOAuth2));
}
