//! A new process whose listener is at a narrower or a wider address than the old one's, at the same port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::post::send;
use crate::processes::{Host, PROGRAM, end, ended, text};
use crate::upgrades::{client, in_content};
use crate::wire::Wire;

const FROM: &str = "app@acme.example";
/// An address of this host that only a listener of all addresses has.
const ELSEWHERE: std::net::Ipv4Addr = std::net::Ipv4Addr::new(127, 0, 0, 2);

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("0.0.0.0:0").expect("a free port");
    free.local_addr().expect("an address").port()
}

/// Has the next process read another main file, which the one that runs does not watch: it would move by itself.
fn install_with(host: &Host, change: impl FnOnce(String) -> String) {
    let main = std::fs::read_to_string(host.path("posthouse.toml")).expect("it was written");
    host.write("next.toml", &change(main));
    host.install(&format!("#!/bin/sh\nexec {PROGRAM} run --config {}\n", host.path("next.toml").display()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_may_move_a_listener_to_a_narrower_or_wider_address_and_drops_no_client() {
    let port = free_port();
    let (all, one): (SocketAddr, SocketAddr) = (([0, 0, 0, 0], port).into(), ([127, 0, 0, 1], port).into());
    for (old, new) in [(all, one), (one, all)] {
        let host = Host::new(old, None, "").await;
        let service = host.start().await;
        install_with(&host, |main| main.replace(&format!("\"{old}\""), &format!("\"{new}\"")));
        assert_eq!(TcpStream::connect((ELSEWHERE, port)).await.is_ok(), old == all);
        let mut busy = in_content(one, FROM).await;
        let over = Arc::new(AtomicBool::new(false));
        let mut coming = JoinSet::new();
        for _ in 0..3 {
            let over = Arc::clone(&over);
            coming.spawn(async move {
                let mut greeted = 0_u32;
                while !over.load(Ordering::Relaxed) {
                    Wire::connect(one).await.hear("220 ").await;
                    greeted += 1;
                }
                greeted
            });
        }
        let output = host.upgrade(&[]).await;
        assert!(output.status.success(), "{}", text(&output));
        busy.send("\r\nended\r\n.\r\n").await;
        busy.hear("250 ").await;
        assert!(ended(service.process).await.success());
        assert!(send(&mut client(one).await, FROM, &["ann@example.org"], "x\r\n").await.starts_with("250 "));
        over.store(true, Ordering::Relaxed);
        while let Some(greeted) = coming.join_next().await {
            assert!(greeted.expect("each client was greeted") > 0);
        }
        assert_eq!(TcpStream::connect((ELSEWHERE, port)).await.is_ok(), new == all, "the old socket is closed");
        assert_eq!(host.simulator.ledger().accepted(), 2);
        end(host.pid()).await;
    }
}

#[tokio::test]
async fn an_admin_address_that_would_move_so_leaves_the_old_process_and_is_named() {
    let (door, admin): (SocketAddr, SocketAddr) =
        (([127, 0, 0, 1], free_port()).into(), ([127, 0, 0, 1], free_port()).into());
    let host = Host::new(door, Some(admin), "").await;
    let service = host.start().await;
    let wider = format!("listen = \"0.0.0.0:{}\"\ninsecure = true", admin.port());
    install_with(&host, |main| main.replace(&format!("listen = \"{admin}\""), &wider));
    let output = host.upgrade(&[]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("admin: cannot listen on 0.0.0.0:{}: ", admin.port())), "{said}");
    assert!(said.contains("give it another port"), "{said}");
    assert_eq!(host.pid(), service.process);
    assert!(send(&mut client(door).await, FROM, &["ann@example.org"], "x\r\n").await.starts_with("250 "));
    end(service.process).await;
}
