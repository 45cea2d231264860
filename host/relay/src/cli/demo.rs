//! `posthouse demo`: two tenants, simulated providers, real mail through the real relay.
//!
//! Everything is made here and gone afterwards. What is told beforehand is checked afterwards: a
//! message that went otherwise, or a provider that has something else, is a failure.

mod policies;
mod scenes;
mod sender;
mod show;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use posthouse_net::connector::{Connector, Trust};
use posthouse_oauth::secret::Secret;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use self::policies::PolicyFiles;
use self::scenes::{ACME, GLOBEX, PASSWORD, SCENES};
use self::sender::Sender;
use super::run::told_to_end;
use super::terminal::say;
use crate::config::token::{self, Digest};
use crate::config::{from_toml, password};
use crate::relay::Relay;
use crate::simulation::{self, Doors};

/// Everything that runs.
struct Stage {
    simulator: Simulator,
    relay: Relay,
    connector: Connector,
    /// Of the admin address.
    token: Secret,
}

pub(super) fn demo(once: bool) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))?.block_on(play(once))
}

async fn play(once: bool) -> Result<ExitCode, String> {
    let stage = set_up().await?;
    let address = stage.relay.address("submission").ok_or("the relay has no submission listener")?;
    show::title(&stage.simulator, address);
    let (mut as_told, mut accepted) = (true, 0);
    let mut senders = [Sender::new(address, &stage.connector, &ACME), Sender::new(address, &stage.connector, &GLOBEX)];
    for (number, scene) in (1..).zip(SCENES) {
        let sender = &mut senders[usize::from(scene.login.name == GLOBEX.name)];
        let sent = sender.send(scene).await.map_err(|error| format!("{}: {error}", scene.title))?;
        as_told &= show::scene(number, scene, &sent);
        accepted += u64::from(sent.reply.code() == 250);
    }
    as_told &= show::ledger(&stage.simulator, accepted);
    if !once {
        show::invitation(&stage.relay, address, &stage.token);
        told_to_end().await.map_err(|error| format!("cannot wait for signals: {error}"))?;
    }
    stage.relay.stop().await;
    stage.simulator.stop().await;
    if as_told {
        say(if once { "\nAll went as told." } else { "" });
        Ok(ExitCode::SUCCESS)
    } else {
        Err("something went otherwise than told; see above".to_owned())
    }
}

/// Else the account would be left alone after the scene with the quota, and whoever tries the relay by hand would wait;
/// and so would whoever watches the scene with the recipient whom Outlook always has too much to do for.
const REPLIES: &str = "[meaning.daily_quota]\npause = \"none\"\n[meaning.too_many_sessions]\nretry = \"none\"\n";

async fn set_up() -> Result<Stage, String> {
    let acme = Mailbox::new(Provider::Gmail, "mail@acme.example");
    let billing = Mailbox::new(Provider::Outlook, "billing@acme.example");
    let globex = Mailbox::new(Provider::Outlook, "scanner@globex.example");
    let mailboxes = vec![acme.clone(), billing.clone(), globex.clone()];
    let simulator = Simulator::start(Options::new(mailboxes)).await.map_err(|error| error.to_string())?;
    let certificate = simulator.issue_certificate("relay.example.com").map_err(|error| error.to_string())?;
    let anywhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let doors = Doors {
        plain: anywhere,
        starttls: Some((anywhere, &certificate.certificate, &certificate.key)),
        admin: Some(anywhere),
    };
    // The roots are given as a file, as everywhere; it is gone again when it was read.
    let ca = std::env::temp_dir().join(format!("posthouse-demo-{}.pem", std::process::id()));
    std::fs::write(&ca, simulator.ca_pem()).map_err(|error| format!("{}: {error}", ca.display()))?;
    let replies = std::env::temp_dir().join(format!("posthouse-demo-{}-replies.toml", std::process::id()));
    std::fs::write(&replies, REPLIES).map_err(|error| format!("{}: {error}", replies.display()))?;
    let token = token::generate().map_err(|error| format!("the system has no randomness: {error}"))?;
    let main = simulation::main_file(&simulator, &doors, &ca.display().to_string())
        + &format!("[replies]\nfile = \"{}\"\n", replies.display())
        + &operator(&token);
    let hash = password::hash(PASSWORD.as_bytes());
    let files = PolicyFiles::write()?;
    let acme = simulation::login(ACME.name, &hash, &["@acme.example"], "account = \"gmail\"\n")
        + &simulation::account("gmail", &acme, "")
        + &simulation::account("outlook", &billing, "")
        + &files.of_acme();
    let globex = "default_route = \"all\"\n\n[[routes]]\nname = \"all\"\naccounts = [\"outlook\"]\n\n".to_owned()
        + &simulation::login(GLOBEX.name, &hash, &["scanner@globex.example", "alerts@globex.example"], "")
        + &simulation::account("outlook", &globex, "")
        + &files.of_globex();
    let loaded = from_toml(&main, &[("acme", &acme), ("globex", &globex)]);
    let _ = (std::fs::remove_file(&ca), std::fs::remove_file(&replies));
    let Some(config) = &loaded.config else { return Err(loaded.report().to_string()) };
    let relay = Relay::start(config, None).await.map_err(|error| error.to_string())?;
    drop(files);
    if let Some(refused) = relay.refused_policies().first() {
        return Err(refused.clone());
    }
    let connector = Connector::new(&Trust::Pem(simulator.ca_pem().into_bytes())).map_err(|error| error.to_string())?;
    Ok(Stage { simulator, relay, connector, token })
}

/// Whoever has this token may see and change everything.
fn operator(token: &Secret) -> String {
    let hash = Digest::of(token.expose().as_bytes());
    format!("[[admin.tokens]]\nname = \"demo\"\nhash = \"{hash}\"\nscope = \"operator\"\n")
}
