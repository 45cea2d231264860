//! Tokens, by what they open and until when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Denied, Granted, Request, Tokens};
use crate::account::Account;
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::options::Rotation;
use crate::provider::{Provider, Service};

const HOUR: Duration = Duration::from_secs(3_600);

fn consented(provider: Provider) -> (Tokens, Arc<Account>) {
    let mailbox = Mailbox::new(provider, "box@example.com").refresh_token("consent").directory("acme.test");
    let account = Arc::new(Account::new(mailbox, Limits::of(provider)));
    let tokens = Tokens::default();
    tokens.consent(&account);
    (tokens, account)
}

fn request(refresh_token: &str) -> Request<'_> {
    Request {
        grant_type: Some("refresh_token"),
        client_id: Some("posthouse"),
        client_secret: Some("posthouse-secret"),
        refresh_token: Some(refresh_token),
        ..Request::default()
    }
}

fn redeem(tokens: &Tokens, provider: Provider, request: Request<'_>, rotation: Rotation) -> Result<Granted, Denied> {
    tokens.redeem(provider, request, (rotation, HOUR), Instant::now())
}

#[test]
fn a_token_opens_its_mailbox_until_it_expires() {
    let (tokens, account) = consented(Provider::Gmail);
    let granted = redeem(&tokens, Provider::Gmail, request("consent"), Rotation::Off).unwrap();
    let now = Instant::now();
    assert!(tokens.opened_by(&granted.access_token, now).unwrap().is(&account));
    assert!(tokens.opened_by(&granted.access_token, now + HOUR).is_none());
    assert!(tokens.opened_by("ya29.another", now).is_none());
    tokens.expire(&account);
    assert!(tokens.opened_by(&granted.access_token, now).is_none());
    assert!(granted.refresh_token.is_none());
}

#[test]
fn a_microsoft_token_is_as_long_as_the_real_ones() {
    let (tokens, _) = consented(Provider::Outlook);
    let granted = redeem(&tokens, Provider::Outlook, request("consent"), Rotation::OldStayValid).unwrap();
    assert!((1_700..2_000).contains(&granted.access_token.len()));
}

#[test]
fn replaced_refresh_tokens_stay_valid_or_die() {
    for (rotation, old) in [(Rotation::OldStayValid, true), (Rotation::OldDie, false)] {
        let (tokens, _) = consented(Provider::Outlook);
        let next = redeem(&tokens, Provider::Outlook, request("consent"), rotation).unwrap().refresh_token.unwrap();
        assert!(redeem(&tokens, Provider::Outlook, request(&next), rotation).is_ok());
        assert_eq!(redeem(&tokens, Provider::Outlook, request("consent"), rotation).is_ok(), old, "{rotation:?}");
    }
}

#[test]
fn what_is_wrong_with_a_request_is_told() {
    let (tokens, account) = consented(Provider::Outlook);
    let whole = request("consent");
    let cases = [
        (Request { client_id: Some("other"), ..whole }, Denied::UnknownClient),
        (Request { client_secret: Some("wrong"), ..whole }, Denied::WrongSecret),
        (Request { client_secret: None, ..whole }, Denied::WrongSecret),
        (Request { refresh_token: Some("unknown"), ..whole }, Denied::InvalidGrant),
        (Request { directory: Some("other.test"), ..whole }, Denied::UnknownDirectory),
        (Request { scope: Some("https://graph.microsoft.com/Mail.Read"), ..whole }, Denied::InvalidScope),
        (
            Request {
                scope: Some("https://graph.microsoft.com/Mail.Send https://outlook.office.com/SMTP.Send"),
                ..whole
            },
            Denied::InvalidScope,
        ),
    ];
    for (request, denied) in cases {
        assert_eq!(redeem(&tokens, Provider::Outlook, request, Rotation::Off).unwrap_err(), denied);
    }
    let scope = Some("https://graph.microsoft.com/Mail.Send offline_access");
    let granted = redeem(&tokens, Provider::Outlook, Request { scope, ..whole }, Rotation::Off).unwrap();
    assert_eq!(tokens.service(&granted.access_token), Some(Service::Api));
    let scope = Some("https://outlook.office.com/SMTP.Send offline_access");
    assert!(
        redeem(&tokens, Provider::Outlook, Request { scope, directory: Some("ACME.test"), ..whole }, Rotation::Off)
            .is_ok()
    );
    assert_eq!(redeem(&tokens, Provider::Gmail, whole, Rotation::Off).unwrap_err(), Denied::InvalidGrant);
    tokens.revoke(&account);
    assert_eq!(redeem(&tokens, Provider::Outlook, whole, Rotation::Off).unwrap_err(), Denied::InvalidGrant);
}
