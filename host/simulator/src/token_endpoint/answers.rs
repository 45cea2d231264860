//! What the token endpoints say, in each provider's words.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::provider::Provider;
use crate::tokens::{Denied, Granted};

/// A status and a JSON body.
pub(super) type Answer = (StatusCode, Value);

pub(super) fn granted(provider: Provider, granted: &Granted) -> Answer {
    let mut body = json!({
        "access_token": granted.access_token,
        "expires_in": granted.lifetime.as_secs(),
        "scope": provider.scope(),
        "token_type": "Bearer",
    });
    if provider == Provider::Outlook {
        body["ext_expires_in"] = json!(granted.lifetime.as_secs());
    }
    if let Some(token) = &granted.refresh_token {
        body["refresh_token"] = json!(token);
    }
    (StatusCode::OK, body)
}

pub(super) fn denied(provider: Provider, denied: Denied) -> Answer {
    let (status, error) = match denied {
        Denied::Missing(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        Denied::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        Denied::UnknownDirectory => (StatusCode::BAD_REQUEST, "invalid_request"),
        Denied::UnknownClient if provider == Provider::Outlook => (StatusCode::BAD_REQUEST, "unauthorized_client"),
        Denied::UnknownClient | Denied::WrongSecret => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Denied::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
        Denied::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
    };
    let body = match provider {
        Provider::Gmail => json!({ "error": error, "error_description": google(denied) }),
        Provider::Outlook => {
            let (number, text) = microsoft(denied);
            json!({
                "error": error,
                "error_description": format!("AADSTS{number}: {text}"),
                "error_codes": [number],
                "trace_id": "00000000-0000-0000-0000-000000000001",
                "correlation_id": "00000000-0000-0000-0000-000000000002",
            })
        }
    };
    (status, body)
}

fn google(denied: Denied) -> String {
    match denied {
        Denied::Missing(name) => format!("Missing required parameter: {name}"),
        Denied::UnsupportedGrantType => "Invalid grant_type".to_owned(),
        Denied::UnknownDirectory => "Not found".to_owned(),
        Denied::UnknownClient => "The OAuth client was not found.".to_owned(),
        Denied::WrongSecret => "The provided client secret is invalid.".to_owned(),
        Denied::InvalidGrant => "Token has been expired or revoked.".to_owned(),
        Denied::InvalidScope => "Some requested scopes were invalid.".to_owned(),
    }
}

fn microsoft(denied: Denied) -> (u32, String) {
    match denied {
        Denied::Missing(name) => (900_144, format!("The request body must contain the following parameter: '{name}'.")),
        Denied::UnsupportedGrantType => (70_003, "The app requested an unsupported grant type.".to_owned()),
        Denied::UnknownDirectory => (90_002, "Tenant not found.".to_owned()),
        Denied::UnknownClient => (700_016, "Application was not found in the directory.".to_owned()),
        Denied::WrongSecret => (7_000_215, "Invalid client secret provided.".to_owned()),
        Denied::InvalidGrant => (50_173, "The provided grant has expired due to it being revoked.".to_owned()),
        Denied::InvalidScope => (70_011, "The provided value for the input parameter 'scope' is not valid.".to_owned()),
    }
}
