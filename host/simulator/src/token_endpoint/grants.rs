//! What is asked for at the token endpoints, by its kind: each is proved elsewhere, and a token is issued here.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::provider::{Provider, Service};
use crate::token_endpoint::answers::{self, Answer};
use crate::tokens::{self, Denied, Granted, Opened, Request};
use crate::world::World;

/// A request's fields.
pub(super) fn request<'a>(directory: Option<&'a str>, form: &'a HashMap<String, String>) -> Request<'a> {
    let field = |name| form.get(name).map(String::as_str);
    Request {
        directory,
        grant_type: field("grant_type"),
        client_id: field("client_id"),
        client_secret: field("client_secret"),
        client_assertion: field("client_assertion"),
        assertion: field("assertion"),
        device_code: field("device_code"),
        code: field("code"),
        code_verifier: field("code_verifier"),
        redirect_uri: field("redirect_uri"),
        refresh_token: field("refresh_token"),
        scope: field("scope"),
    }
}

/// The answer to a request for a token.
pub(super) fn redeem(provider: Provider, request: Request<'_>, world: &World) -> Answer {
    match granted(provider, request, world) {
        Ok(granted) => {
            world.ledger.counts(provider).tokens.add(1);
            answers::granted(provider, &granted)
        }
        Err(denied) => answers::denied(provider, denied),
    }
}

fn granted(provider: Provider, request: Request<'_>, world: &World) -> Result<Granted, Denied> {
    let (now, rules) = (Instant::now(), world.side(provider).token_rules());
    let lifetime = rules.1;
    match (request.grant_type.ok_or(Denied::Missing("grant_type"))?, provider) {
        ("refresh_token", _) => world.tokens.redeem(provider, request, rules, now),
        ("client_credentials", Provider::Outlook) => {
            let place = world.place(provider, request.directory);
            let client_id = world.applications.client(request, &place, &world.issuer.public, world.clock())?;
            let service = tokens::check_scope(provider, request.scope).unwrap_or(Service::Smtp);
            let roles = world.applications.roles(&client_id, service);
            Ok(world.tokens.issue((provider, service), Opened::Application(client_id), &roles, lifetime, now))
        }
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", Provider::Gmail) => {
            let assertion = request.assertion.ok_or(Denied::Missing("assertion"))?;
            let place = world.place(provider, None);
            let (subject, scope) = world.applications.delegated(assertion, &place, world.clock())?;
            let service = tokens::check_scope(provider, Some(&scope))?;
            let account = world.accounts.find(provider, &subject).ok_or(Denied::UnknownSubject)?;
            account.tokens.add(1);
            Ok(world.tokens.issue((provider, service), Opened::Mailbox(account), &[], lifetime, now))
        }
        ("urn:ietf:params:oauth:grant-type:device_code", Provider::Outlook) => {
            let account = world.consents.poll(request, now)?;
            let service = tokens::check_scope(provider, request.scope)?;
            Ok(world.tokens.consented(&account, service, lifetime, now))
        }
        ("authorization_code", _) => {
            let account = world.consents.exchange(request, now)?;
            tokens::check_client(&account, request)?;
            let service = tokens::check_scope(provider, request.scope)?;
            Ok(world.tokens.consented(&account, service, lifetime, now))
        }
        _ => Err(Denied::UnsupportedGrantType),
    }
}

/// A device wants a code to show (RFC 8628 3.1).
pub(super) fn device(request: Request<'_>, world: &World) -> Answer {
    let denied = |denied| answers::denied(Provider::Outlook, denied);
    let Some(client_id) = request.client_id else { return denied(Denied::Missing("client_id")) };
    let is_known = |account: &&Arc<crate::account::Account>| {
        account.mailbox.provider == Provider::Outlook && account.mailbox.client_id == client_id
    };
    let accounts = world.accounts.list();
    let Some(account) = accounts.iter().find(is_known) else { return denied(Denied::UnknownClient) };
    if account.mailbox.client_secret.is_some() {
        return denied(Denied::NotPublic);
    }
    if let Err(refusal) = tokens::check_scope(Provider::Outlook, request.scope) {
        return denied(refusal);
    }
    let (device_code, user_code) = world.consents.device(client_id, Instant::now());
    let page = format!("{}/device", world.base());
    let body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "expires_in": crate::consents::LIFETIME.as_secs(),
        "interval": crate::consents::INTERVAL.as_secs(),
        "message": format!("To sign in, open the page {page} and enter the code {user_code} to authenticate."),
    });
    (StatusCode::OK, body)
}
