//! The `posthouse` command, run from outside; and configurations on disk for it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use posthouse_relay::config::password;
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::simulator::Simulator;
use tokio::process::{Child, Command};

/// What a command said, and whether it was content.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) ok: bool,
}

/// A directory of its own.
pub(crate) fn directory() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("posthouse-e2e-command-{}-{number}", std::process::id()));
    fs::create_dir_all(&path).expect("the temporary directory can be written");
    path
}

/// A main file in front of these providers, which trusts these roots, and the tenant `acme` with this text besides a login.
pub(crate) fn configuration(simulator: &Simulator, ca_pem: &str, acme: &str) -> PathBuf {
    let directory = directory();
    let write = |name: &str, text: &str| fs::write(directory.join(name), text).expect("a file can be written");
    fs::create_dir_all(directory.join("tenants")).expect("a directory can be made");
    write("ca.pem", ca_pem);
    let anywhere: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let doors = Doors { plain: anywhere, starttls: None, admin: None };
    write("posthouse.toml", &simulation::main_file(simulator, &doors, "ca.pem"));
    let login = simulation::login("app", &password::hash(b"secret"), &["@acme.example"], "");
    write("tenants/acme.toml", &(login + acme));
    directory
}

/// The command, not yet run.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse-under-test"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_remove("POSTHOUSE_CONFIG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The command's own end.
pub(crate) async fn run(directory: &Path, arguments: &[&str]) -> Said {
    let output = command(directory, arguments).output().await.expect("the command runs");
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("the command writes text");
    Said { out: text(output.stdout), err: text(output.stderr), ok: output.status.success() }
}

/// The command, running; its output can be read.
pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Child {
    let mut command = command(directory, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs")
}
