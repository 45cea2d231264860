//! Where the refresh token of a configured account goes: to the relay that runs, or into its store while none does.

use std::process::ExitCode;
use std::sync::Arc;

use posthouse_oauth::secret::Secret;
use posthouse_store::error::Error as StoreError;
use posthouse_store::store::Store;
use serde_json::json;

use crate::account::keep_consent;
use crate::cli::admin_client::{AdminClient, Reach, piece};
use crate::cli::terminal::{Style, say, styled};
use crate::config::Config;
use crate::config::account::Account;
use crate::state::{self, StateError};

const OTHERWISE: &str = "or write a file with --file";

/// A way that was open when it was looked at.
pub(super) struct Keeping {
    tenant: String,
    way: Way,
}

enum Way {
    /// The relay takes it at its admin address.
    Relay(Box<AdminClient>, String),
    /// Nobody has the store.
    Store,
}

impl Keeping {
    /// The way for an account, by `TENANT/ID`.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn of(name: &str, config: &Config, reach: &Reach) -> Result<Self, String> {
        let (tenant, id) = name.split_once('/').unwrap_or((name, ""));
        let at = format!("/v1/tenants/{}/accounts", piece(tenant));
        let refused = match AdminClient::new(reach) {
            Ok(client) => match client.get(&at).await {
                Ok(_) => {
                    let way = Way::Relay(Box::new(client), format!("{at}/{}/consent", piece(id)));
                    return Ok(Self { tenant: tenant.to_owned(), way });
                }
                Err(failed) => String::from(failed),
            },
            Err(message) => message,
        };
        match open(config) {
            Ok(store) => {
                drop(store);
                Ok(Self { tenant: tenant.to_owned(), way: Way::Store })
            }
            Err(NotOpen::InUse) => Err(format!(
                "a relay has the store open, and takes refresh tokens at its admin address only: {refused}; {OTHERWISE}"
            )),
            Err(NotOpen::Otherwise(reason)) => Err(format!("{reason}; {OTHERWISE}")),
        }
    }

    pub(super) async fn keep(self, account: &Account, config: &Config, token: &Secret) -> Result<ExitCode, String> {
        let done = styled(Style::Good, "Done.");
        match self.way {
            Way::Relay(client, path) => {
                let answer = client.post(&path, Some(json!({ "refresh_token": token.expose() }))).await?;
                let state = answer["state"]["name"].as_str().unwrap_or("unknown").replace('_', " ");
                say(&format!(
                    "\n{done} The relay uses the new refresh token, and has kept it: account {} is {state}.",
                    account.id
                ));
            }
            Way::Store => {
                let store = open(config).map_err(|error| match error {
                    NotOpen::InUse => {
                        "a relay was started meanwhile and has the store: run this again, with its operator's token \
                         (--token-file)"
                            .to_owned()
                    }
                    NotOpen::Otherwise(reason) => reason,
                })?;
                keep_consent(&store, &self.tenant, account, token).map_err(|error| error.to_string())?;
                say(&format!(
                    "\n{done} The refresh token is in {}; the relay uses it when it is started.",
                    store.path().display()
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

enum NotOpen {
    InUse,
    Otherwise(String),
}

/// The store of a relay that does not run.
fn open(config: &Config) -> Result<Arc<Store>, NotOpen> {
    match state::open(config) {
        Ok(Some(store)) => Ok(store),
        Ok(None) => {
            let reason = "the configuration has no `state_directory`, or it is not there: no relay could keep a token";
            Err(NotOpen::Otherwise(reason.to_owned()))
        }
        Err(StateError::Store(StoreError::InUse { .. })) => Err(NotOpen::InUse),
        Err(error) => Err(NotOpen::Otherwise(error.to_string())),
    }
}
