//! A relay with two tenants that is operated by its admin API, and everybody's tokens.

use std::net::SocketAddr;

use posthouse_relay::config::token::Digest;
use posthouse_relay::simulation;

use super::http::{Answer, Ask};
use crate::files::Files;

pub(crate) const OPERATOR: &str = "posthouse_of-the-operator";
pub(crate) const WATCHER: &str = "posthouse_of-who-only-reads";
pub(crate) const ACME: &str = "posthouse_of-acme";
pub(crate) const ACME_WATCHER: &str = "posthouse_of-acme-which-only-reads";
pub(crate) const GLOBEX: &str = "posthouse_of-globex";
pub(crate) const NOBODYS: &str = "posthouse_of-nobody";

/// The relay, from the outside.
pub(crate) struct Operated {
    pub(crate) files: Files,
    pub(crate) address: SocketAddr,
}

fn hash(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

/// `[admin]` with these lines, and the operators' tokens.
pub(crate) fn admin(more: &str) -> String {
    let token = |name: &str, token: &str, scope: &str| {
        format!("[[admin.tokens]]\nname = \"{name}\"\nhash = \"{}\"\nscope = \"{scope}\"\n", hash(token))
    };
    format!("[admin]\nlisten = \"127.0.0.1:0\"\n{more}\n")
        + &token("ops", OPERATOR, "operator")
        + &token("watcher", WATCHER, "read")
}

/// The token of a tenant.
pub(crate) fn token(name: &str, token: &str, more: &str) -> String {
    format!("[[tokens]]\nname = \"{name}\"\nhash = \"{}\"\n{more}\n", hash(token))
}

impl Operated {
    /// Tenants `acme`, with the accounts `gmail` and `outlook` in this order, and `globex`, with one; generation 2.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// The same with these lines in `[admin]`.
    pub(crate) async fn with(more: &str) -> Self {
        let files = Files::operated(&admin(more), "").await;
        files.write("tenants/acme.toml", &acme(&files));
        let globex = simulation::login("other", &files.hash, &["@globex.example"], "account = \"gmail\"\n")
            + &simulation::account("gmail", &files.mailboxes[2], "")
            + &token("globex-app", GLOBEX, "");
        let report = files.change("tenants/globex.toml", &globex).await;
        assert_eq!(report.generation, 2, "{report}");
        let address = files.relay.admin_address().expect("an admin address");
        Self { files, address }
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        ask.send(self.address).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask(&Ask::get(path).token(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str) -> Answer {
        self.ask(&Ask::post(path).token(token)).await
    }

    /// Pauses what is at the path, for the reason `moving house`.
    pub(crate) async fn pause(&self, path: &str, token: &str) -> Answer {
        self.ask(&Ask::post(&format!("{path}/pause")).token(token).json("{\"reason\":\"moving house\"}")).await
    }
}

/// The file of `acme`.
pub(crate) fn acme(files: &Files) -> String {
    let more = simulation::account("outlook", &files.mailboxes[1], "")
        + &token("acme-app", ACME, "")
        + &token("acme-watcher", ACME_WATCHER, "read_only = true");
    files.acme(&more).replace("accounts = [\"gmail\"]", "accounts = [\"gmail\", \"outlook\"]")
}
