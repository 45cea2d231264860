//! `posthouse account test`: the way that mail goes, step by step, and what to do where it ends.
//!
//! It may run beside a relay, whose store it leaves alone: what the configuration says is tried, and nothing is kept.

mod interface;
mod login;
mod message;
mod network;
mod steps;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use posthouse_oauth::client::Client;
use posthouse_upstream::transport::Transport;

use super::found;
use crate::account::Surroundings;
use crate::budget::Books;
use crate::cli::terminal::{Style, say, styled};
use crate::config::account::{Account, Grant};

use interface::Sending;
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
    let sending = if options.send { Sending::Message } else { Sending::Nothing };
    match account.provider.transport {
        Transport::Smtp => submitted(account, &around, sending, &mut steps).await,
        Transport::Graph | Transport::GmailApi => interface::tested(account, &around, sending, &mut steps).await,
    }
    if steps.failed() {
        say(&format!("\n{}", styled(Style::Bad, "No mail goes through this account until that is mended.")));
        return Ok(ExitCode::FAILURE);
    }
    let end = if options.send { "A message to itself was taken." } else { "With --send, a message to itself is sent." };
    say(&format!("\n{} {end}", styled(Style::Good, "The account can send.")));
    Ok(ExitCode::SUCCESS)
}

/// The way of mail by SMTP.
async fn submitted(account: &Account, around: &Surroundings<'_>, sending: Sending, steps: &mut Steps) {
    let connection = network::opened(account, around, steps).await;
    let secret = token::obtained(account, around, steps).await;
    let session = login::made(account, connection, secret, steps).await;
    match (sending, session) {
        (Sending::Message, session) => message::sent(account, around, session, steps).await,
        (Sending::Nothing, Some(session)) => session.quit().await,
        (Sending::Nothing, None) => {}
    }
}

fn described(account: &Account) -> String {
    let provider = &account.provider;
    let with = match &account.grant {
        Grant::None => "without a login".to_owned(),
        grant => format!("with {}", kind(grant).replace('_', " ")),
    };
    let user =
        if account.user == account.address.to_string() { String::new() } else { format!(" as {}", account.user) };
    let by = match provider.transport {
        Transport::Smtp => String::new(),
        other => format!(" by {}", other.word()),
    };
    format!("{} at {}:{} ({}){by}, {with}{user}", account.address, provider.host, provider.port, provider.name)
}
