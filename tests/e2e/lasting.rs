//! Accounts that do not die silently: what ends is told before, what has ended is told at once, and a new consent heals
//! without a restart.

mod alerts;
mod certificates;
mod consents;
mod crowds;
mod ends;
mod logged;
mod receiver;
mod renamed;
mod webhook;

use serde_json::Value;

use crate::admin::http::{Answer, Ask};
use crate::admin::operated::{OPERATOR, Operated};

/// Brings a refresh token for an account of `acme`.
pub(crate) async fn give_consent(relay: &Operated, id: &str, token: &str) -> Answer {
    let body = format!("{{\"refresh_token\":\"{token}\"}}");
    let ask = Ask::post(&format!("/v1/tenants/acme/accounts/{id}/consent")).token(OPERATOR);
    relay.ask(&ask.json(&body)).await
}

/// How the account of `acme` stands, by the API.
pub(crate) async fn account(relay: &Operated, id: &str) -> Value {
    let accounts = relay.get("/v1/tenants/acme/accounts", OPERATOR).await.done();
    let found = accounts["accounts"].as_array().expect("accounts").iter().find(|account| account["id"] == id);
    found.unwrap_or_else(|| panic!("there is no {id} in {accounts}")).clone()
}

/// Waits until the account is in this state.
pub(crate) async fn until_state(relay: &Operated, id: &str, name: &str) -> Value {
    let waiting = async {
        loop {
            let found = account(relay, id).await;
            if found["state"]["name"] == name {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    // A provider that has refused a consent is asked again after half a minute.
    let waited = tokio::time::timeout(std::time::Duration::from_secs(50), waiting).await;
    waited.unwrap_or_else(|_| panic!("{id} does not come to {name}"))
}
