//! What a browser is shown: the page that sends it back with a code, and the page where a device's code is typed.
//!
//! `GET /google/auth` and `GET /{directory}/oauth2/v2.0/authorize` need the mailbox as `login_hint`, and
//! `GET /device` as `mailbox` with `user_code` (and `decline` for a no): there is nobody to log in.

use std::collections::HashMap;

use hyper::StatusCode;
use tokio::time::Instant;

use crate::consents::{Code, Decision, LIFETIME};
use crate::provider::Provider;
use crate::tokens::check_scope;
use crate::world::World;

/// What a browser gets.
pub(super) enum Page {
    Text(StatusCode, &'static str),
    /// To be followed.
    Elsewhere(String),
}

/// The page that asks for consent (RFC 6749 4.1.1, RFC 7636 4.3).
pub(super) fn authorize(provider: Provider, fields: &HashMap<String, String>, world: &World) -> Page {
    let field = |name| fields.get(name).map_or("", String::as_str);
    let bad = |text| Page::Text(StatusCode::BAD_REQUEST, text);
    let redirect_uri = field("redirect_uri");
    let is_loopback = ["http://127.0.0.1:", "http://localhost:"].iter().any(|start| redirect_uri.starts_with(start));
    if !is_loopback {
        return bad("redirect_uri_mismatch");
    }
    let back = |rest: String| Page::Elsewhere(format!("{redirect_uri}?{rest}&state={}", encoded(field("state"))));
    if field("response_type") != "code"
        || field("code_challenge_method") != "S256"
        || field("code_challenge").is_empty()
    {
        return back("error=invalid_request".to_owned());
    }
    if check_scope(provider, Some(field("scope"))).is_err() {
        return back("error=invalid_scope".to_owned());
    }
    // Without these Google gives no refresh token, or not a second time.
    if provider == Provider::Gmail && (field("access_type"), field("prompt")) != ("offline", "consent") {
        return back("error=invalid_request".to_owned());
    }
    if fields.contains_key("decline") {
        return back("error=access_denied".to_owned());
    }
    let Some(account) = world.accounts.find(provider, field("login_hint")) else {
        return bad("There is no such mailbox: name one as login_hint.");
    };
    if account.mailbox.client_id != field("client_id") {
        return bad("unauthorized_client");
    }
    let (client_id, challenge) = (field("client_id").to_owned(), field("code_challenge").to_owned());
    let ends = Instant::now() + LIFETIME;
    let code = world.consents.code(Code { account, client_id, redirect_uri: redirect_uri.to_owned(), challenge, ends });
    back(format!("code={}", encoded(&code)))
}

/// The page where a device's code is typed.
pub(super) fn device(fields: &HashMap<String, String>, world: &World) -> Page {
    let field = |name| fields.get(name).map_or("", String::as_str);
    let decision = match world.accounts.find(Provider::Outlook, field("mailbox")) {
        _ if fields.contains_key("decline") => Decision::Declined,
        Some(account) => Decision::Approved(account),
        None => return Page::Text(StatusCode::BAD_REQUEST, "There is no such mailbox: name one as mailbox."),
    };
    if world.consents.decide(field("user_code"), decision) {
        Page::Text(StatusCode::OK, "You can close this window.")
    } else {
        Page::Text(StatusCode::BAD_REQUEST, "There is no such code: name it as user_code.")
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
    }
    encoded
}
