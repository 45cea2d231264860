//! `posthouse account test`: the way that mail goes, step by step, and what to do where it ends.
//!
//! It may run beside a relay, whose store it leaves alone: what the configuration says is tried, and nothing is kept.

mod login;
mod message;
mod network;
mod steps;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use posthouse_oauth::client::Client;

use super::found;
use crate::account::Surroundings;
use crate::budget::Books;
use crate::cli::terminal::{Style, say, styled};
use crate::config::account::{Account, Grant};

use steps::{Steps, kind};

/// Which account, and how far.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The account, as TENANT/ID
    account: String,
    /// The configuration file
    #[arg(long, short, default_value = "/etc/posthouse/posthouse.toml", env = "POSTHOUSE_CONFIG")]
    config: PathBuf,
    /// Send a message to the mailbox itself
    #[arg(long)]
    send: bool,
}

pub(super) async fn test(options: &Options) -> Result<ExitCode, String> {
    let config = found::config(&options.config)?;
    let account = found::account(&config, &options.account)?;
    let around = Surroundings {
        hostname: &config.hostname,
        connect: config.timeouts.connect,
        session_wait: config.timeouts.session_wait,
        store: None,
        tokens: Client::new(None).map_err(|error| error.to_string())?,
        books: Books::of(None),
    };
    say(&format!("{}: {}\n", styled(Style::Strong, &options.account), described(account)));
    let mut steps = Steps::new(account);
    let connection = network::opened(account, &around, &mut steps).await;
    let secret = token::obtained(account, &around, &mut steps).await;
    let session = login::made(account, connection, secret, &mut steps).await;
    if options.send {
        message::sent(account, &around, session, &mut steps).await;
    } else if let Some(session) = session {
        session.quit().await;
    }
    if steps.failed() {
        say(&format!("\n{}", styled(Style::Bad, "No mail goes through this account until that is mended.")));
        return Ok(ExitCode::FAILURE);
    }
    let end = if options.send { "A message to itself was taken." } else { "With --send, a message to itself is sent." };
    say(&format!("\n{} {end}", styled(Style::Good, "The account can send.")));
    Ok(ExitCode::SUCCESS)
}

fn described(account: &Account) -> String {
    let provider = &account.provider;
    let with = match &account.grant {
        Grant::None => "without a login".to_owned(),
        grant => format!("with {}", kind(grant).replace('_', " ")),
    };
    let user =
        if account.user == account.address.to_string() { String::new() } else { format!(" as {}", account.user) };
    format!("{} at {}:{} ({}), {with}{user}", account.address, provider.host, provider.port, provider.name)
}
