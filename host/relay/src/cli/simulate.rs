//! `posthouse simulate`: a Gmail and an Outlook on loopback, and the configuration of a relay in
//! front of them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options as Simulated;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use super::run::told_to_end;
use super::terminal::{Style, say, styled};
use crate::config::password;
use crate::simulation::{self, Doors};

/// What to be.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Where the CA and a relay's configuration are written to (made if it is not there)
    #[arg(long, default_value = "posthouse-simulation")]
    directory: PathBuf,
    /// Mailboxes at Gmail: g0@load.example, g1@load.example, ...
    #[arg(long, default_value_t = 2)]
    gmail: usize,
    /// Mailboxes at Outlook: o0@load.example, o1@load.example, ...
    #[arg(long, default_value_t = 2)]
    outlook: usize,
    /// How long each reply is on its way, in milliseconds; commands that come together are answered together
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Measure against it: no quotas, no limits on connections, messages are counted and not kept
    #[arg(long)]
    load: bool,
    /// Where the relay of the written configuration is to listen
    #[arg(long, default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// How long access tokens live, in seconds
    #[arg(long, default_value_t = 3599)]
    token_lifetime: u64,
}

pub(super) fn simulate(options: &Options) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))?.block_on(serve(options))
}

async fn serve(options: &Options) -> Result<ExitCode, String> {
    let mailboxes = mailboxes(options);
    let mut simulated =
        if options.load { Simulated::for_load(mailboxes.clone()) } else { Simulated::new(mailboxes.clone()) };
    for provider in Provider::ALL {
        let side = simulated.provider_mut(provider);
        side.latency = Duration::from_millis(options.latency);
        side.token_lifetime = Duration::from_secs(options.token_lifetime);
    }
    let simulator = Simulator::start(simulated).await.map_err(|error| error.to_string())?;
    write(&simulator, &mailboxes, options)
        .map_err(|error| format!("{} cannot be written: {error}", options.directory.display()))?;
    show(&simulator, options);
    told_to_end().await.map_err(|error| format!("cannot wait for signals: {error}"))?;
    for provider in Provider::ALL {
        let counters = simulator.ledger().counters(provider);
        let (messages, connections, logins) = (counters.messages, counters.connections, counters.logins);
        say(&format!("{provider:?}: {messages} messages, {connections} connections, {logins} logins"));
    }
    Ok(ExitCode::SUCCESS)
}

fn mailboxes(options: &Options) -> Vec<Mailbox> {
    let named = |provider, letter: char, count: usize| {
        (0..count).map(move |number| Mailbox::new(provider, format!("{letter}{number}@load.example")))
    };
    named(Provider::Gmail, 'g', options.gmail).chain(named(Provider::Outlook, 'o', options.outlook)).collect()
}

/// The CA, the main file, and one tenant whose login `load` may send as every mailbox.
fn write(simulator: &Simulator, mailboxes: &[Mailbox], options: &Options) -> std::io::Result<()> {
    let tenants = options.directory.join("tenants");
    fs::create_dir_all(&tenants)?;
    fs::write(options.directory.join("ca.pem"), simulator.ca_pem())?;
    let admin = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), options.listen.port().wrapping_add(1));
    let doors = Doors { plain: options.listen, starttls: None, admin: Some(admin) };
    fs::write(options.directory.join("posthouse.toml"), simulation::main_file(simulator, &doors, "ca.pem"))?;
    let mut tenant = simulation::login("load", &password::hash(b"load"), &["@load.example"], "");
    for mailbox in mailboxes {
        let id = mailbox.address.split('@').next().unwrap_or_default();
        tenant.push_str(&simulation::account(id, mailbox, ""));
    }
    fs::write(tenants.join("load.toml"), tenant)
}

/// What is spoken over HTTP, as `transport` has it.
fn interface(provider: Provider) -> &'static str {
    match provider {
        Provider::Gmail => "Gmail API",
        Provider::Outlook => "Graph",
    }
}

fn show(simulator: &Simulator, options: &Options) {
    say(&styled(Style::Strong, "Simulated providers"));
    for provider in Provider::ALL {
        let (implicit, starttls) = (simulator.implicit_address(provider), simulator.starttls_address(provider));
        let (api, interface) = (simulator.api_address(provider), interface(provider));
        say(&format!("  {:<8} {implicit} TLS, {starttls} STARTTLS, {api} {interface}", format!("{provider:?}")));
    }
    say(&format!("  tokens   {}", simulator.token_url(Provider::Gmail, None)));
    let configuration = Path::new(&options.directory).join("posthouse.toml");
    say(&format!("\nA relay in front of them:\n  posthouse run --config {}", configuration.display()));
    say(&format!(
        "Mail through it:\n  swaks --server {} --auth PLAIN --auth-user load --auth-password load \
         --from g0@load.example --to you@example.org",
        options.listen
    ));
    say("\n^C ends it.");
}
