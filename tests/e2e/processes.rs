//! Relays in processes of their own, as an operator starts them: the real command, files, signals.
//!
//! A process that has taken another one's place is nobody's child when that ends: this process inherits it, so that its
//! exit status is seen as well.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use posthouse_relay::config::password;
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::post::unique;

/// Longer than anything that is to happen; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often what cannot be waited for is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_posthouse-under-test");

/// A host with a relay's files and program, and the providers behind it.
pub(crate) struct Host {
    pub(crate) simulator: Simulator,
    pub(crate) directory: PathBuf,
}

/// A relay that was started there, and whoever took its place: they share standard output.
pub(crate) struct Service {
    said: Arc<Mutex<Vec<String>>>,
    pub(crate) process: u32,
}

impl Host {
    /// The tenant `acme`, whose login `app` sends as anybody@acme.example through Gmail and as box@acme.example through
    /// Outlook; the listener `plain` at this address. `more` ends the main file.
    pub(crate) async fn new(plain: SocketAddr, admin: Option<SocketAddr>, more: &str) -> Self {
        Self::before(plain, admin, more, |_| {}).await
    }

    /// The same, before providers that are otherwise.
    pub(crate) async fn before(
        plain: SocketAddr,
        admin: Option<SocketAddr>,
        more: &str,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        inherit_orphans();
        let gmail = Mailbox::new(Provider::Gmail, "mail@acme.example");
        let outlook = Mailbox::new(Provider::Outlook, "box@acme.example");
        let mut options = Options::new(vec![gmail.clone(), outlook.clone()]);
        options.gmail.limits = Limits::without_quotas(Provider::Gmail);
        options.outlook.limits = Limits::without_quotas(Provider::Outlook);
        change(&mut options);
        let simulator = Simulator::start(options).await.expect("loopback has free ports");
        let directory = std::env::temp_dir().join(format!("posthouse-host-{}-{}", std::process::id(), unique()));
        std::fs::create_dir_all(directory.join("tenants")).expect("the temporary directory can be written");
        std::fs::create_dir_all(directory.join("state")).expect("the temporary directory can be written");
        let host = Self { simulator, directory };
        host.write("ca.pem", &host.simulator.ca_pem());
        let doors = Doors { plain, starttls: None, admin };
        let main = simulation::main_file(&host.simulator, &doors, &host.path("ca.pem").display().to_string());
        let state = host.path("state");
        let log = "[log]\nformat = \"json\"\n";
        host.write("posthouse.toml", &format!("state_directory = \"{}\"\n{main}{log}{more}", state.display()));
        let acme = "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"gmail\"]\n".to_owned()
            + &simulation::login("app", &password::hash(b"secret"), &["@acme.example"], "")
            + &simulation::account("gmail", &gmail, "")
            + &simulation::account("outlook", &outlook, "messages_per_minute = 60000\n");
        host.write("tenants/acme.toml", &acme);
        std::os::unix::fs::symlink(PROGRAM, host.program()).expect("a link can be made");
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file can be written");
    }

    /// The program file that is installed on this host.
    pub(crate) fn program(&self) -> PathBuf {
        self.path("posthouse")
    }

    /// Puts a shell script in the program's place, as an installation does: renamed into place.
    pub(crate) fn install(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let new = self.path("posthouse.new");
        std::fs::write(&new, text).expect("a file can be written");
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
        std::fs::rename(new, self.program()).expect("a file can be renamed");
    }

    /// `posthouse run`, not started yet.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.arg("run").arg("--config").arg(self.path("posthouse.toml"));
        command
    }

    /// `posthouse run`, until it relays.
    pub(crate) async fn start(&self) -> Service {
        let service = Service::start(self.command());
        service.until("relaying", 1).await;
        service
    }

    /// `posthouse upgrade`, until it has ended.
    pub(crate) async fn upgrade(&self, more: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.arg("upgrade").arg("--config").arg(self.path("posthouse.toml")).args(more);
        timeout(PATIENCE * 3, command.output()).await.expect("it ends").expect("it can be started")
    }

    /// Which process relays, as its pid file says.
    pub(crate) fn pid(&self) -> u32 {
        let text = std::fs::read_to_string(self.path("state/posthouse.pid")).expect("a relay writes its pid file");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a pid file begins with a number")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What a test that failed has left behind.
        let text = std::fs::read_to_string(self.path("state/posthouse.pid")).unwrap_or_default();
        if let Some(pid) = text.lines().next().and_then(|line| line.parse().ok()) {
            kill(pid);
        }
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        kill(self.process);
    }
}

