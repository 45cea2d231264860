//! The programs under measurement: Posthouse, and HAProxy as a plain TCP pass-through to the same
//! TLS provider.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthouse_relay::config::password;
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::provider::Provider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client::Proof;
use crate::drive::Sender;
use crate::process::Process;
use crate::report::say;
use crate::world::{World, free_port};

/// How long a program may take to listen; a relay may have a thousand policies to compile first.
const PATIENCE: Duration = Duration::from_mins(5);

/// A program under measurement.
pub(crate) struct Peer {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Its admin address, where it has one.
    pub(crate) admin: Option<SocketAddr>,
    /// What it has written.
    pub(crate) log: PathBuf,
}

impl Peer {
    /// Shows the first of the messages that the relay has not delivered, by its log.
    pub(crate) fn tell_refusals(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("not delivered")).take(3).for_each(|line| say(&format!("    {line}")));
    }
}

/// The operator's token of relays that have an admin address.
pub(crate) const TOKEN: &str = "posthouse_of-the-load-test-and-of-nothing-else-0";

/// What differs from the usual relay.
#[derive(Debug, Default)]
pub(crate) struct Surroundings<'a> {
    /// Lines of `[policy]` of its tenant.
    pub(crate) policy: &'a str,
    /// Lines of a listener with a certificate.
    pub(crate) certificate: Option<&'a str>,
    /// Whether it has an admin address.
    pub(crate) has_admin: bool,
    /// Lines of each of its accounts.
    pub(crate) of_accounts: &'a str,
}

/// The relay, from its release build; `level` is its log's: `info` writes a line a message.
pub(crate) async fn posthouse(world: &World, sessions: usize, level: &str) -> io::Result<Peer> {
    posthouse_with(world, sessions, level, "", &[]).await
}

/// The same with lines of `[policy]` of its tenant, and with further tenants by name. Compiled policies are kept for
/// all relays of the world.
pub(crate) async fn posthouse_with(
    world: &World,
    sessions: usize,
    level: &str,
    policy: &str,
    others: &[(String, String)],
) -> io::Result<Peer> {
    posthouse_in(world, sessions, level, &Surroundings { policy, ..Surroundings::default() }, others).await
}

/// The same in these surroundings.
pub(crate) async fn posthouse_in(
    world: &World,
    sessions: usize,
    level: &str,
    around: &Surroundings<'_>,
    others: &[(String, String)],
) -> io::Result<Peer> {
    let address = free_port()?;
    let admin = around.has_admin.then(free_port).transpose()?;
    let doors = Doors { plain: address, starttls: None, admin };
    let (tenants, state) = (world.directory.join("tenants"), world.directory.join("state"));
    let _ = std::fs::remove_dir_all(&tenants);
    std::fs::create_dir_all(&tenants)?;
    std::fs::create_dir_all(&state)?;
    let main = simulation::main_file(&world.simulator, &doors, "ca.pem")
        .replace("[limits]\n", &format!("[log]\nlevel = \"{level}\"\n\n[limits]\nmessage_size = \"150 MiB\"\n"));
    let configuration = world.directory.join("posthouse.toml");
    let digest = posthouse_relay::config::token::Digest::of(TOKEN.as_bytes());
    let token = format!("[[admin.tokens]]\nname = \"load\"\nhash = \"{digest}\"\nscope = \"operator\"\n");
    let more = format!("{}{}", around.certificate.unwrap_or_default(), if around.has_admin { &*token } else { "" });
    std::fs::write(&configuration, format!("state_directory = \"{}\"\n{main}{more}", state.display()))?;
    let mut tenant = simulation::login("load", &password::hash(b"load"), &["@load.example"], "");
    for mailbox in &world.mailboxes {
        let id = mailbox.address.split('@').next().unwrap_or_default();
        // Counted as an operator's are, and never full.
        let budgets = "recipients_per_day = 4000000000\nmessages_per_day = 4000000000\n";
        let more = format!("sessions = {sessions}\nmessages_per_session = 1000000\n{budgets}{}", around.of_accounts);
        tenant.push_str(&simulation::account(id, mailbox, &more));
    }
    std::fs::write(tenants.join("load.toml"), tenant + around.policy)?;
    for (name, text) in others {
        std::fs::write(tenants.join(format!("{name}.toml")), text)?;
    }
    let program = std::env::var("POSTHOUSE").unwrap_or_else(|_| "target/release/posthouse".to_owned());
    let arguments = ["run", "--config", &configuration.display().to_string()];
    Ok(Peer { admin, ..start(Path::new(&program), &arguments, world, address).await? })
}

