//! The access token: that there is one, and what it is good for.

use posthouse_oauth::client::Issued;
use posthouse_oauth::grant::Grant as Asked;
use posthouse_oauth::pace::Urgency;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::transport::Transport;
use serde_json::Value;

use super::steps::Steps;
use crate::account::Surroundings;
use crate::config::account::{Account, Grant};

/// What to log in with.
pub(super) enum Credentials {
    Secret(Secret),
    Nothing,
}

/// The credentials, where they can be had.
pub(super) async fn obtained(account: &Account, around: &Surroundings<'_>, steps: &mut Steps) -> Option<Credentials> {
    let (endpoint, grant) = match &account.grant {
        Grant::None => {
            steps.skipped("token", "none is needed: no login");
            return Some(Credentials::Nothing);
        }
        Grant::Password { password, .. } => {
            steps.skipped("token", "none is needed: a password");
            return Some(Credentials::Secret(password.clone()));
        }
        Grant::Token { endpoint, grant, .. } => (endpoint, grant),
    };
    let issued = match around.tokens.redeem(endpoint, grant, Urgency::Awaited).await {
        Ok(issued) => issued,
        Err(error) => {
            steps.fail("token", &format!("{error}\nasked at {}{}", endpoint.token_url, doubt(grant)));
            return None;
        }
    };
    // A refresh token that takes this one's place is not kept: where tokens are replaced with each use (Microsoft), the
    // one before stays valid, and a relay has its own.
    steps.ok("token", &format!("issued for {} min", issued.lifetime.as_secs().div_ceil(60)));
    scopes(account, grant, &issued, steps);
    Some(Credentials::Secret(issued.access_token))
}

/// What may be otherwise for a relay.
fn doubt(grant: &Asked) -> &'static str {
    match grant {
        Asked::RefreshToken { refresh_token: None, .. } => {
            "\nits refresh token, if somebody has given one, is in the relay's store, which this leaves alone"
        }
        Asked::RefreshToken { .. } => {
            "\nwith the configuration's refresh token; a relay may have a newer one in its store"
        }
        Asked::ClientCredentials { .. } | Asked::ServiceAccount(_) => "",
    }
}

fn scopes(account: &Account, grant: &Asked, issued: &Issued, steps: &mut Steps) {
    let claims = claims(issued.access_token.expose());
    let said = |name: &str| claims.as_ref().and_then(|claims| words(&claims[name]));
    let needed = needed(account, grant);
    match (account.provider.kind, grant) {
        (ProviderKind::Outlook, Asked::ClientCredentials { .. }) => match said("roles") {
            Some(roles) => judge(steps, needed, &roles, "permissions"),
            None if claims.is_some() => judge(steps, needed, &[], "permissions"),
            None => steps.skipped("scopes", "the token does not say"),
        },
        (ProviderKind::Outlook, _) => match said("scp").or_else(|| issued.scope.as_deref().map(split)) {
            Some(scopes) => judge(steps, needed, &scopes, "scopes"),
            None => steps.skipped("scopes", "the token does not say"),
        },
        (ProviderKind::Gmail, _) => match issued.scope.as_deref().map(split) {
            // The whole mailbox is more than sending.
            Some(scopes) if scopes.iter().any(|scope| scope == WHOLE) => judge(steps, WHOLE, &scopes, "scopes"),
            Some(scopes) => judge(steps, needed, &scopes, "scopes"),
            None => steps.skipped("scopes", "the endpoint does not say"),
        },
        (ProviderKind::Generic, _) => steps.skipped("scopes", "nothing is known of this provider's"),
    }
}

/// Google's scope for all of a mailbox, SMTP among it.
const WHOLE: &str = "https://mail.google.com/";

/// The scope or permission that sending takes.
fn needed(account: &Account, grant: &Asked) -> &'static str {
    let for_itself = matches!(grant, Asked::ClientCredentials { .. });
    match account.provider.transport {
        Transport::Graph => "Mail.Send",
        Transport::GmailApi => "https://www.googleapis.com/auth/gmail.send",
        Transport::Smtp if account.provider.kind == ProviderKind::Gmail => WHOLE,
        Transport::Smtp if for_itself => "SMTP.SendAsApp",
        Transport::Smtp => "SMTP.Send",
    }
}

fn judge(steps: &mut Steps, needed: &str, given: &[String], what: &str) {
    let is_it = |one: &String| one == needed || one.rsplit('/').next() == Some(needed);
    if given.iter().any(is_it) {
        return steps.ok("scopes", &format!("the token is good for {needed}"));
    }
    let given = if given.is_empty() { "none".to_owned() } else { given.join(" ") };
    steps.fail("scopes", &format!("the token lacks {needed}; its {what}: {given}"));
}

fn split(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(list) => Some(list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()),
        _ => None,
    }
}

/// What a token says of itself, where it is a JWT. It is the provider's own; that it is so is not checked, since nothing
/// but this help depends on it.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?.replace('-', "+").replace('_', "/");
    let padded = format!("{payload}{}", "=".repeat((4 - payload.len() % 4) % 4));
    serde_json::from_slice(&posthouse_smtp::base64::decode(padded.as_bytes())?).ok()
}
