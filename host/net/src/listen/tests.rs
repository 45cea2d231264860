//! Listening, being handed a socket, and having no descriptors left.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use tokio::time::timeout;

use super::Listener;

const SOON: Duration = Duration::from_secs(10);
/// Set in the process that has few descriptors.
const FEW: &str = "POSTHOUSE_TEST_FEW_DESCRIPTORS";

fn here() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

#[tokio::test]
async fn an_address_in_use_is_refused_and_free_again_at_once_after_an_end() {
    let listener = Listener::bind(here()).unwrap();
    let address = listener.local_address().unwrap();
    assert_eq!(Listener::bind(address).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    let _client = TcpStream::connect(address).unwrap();
    let (served, peer) = listener.accept().await;
    assert_eq!(served.peer_address().unwrap(), peer);
    // The server ends first, so that the connection stays in TIME_WAIT on its side.
    drop((served, listener));
    Listener::bind(address).unwrap();
}

#[tokio::test]
async fn a_socket_that_somebody_else_has_bound_is_taken_over() {
    let bound = std::net::TcpListener::bind(here()).unwrap();
    let listener = Listener::from_std(bound).unwrap();
    let client = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    let (_, peer) = timeout(SOON, listener.accept()).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[tokio::test]
async fn the_ipv6_wildcard_leaves_ipv4_to_others() {
    let listener = Listener::bind("[::]:0".parse().unwrap()).unwrap();
    let port = listener.local_address().unwrap().port();
    Listener::bind(SocketAddr::new("127.0.0.1".parse().unwrap(), port)).unwrap();
}

#[tokio::test]
async fn a_socket_that_hears_of_nobody_new_leaves_them_to_whoever_listens_there_next() {
    let listener = Listener::bind(here()).unwrap();
    let address = listener.local_address().unwrap();
    let before = TcpStream::connect(address).unwrap();
    listener.hear_no_new_client().unwrap();
    let mut coming = tokio::spawn(tokio::net::TcpStream::connect(address));
    assert!(timeout(SOON / 50, &mut coming).await.is_err(), "it tries again in a second");
    let (_, peer) = listener.accept_waiting().unwrap();
    assert_eq!(peer, before.local_addr().unwrap());
    assert!(listener.accept_waiting().is_none());
    drop(listener);
    let next = Listener::bind(address).unwrap();
    let client = timeout(SOON, coming).await.unwrap().unwrap().unwrap();
    let (_, peer) = timeout(SOON, next.accept()).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

/// The limit is the process's, so this runs in one of its own.
#[test]
fn a_lack_of_descriptors_is_waited_out() {
    if std::env::var_os(FEW).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(starve());
    }
    let name = "listen::tests::a_lack_of_descriptors_is_waited_out";
    let run = "ulimit -n 40 && exec \"$0\" --exact \"$1\" --nocapture --test-threads=1";
    let tests = std::env::current_exe().unwrap();
    let ended = Command::new("sh").args(["-c", run]).arg(tests).arg(name).env(FEW, "1").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ended.stderr));
}

async fn starve() {
    let listener = Listener::bind(here()).unwrap();
    let client = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let mut accepting = std::pin::pin!(listener.accept());
    assert!(timeout(SOON / 20, &mut accepting).await.is_err(), "there was a descriptor left");
    held.pop();
    let (_, peer) = timeout(SOON, accepting).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[tokio::test]
async fn a_socket_that_a_process_before_left_deaf_hears_again() {
    let socket = std::net::TcpListener::bind(here()).unwrap();
    let managers_own = socket.try_clone().unwrap();
    let address = socket.local_addr().unwrap();
    let leaving = Listener::from_std(socket).unwrap();
    leaving.hear_no_new_client().unwrap();
    drop(leaving);
    let _inherited = Listener::from_std(managers_own).unwrap();
    // A packet that is not heard is sent again after a second.
    timeout(Duration::from_millis(500), tokio::net::TcpStream::connect(address)).await.unwrap().unwrap();
}
