//! `posthouse account`: what an operator does with a mailbox before mail flows, and when it does not.
//!
//! But for a login's refresh token nothing here talks to a running relay. Secrets go into its store, or into files that
//! only their owner can read, and are never shown.

mod advice;
mod found;
mod import;
mod login;
mod private;
mod test;

use std::future::Future;
use std::process::ExitCode;

use clap::Subcommand;

const LOGIN: &str = "\
Examples:
  posthouse account login acme/box --config /etc/posthouse/posthouse.toml --token-file operator-token
  posthouse account login --provider outlook --client-id ID --address box@example.org --file secrets/box-refresh-token
  posthouse account login --provider gmail --client-id ID --client-secret-file secrets/client-secret \\
    --address box@example.com --file secrets/box-refresh-token

An account of the configuration is asked for as it is configured there. Its refresh token goes to the relay that runs \
(with an operator's token), which uses it at once; while none runs it goes into the store (as the user that the relay \
runs as). It takes the place of the configured `refresh_token`, if there is one, until that is changed.

Microsoft is asked by a code that is typed in at any browser (with --browser as Google). Google is asked in a browser \
on this machine: from another one, forward the port that the link names (`ssh -L PORT:127.0.0.1:PORT`), and give it \
with --port. The application has to allow it: a desktop application at Google; at Microsoft a public client (\"Allow \
public client flows\"), or for --browser the redirect URI http://localhost of a mobile or desktop application.";

const IMPORT: &str = "\
Reads accounts.json of the older proxy (a list, an object with `accounts`, or an object of accounts by id), or CSV with \
the same names in its first line, and writes a tenant's file and its secrets. Nothing that exists is overwritten. Says \
of each field what became of it.";

const TEST: &str = "\
Goes the way that mail goes, step by step: the name, the connection, TLS, EHLO, the token, what it is good for, the \
login, and with --send one message to the mailbox itself. What fails is told with its cause and the next thing to do. \
Exits with 0 only if all went well.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Get a mailbox owner's consent, and keep the refresh token: in the relay, its store, or a file
    #[command(after_help = LOGIN)]
    Login(login::Options),
    /// Make a tenant's file out of the older proxy's accounts.json, or of CSV
    #[command(after_help = IMPORT)]
    Import(import::Options),
    /// Find out why an account does not work, or that it does
    #[command(after_help = TEST)]
    Test(test::Options),
}

pub(super) fn account(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Login(options) => to_its_end(login::login(options)),
        Command::Import(options) => import::import(options),
        Command::Test(options) => to_its_end(test::test(options)),
    }
}

fn to_its_end(work: impl Future<Output = Result<ExitCode, String>>) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))?.block_on(work)
}
