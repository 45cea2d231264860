//! `POST /v1/tenants/{tenant}/accounts/{account}/consent`: a mailbox owner's new consent, for an account that lives on
//! refresh tokens. Operators only: whoever gives a consent says which mailbox a tenant's mail leaves through.

use axum::Json;
use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;
use posthouse_oauth::secret::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Caller;
use super::failure::{Failure, shown};
use super::{Admin, body};
use crate::account::NotRenewed;
use crate::control::consenting::NotConsented;
use crate::pauses::Subject;

/// The longest refresh token; Microsoft's have some 1,500 octets.
const LONGEST: usize = 16 * 1024;

/// What a consent is given with. (Nothing shows it: there is no `Debug`.)
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    refresh_token: String,
}

pub(super) async fn give(
    State(admin): State<Admin>,
    caller: Caller,
    params: RawPathParams,
    body::Json(given): body::Json<Given>,
) -> Result<Json<Value>, Failure> {
    let token = Secret::new(given.refresh_token);
    let is_token = |token: &str| (1..=LONGEST).contains(&token.len()) && token.bytes().all(|it| it.is_ascii_graphic());
    if !is_token(token.expose()) {
        let next = "send the token as the provider's token endpoint has issued it";
        return Err(Failure::unfit("`refresh_token` is no refresh token", next));
    }
    let piece = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map_or("", |(_, id)| id).to_owned();
    let subject = Subject { tenant: piece("tenant"), account: Some(piece("account")) };
    let given = admin.control.consent(caller.actor(), subject, token).await?;
    given.map(|state| Json(json!({ "state": state }))).map_err(not_given)
}

fn not_given(error: NotConsented) -> Failure {
    let message = error.to_string();
    match error {
        NotConsented::NoTenant(tenant) => {
            Failure::not_found(format!("there is no tenant {}", shown(&tenant)), "GET /v1/tenants lists them")
        }
        NotConsented::NoAccount { tenant, account } => {
            let error = format!("tenant {tenant} has no account {}", shown(&account));
            Failure::not_found(error, format!("GET /v1/tenants/{tenant}/accounts lists them"))
        }
        NotConsented::Account(NotRenewed::NoConsent) => {
            Failure::new(StatusCode::CONFLICT, message, "its configured grant says what it logs in with")
        }
        NotConsented::Account(NotRenewed::Refused(error)) if error.is_permanent() => Failure::unfit(
            message,
            "the old consent stays; ask for another one, for the application that is configured",
        ),
        NotConsented::Account(NotRenewed::Refused(_)) => {
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message, "the old consent stays; send it again later")
        }
        NotConsented::Account(NotRenewed::NotKept(_)) => {
            let next = "mend the state directory, then send it again; until then it is lost with this process";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message, next)
        }
    }
}