impl Service {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let process = child.id().expect("it was not waited for");
        let lines = child.stdout.take().expect("standard output is a pipe");
        // It is waited for by its id, as those are that it starts.
        std::mem::forget(child);
        let said = Arc::new(Mutex::new(Vec::new()));
        let saying = Arc::clone(&said);
        tokio::spawn(async move {
            let mut lines = BufReader::new(lines).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                saying.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { said, process }
    }

    /// What has been logged so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this has been logged so often.
    pub(crate) async fn until(&self, message: &str, count: usize) {
        let message = format!("\"message\":\"{message}\"");
        let waited = timeout(PATIENCE, async {
            while self.said().iter().filter(|line| line.contains(&message)).count() < count {
                sleep(LOOK).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{message} is not said:\n{}", self.said().join("\n")));
    }

    /// Where the listener `plain` of the process that was started last listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let said = self.said();
        let line = said.iter().rev().find(|line| line.contains("\"message\":\"listening\"")).expect("it listens");
        let address = line.split("\"address\":\"").nth(1).and_then(|rest| rest.split('"').next());
        address.and_then(|address| address.parse().ok()).expect("an address is logged")
    }
}

/// Sends a process that this test has started a signal.
pub(crate) fn signal(process: u32, signal: Signal) {
    kill_process(pid(process), signal).expect("the process is there");
}

/// How a process has ended. Nothing is known where its parent, a relay that still drained, has waited for it.
#[derive(Debug)]
pub(crate) struct Ended(Option<ExitStatus>);

impl Ended {
    pub(crate) fn success(&self) -> bool {
        self.0.is_none_or(|status| status.success())
    }
}

/// Waits until a process has ended. It is a child of this process, or becomes one when its parent ends before it.
pub(crate) async fn ended(process: u32) -> Ended {
    use std::os::unix::process::ExitStatusExt as _;
    let waited = timeout(PATIENCE, async {
        loop {
            match waitpid(Some(pid(process)), WaitOptions::NOHANG) {
                Ok(Some((_, status))) => return Ended(Some(ExitStatus::from_raw(status.as_raw()))),
                Err(_) if test_kill_process(pid(process)).is_err() => return Ended(None),
                // It runs, or is not a child yet.
                Ok(None) | Err(_) => sleep(LOOK).await,
            }
        }
    });
    waited.await.unwrap_or_else(|_| panic!("process {process} does not end"))
}

/// Ends a process with SIGTERM; its status is 0.
pub(crate) async fn end(process: u32) {
    signal(process, Signal::TERM);
    let status = ended(process).await;
    assert!(status.success(), "{status:?}");
}

/// Whether a process runs.
pub(crate) fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// A listening socket on a port of the system's choice, and its address.
pub(crate) fn listening() -> (OwnedFd, SocketAddr) {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    (socket.into(), address)
}

/// A port of all addresses that nobody has and that the system gives to no client: what is opened there a second time
/// finds it free again.
pub(crate) fn free_port() -> u16 {
    let first = 20_000 + std::process::id() % 10_000;
    let ports = (0..).map(|_| first + u32::try_from(unique() % 2_000).expect("a small number"));
    let mut ports = ports.filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| std::net::TcpListener::bind(("0.0.0.0", *port)).is_ok()).expect("there is a free port")
}

/// What a command wrote.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Ends a process that is a child of this one still.
fn kill(process: u32) {
    if let Ok(None) = waitpid(Some(pid(process)), WaitOptions::NOHANG) {
        let _ended = kill_process(pid(process), Signal::KILL);
    }
}

fn pid(process: u32) -> Pid {
    i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process id")
}

fn inherit_orphans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let this = Pid::from_raw(i32::try_from(std::process::id()).expect("a process id")).expect("not zero");
        rustix::process::set_child_subreaper(Some(this)).expect("Linux has subreapers");
    });
}
