//! Under a service manager: sockets that it opened, and what it is told. (The protocols of sd_listen_fds(3) and
//! sd_notify(3); there is no systemd here.)

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::process::Command;
use tokio::time::timeout;

use crate::processes::{Host, Service, end, ended, listening, signal, text};
use crate::wire::Wire;

/// Starts the relay as a service manager does: with sockets from descriptor 3 on, of these names.
fn activated(host: &Host, sockets: Vec<(OwnedFd, &str)>) -> Command {
    let names: Vec<&str> = sockets.iter().map(|(_, name)| *name).collect();
    // A shell has its own process id after `exec` still. The sockets come by standard input and standard error.
    let count = sockets.len();
    let moves = if count == 2 { "3<&0 4<&2 2>/dev/null" } else { "3<&0" };
    let script = format!(
        "exec env LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES={} \"$0\" \"$@\" {moves} 0</dev/null",
        names.join(":")
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(host.program()).arg("run").arg("--config").arg(host.path("posthouse.toml"));
    let mut sockets = sockets.into_iter().map(|(socket, _)| Stdio::from(socket));
    sockets.next().map(|socket| command.stdin(socket));
    sockets.next().map(|socket| command.stderr(socket));
    command
}

async fn readiness(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the admin address is there");
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn sockets_that_the_manager_opened_are_served_and_handed_on() {
    let ((plain, plain_address), (admin, admin_address)) = (listening(), listening());
    let host = Host::new(plain_address, Some(admin_address), "").await;
    // Who comes before the relay waits.
    let mut early = Wire::connect(plain_address).await;
    let service = Service::start(activated(&host, vec![(plain, "whatever"), (admin, "else")]));
    early.hear("220 ").await;
    assert!(readiness(admin_address).await.ends_with("ready\n"));
    service.until("relaying", 1).await;
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    early.hear("421 ").await;
    assert!(ended(service.process).await.success());
    Wire::connect(plain_address).await.hear("220 ").await;
    assert!(readiness(admin_address).await.ends_with("ready\n"));
    let environment = std::fs::read(format!("/proc/{}/environ", host.pid())).expect("the process is ours");
    assert!(!String::from_utf8_lossy(&environment).contains("LISTEN_"), "they were another process's");
    end(host.pid()).await;
}

#[tokio::test]
async fn a_socket_is_found_by_its_name_where_the_address_differs() {
    let (socket, address) = listening();
    let host = Host::new("127.0.0.1:0".parse().expect("an address"), None, "").await;
    let service = Service::start(activated(&host, vec![(socket, "plain")]));
    service.until("relaying", 1).await;
    assert_eq!(service.address(), address);
    Wire::connect(address).await.hear("220 ").await;
    end(service.process).await;
}

#[tokio::test]
async fn a_socket_that_is_nobodys_is_an_error_with_descriptor_and_address() {
    let (socket, address) = listening();
    let host = Host::new("127.0.0.1:0".parse().expect("an address"), None, "").await;
    let output = activated(&host, vec![(socket, "stray")]).output().await.expect("it can be started");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let expected = format!("descriptor 3 of LISTEN_FDS, named stray, listens on {address}");
    assert!(text(&output).contains(&expected), "{}", text(&output));
    // Nor is one that does not listen.
    let bound = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let output = activated(&host, vec![(bound.into(), "plain")]).output().await.expect("it can be started");
    assert!(text(&output).contains("descriptor 3 of LISTEN_FDS: "), "{}", text(&output));
}

/// The service manager's ear.
struct Manager(UnixDatagram);

impl Manager {
    async fn hears(&self) -> String {
        let mut octets = [0; 512];
        let count = timeout(Duration::from_secs(20), self.0.recv(&mut octets)).await.expect("something is told");
        String::from_utf8_lossy(&octets[..count.expect("the socket is ours")]).into_owned()
    }

    /// The next that is neither the status nor the watchdog's.
    async fn hears_news(&self) -> String {
        loop {
            let told = self.hears().await;
            if !told.starts_with("STATUS=") && told != "WATCHDOG=1" {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn the_service_manager_is_told_what_happens() {
    let host = Host::new("127.0.0.1:0".parse().expect("an address"), None, "").await;
    let manager = Manager(UnixDatagram::bind(host.path("notify")).expect("the directory is ours"));
    let mut command = host.command();
    command.env("NOTIFY_SOCKET", host.path("notify")).env("WATCHDOG_USEC", "60000");
    let service = Service::start(command);
    assert_eq!(manager.hears_news().await, "READY=1\nSTATUS=relaying: generation 1, sessions 0");
    // Ready is: whoever comes is served. (Where, the log has said; here it may not have been read yet.)
    service.until("listening", 1).await;
    let mut client = Wire::connect(service.address()).await;
    client.hear("220 ").await;
    while manager.hears().await != "STATUS=relaying: generation 1, sessions 1" {}
    for _ in 0..3 {
        while manager.hears().await != "WATCHDOG=1" {}
    }
    let main = std::fs::read_to_string(host.path("posthouse.toml")).expect("it was written");
    host.write("posthouse.toml", &main.replace("[limits]\n", "[limits]\nrecipients = 7\n"));
    signal(service.process, Signal::HUP);
    let reloading = manager.hears_news().await;
    let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|at| at.parse::<u64>().ok());
    assert!(at.is_some_and(|at| at > 0), "{reloading}");
    assert_eq!(manager.hears_news().await, "READY=1\nSTATUS=relaying: generation 2, sessions 1");
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    let new = host.pid();
    assert_eq!(manager.hears_news().await, format!("MAINPID={new}"));
    assert_eq!(manager.hears_news().await, "READY=1\nSTATUS=relaying: generation 1, sessions 0");
    assert!(ended(service.process).await.success());
    while manager.hears().await != "WATCHDOG=1" {}
    signal(new, Signal::TERM);
    assert!(manager.hears_news().await.starts_with("STOPPING=1\n"), "the old process did not say so");
    assert!(ended(new).await.success());
}

#[tokio::test]
async fn a_failed_upgrade_is_no_news_to_the_service_manager() {
    let host = Host::new("127.0.0.1:0".parse().expect("an address"), None, "").await;
    let manager = Manager(UnixDatagram::bind(host.path("notify")).expect("the directory is ours"));
    let mut command = host.command();
    command.env("NOTIFY_SOCKET", host.path("notify"));
    let service = Service::start(command);
    assert!(manager.hears_news().await.starts_with("READY=1\n"));
    service.until("relaying", 1).await;
    host.write("tenants/acme.toml", "nothing = \"good\"\n");
    assert!(!host.upgrade(&[]).await.status.success());
    signal(service.process, Signal::TERM);
    assert!(manager.hears_news().await.starts_with("STOPPING=1\n"));
    assert!(ended(service.process).await.success());
}
