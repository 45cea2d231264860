//! Sockets on their way.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::{receive, send};

#[test]
fn sockets_arrive_with_their_names_and_still_listen() {
    let (here, there) = UnixStream::pair().expect("a pair of sockets");
    let names = ["submission", "", "x"];
    let listening: Vec<TcpListener> =
        names.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    let addresses: Vec<_> = listening.iter().map(|socket| socket.local_addr().expect("it is bound")).collect();
    let sent: Vec<(String, OwnedFd)> =
        names.iter().map(|name| (*name).to_owned()).zip(listening.into_iter().map(OwnedFd::from)).collect();
    send(&here, &sent).expect("it is taken");
    drop(sent);
    let received = receive(&there).expect("all come");
    assert_eq!(received.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    for ((_, socket), address) in received.iter().zip(addresses) {
        let _client = std::net::TcpStream::connect(address).expect("somebody listens");
        assert!(socket.accept().is_ok());
    }
}

#[test]
fn a_channel_that_ends_in_between_is_an_error() {
    let (here, there) = UnixStream::pair().expect("a pair of sockets");
    super::send_number(&here, 2).expect("it is taken");
    drop(here);
    assert!(receive(&there).is_err());
}
