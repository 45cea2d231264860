//! The command line: what can be asked of `posthouse`, and what it exits with.
//!
//! 0: done as asked. 1: it did not work, and standard error says what to do next. 2: the command
//! itself was not understood.

mod account;
mod admin_client;
mod admin_token;
mod check;
mod demo;
mod hash_password;
mod pid_file;
mod policy;
mod reload;
mod run;
mod simulate;
mod status;
mod tenant;
mod terminal;
mod upgrade;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use posthouse_policy::engine::Mode;
use posthouse_policy::worker;

/// What was asked for.
#[derive(Debug, Parser)]
#[command(
    name = "posthouse",
    version,
    about = "An edge SMTP relay to Gmail and Outlook over OAuth2",
    long_about = "An edge SMTP relay: applications, printers and mail servers send to it with plain SMTP AUTH, and it \
                  relays to Gmail and Outlook over OAuth2, synchronously. Its 250 is the provider's 250.",
    after_help = "Begin with `posthouse demo`: it needs nothing and shows everything.\n\
                  Then copy configs/minimal.toml, and `posthouse check --config FILE` until it is content.",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Relay mail as the configuration says, until SIGTERM or ^C
    Run(run::Options),
    /// Let a new process of the program file take the place of the one that relays; no message is cut, and no connection
    /// refused
    Upgrade(upgrade::Options),
    /// Read the configuration, say everything that is wrong with it, and run nothing
    Check {
        /// The configuration file
        #[arg(long, short, default_value = "/etc/posthouse/posthouse.toml", env = "POSTHOUSE_CONFIG")]
        config: PathBuf,
    },
    /// Show the relay at work: simulated providers, two tenants, real mail; needs no configuration
    Demo {
        /// End after the show, with status 0 only if all went as told
        #[arg(long)]
        once: bool,
    },
    /// Be a Gmail and an Outlook, with token endpoint, limits and latency, to test and measure against
    Simulate(simulate::Options),
    /// Make the Argon2id hash of a password for a login, read from standard input
    HashPassword,
    /// Get consent for a mailbox, import accounts, find out why one does not work
    #[command(subcommand)]
    Account(account::Command),
    /// Show how a running relay stands; on a terminal alive, until ^C
    Status(status::Options),
    /// Have a running relay read its configuration anew; 1 if it is refused, in whole or in part
    Reload(reload::Options),
    /// List, show, pause and resume the tenants of a running relay, and their accounts
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Make a token for the admin API, and the lines that configure it
    AdminToken(admin_token::Options),
    /// Write, build and try policies: what decides on a tenant's mail
    #[command(subcommand)]
    Policy(policy::Command),
    /// Compile a policy from standard input to standard output; run by the relay itself
    #[command(hide = true)]
    CompileWorker {
        /// What is compiled for: fast or metered
        mode: String,
    },
}

/// Does what the command line asks.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Upgrade(options) => upgrade::upgrade(&options),
        Command::Check { config } => check::check(&config),
        Command::Demo { once } => demo::demo(once),
        Command::Simulate(options) => simulate::simulate(&options),
        Command::HashPassword => hash_password::hash_password(),
        Command::Account(command) => account::account(&command),
        Command::Status(options) => asking(status::status(&options)),
        Command::Reload(options) => asking(reload::reload(&options)),
        Command::Tenant(command) => asking(tenant::tenant(&command)),
        Command::AdminToken(options) => admin_token::admin_token(&options),
        Command::Policy(command) => policy::policy(&command),
        Command::CompileWorker { mode } => compile_worker(&mode),
    };
    outcome.unwrap_or_else(|message| {
        terminal::complain(&message);
        ExitCode::FAILURE
    })
}

fn asking(work: impl Future<Output = Result<ExitCode, String>>) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))?.block_on(work)
}

fn compile_worker(mode: &str) -> Result<ExitCode, String> {
    let mode = Mode::named(mode).ok_or_else(|| format!("there is no mode `{mode}`; fast and metered are"))?;
    Ok(worker::run(mode))
}
