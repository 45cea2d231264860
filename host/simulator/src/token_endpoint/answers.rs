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
        "scope": provider.scope_of(granted.service),
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
    match provider {
        Provider::Gmail => {
            let (status, error, text) = google(denied);
            (status, json!({ "error": error, "error_description": text }))
        }
        Provider::Outlook => {
            let (status, error, number, text) = microsoft(denied);
            let body = json!({
                "error": error,
                "error_description": format!("AADSTS{number}: {text}"),
                "error_codes": [number],
                "trace_id": "00000000-0000-0000-0000-000000000001",
                "correlation_id": "00000000-0000-0000-0000-000000000002",
            });
            (status, body)
        }
    }
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

fn google(denied: Denied) -> (StatusCode, &'static str, String) {
    let (status, error, text) = match denied {
        Denied::Missing(name) => return (BAD, "invalid_request", format!("Missing required parameter: {name}")),
        Denied::UnsupportedGrantType => (BAD, "unsupported_grant_type", "Invalid grant_type"),
        Denied::UnknownDirectory | Denied::NoDirectory => (BAD, "invalid_request", "Not found"),
        Denied::UnknownClient => (UNAUTHORIZED, "invalid_client", "The OAuth client was not found."),
        Denied::WrongSecret | Denied::ExpiredSecret => {
            (UNAUTHORIZED, "invalid_client", "The provided client secret is invalid.")
        }
        Denied::InvalidGrant => (BAD, "invalid_grant", "Token has been expired or revoked."),
        Denied::InvalidScope | Denied::ScopeNotDefault => {
            (BAD, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        }
        Denied::Malformed => (BAD, "invalid_grant", "Invalid JWT: the assertion must be a signed JWT."),
        Denied::UnknownKey | Denied::BadSignature | Denied::ExpiredKey | Denied::WrongIssuer | Denied::NoFederation => {
            (BAD, "invalid_grant", "Invalid JWT Signature.")
        }
        Denied::WrongAudience => (BAD, "invalid_grant", "Invalid JWT: Failed audience check."),
        Denied::Untimely => (
            BAD,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
             exp values in the JWT claim.",
        ),
        Denied::Replayed => (BAD, "invalid_grant", "Invalid JWT: it was used before."),
        Denied::UnknownServiceAccount => (BAD, "invalid_grant", "Invalid grant: account not found"),
        Denied::NotDelegated => (
            UNAUTHORIZED,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
             scopes requested.",
        ),
        Denied::UnknownSubject => (BAD, "invalid_grant", "Invalid email or User ID"),
        Denied::NotPublic => (UNAUTHORIZED, "invalid_client", "Invalid client type."),
        Denied::Pending => (StatusCode::PRECONDITION_REQUIRED, "authorization_pending", "Precondition Required"),
        Denied::SlowDown => (StatusCode::FORBIDDEN, "slow_down", "Forbidden"),
        Denied::DeviceExpired => (BAD, "expired_token", "Expired"),
        Denied::Declined => (StatusCode::FORBIDDEN, "access_denied", "Forbidden"),
    };
    (status, error, text.to_owned())
}

fn microsoft(denied: Denied) -> (StatusCode, &'static str, u32, String) {
    let (status, error, number, text) = match denied {
        Denied::Missing(name) => {
            let text = format!("The request body must contain the following parameter: '{name}'.");
            return (BAD, "invalid_request", 900_144, text);
        }
        Denied::UnsupportedGrantType => {
            (BAD, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type.")
        }
        Denied::UnknownDirectory => (BAD, "invalid_request", 90_002, "Tenant not found."),
        Denied::NoDirectory => (
            BAD,
            "invalid_request",
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        ),
        Denied::UnknownClient => (BAD, "unauthorized_client", 700_016, "Application was not found in the directory."),
        Denied::WrongSecret => (UNAUTHORIZED, "invalid_client", 7_000_215, "Invalid client secret provided."),
        Denied::ExpiredSecret => {
            (UNAUTHORIZED, "invalid_client", 7_000_222, "The provided client secret keys for app are expired.")
        }
        Denied::InvalidGrant | Denied::UnknownSubject | Denied::NotDelegated => {
            (BAD, "invalid_grant", 50_173, "The provided grant has expired due to it being revoked.")
        }
        Denied::InvalidScope => {
            (BAD, "invalid_scope", 70_011, "The provided value for the input parameter 'scope' is not valid.")
        }
        Denied::ScopeNotDefault => (
            BAD,
            "invalid_scope",
            1_002_012,
            "The provided value for scope is not valid. Client credential flows must have a scope value with /.default \
             suffixed to the resource identifier (application ID URI).",
        ),
        Denied::Malformed => (BAD, "invalid_client", 50_027, "JWT token is invalid or malformed."),
        Denied::UnknownKey | Denied::UnknownServiceAccount => (
            UNAUTHORIZED,
            "invalid_client",
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
             The key was not found.]",
        ),
        Denied::BadSignature => (
            UNAUTHORIZED,
            "invalid_client",
            700_027,
            "Client assertion failed signature validation. [Reason - The key was found, but use of the key to verify the \
             signature failed.]",
        ),
        Denied::ExpiredKey => (
            UNAUTHORIZED,
            "invalid_client",
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key used is expired.]",
        ),
        Denied::WrongAudience => {
            (UNAUTHORIZED, "invalid_client", 700_023, "Client assertion audience claim does not match Realm issuer.")
        }
        Denied::Untimely => {
            (UNAUTHORIZED, "invalid_client", 700_024, "Client assertion is not within its valid time range.")
        }
        Denied::WrongIssuer => (
            UNAUTHORIZED,
            "invalid_client",
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ),
        // Stricter than Microsoft, which asks for a `jti` that is used once and does not say what it does about another.
        Denied::Replayed => (UNAUTHORIZED, "invalid_client", 50_027, "JWT token is invalid: it was used before."),
        Denied::NoFederation => (
            UNAUTHORIZED,
            "invalid_client",
            700_213,
            "No matching federated identity record found for presented assertion subject.",
        ),
        Denied::NotPublic => (
            UNAUTHORIZED,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ),
        Denied::Pending => {
            (BAD, "authorization_pending", 70_016, "OAuth 2.0 device flow error. Authorization is pending.")
        }
        Denied::SlowDown => (BAD, "slow_down", 70_016, "Slow down."),
        Denied::DeviceExpired => (BAD, "expired_token", 70_020, "The provided value for the device code has expired."),
        Denied::Declined => (BAD, "authorization_declined", 70_018, "User declined to sign in."),
    };
    (status, error, number, text.to_owned())
}