/// The same with two accounts and no policy.
pub(crate) fn tenant_with_two(name: &str, hash: &str) -> (String, String) {
    let mailbox = Mailbox::new(Provider::Outlook, format!("second@{name}.example"));
    let (name, text) = tenant(name, hash, "");
    (name, text + &simulation::account("second", &mailbox, ""))
}

/// A tenant with a login and an account of its own name, and these lines of `[policy]`.
pub(crate) fn tenant(name: &str, hash: &str, policy: &str) -> (String, String) {
    let mailbox = Mailbox::new(Provider::Gmail, format!("box@{name}.example"));
    let login = simulation::login(name, hash, &[&format!("@{name}.example")], "");
    let budgets = "recipients_per_day = 4000000000\nmessages_per_day = 4000000000\n";
    (name.to_owned(), login + &simulation::account("box", &mailbox, budgets) + policy)
}

/// HAProxy, where it is installed.
pub(crate) async fn haproxy(world: &World) -> io::Result<Option<Peer>> {
    let program =
        ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].into_iter().map(Path::new).find(|path| path.exists());
    let Some(program) = program else { return Ok(None) };
    let address = free_port()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let text = include_str!("haproxy.cfg")
        .replace("@THREADS@", &threads.to_string())
        .replace("@LISTEN@", &address.to_string())
        .replace("@PROVIDER@", &world.simulator.implicit_address(Provider::Gmail).to_string())
        .replace("@CA_FILE@", &world.directory.join("ca.pem").display().to_string())
        .replace("@NAME@", Provider::Gmail.hostname());
    let configuration = world.directory.join("haproxy.cfg");
    std::fs::write(&configuration, text)?;
    start(program, &["-db", "-f", &configuration.display().to_string()], world, address).await.map(Some)
}

async fn start(program: &Path, arguments: &[&str], world: &World, address: SocketAddr) -> io::Result<Peer> {
    // Not beside the configuration: the relay watches that directory, and would hear of each line.
    let log = world.logs().join(format!("{}.log", address.port()));
    let process = Process::start(program, arguments, &log)?;
    let mut waited = Duration::ZERO;
    while TcpStream::connect(address).await.is_err() {
        if waited > PATIENCE {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(io::Error::other(format!("{} does not listen: {said}", program.display())));
        }
        sleep(Duration::from_millis(50)).await;
        waited += Duration::from_millis(50);
    }
    Ok(Peer { process, address, admin: None, log })
}

/// Clients of the relay: so many connections, spread over the mailboxes.
pub(crate) fn clients_of_posthouse(world: &World, connections: usize) -> Vec<Sender> {
    let proof = Proof::Plain { login: "load".to_owned(), password: "load".to_owned() };
    let mailboxes = world.mailboxes.iter().cycle().take(connections);
    mailboxes.map(|mailbox| Sender { proof: proof.clone(), address: mailbox.address.clone() }).collect()
}

/// Clients of the pass-through: they speak XOAUTH2 to the provider themselves.
pub(crate) async fn clients_of_haproxy(world: &World, connections: usize) -> io::Result<Vec<Sender>> {
    let mut senders = Vec::new();
    for mailbox in world.mailboxes.iter().cycle().take(connections) {
        let proof = Proof::Token { mailbox: mailbox.address.clone(), token: token(world, mailbox).await? };
        senders.push(Sender { proof, address: mailbox.address.clone() });
    }
    Ok(senders)
}

/// A token from the simulated endpoint, by the plainest of requests.
async fn token(world: &World, mailbox: &Mailbox) -> io::Result<String> {
    let body = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        mailbox.client_id,
        mailbox.client_secret.as_deref().unwrap_or_default(),
        mailbox.refresh_token.replace('@', "%40")
    );
    let address = world.simulator.token_address();
    let mut stream = TcpStream::connect(address).await?;
    let head = "content-type: application/x-www-form-urlencoded\r\nconnection: close";
    let request = format!(
        "POST /google/token HTTP/1.1\r\nhost: {address}\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let token = answer.split("\"access_token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    token.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no token: {answer}")))
}
