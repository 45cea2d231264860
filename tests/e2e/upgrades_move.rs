//! A new process whose configuration is another one than the old one's: its listener is at a narrower or a wider address
//! of the same port, or an account hands mail over by another transport.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posthouse_relay::simulation;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::post::send;
use crate::processes::{Host, PROGRAM, end, ended, free_port, text};
use crate::upgrades::{client, in_content};
use crate::wire::Wire;

const BOX: &str = "box@acme.example";
const FROM: &str = "app@acme.example";
/// An address of this host that only a listener of all addresses has.
const ELSEWHERE: std::net::Ipv4Addr = std::net::Ipv4Addr::new(127, 0, 0, 2);

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

#[tokio::test]
async fn a_mailbox_bears_the_sessions_of_the_old_process_s_transport_beside_the_new_one_s() {
    let door: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let host = Host::new(door, None, "").await;
    let service = host.start().await;
    // By SMTP it may have three, by Graph four: a message by SMTP is not to be the fourth.
    let by_http = simulation::over_http(&host.simulator, Provider::Outlook);
    let acme = std::fs::read_to_string(host.path("tenants/acme.toml")).expect("it was written");
    std::fs::create_dir(host.path("next")).expect("the directory is ours");
    host.write("next/acme.toml", &acme.replace("id = \"outlook\"\n", &format!("id = \"outlook\"\n{by_http}")));
    install_with(&host, |main| format!("tenants = \"next\"\n{main}"));
    let slow = Fault::new(Stage::Content, Action::Proceed).delay(Duration::from_millis(500)).always();
    let struck = host.simulator.inject(Provider::Outlook, slow);
    let mut old = in_content(door, BOX).await;
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    let mut sending = JoinSet::new();
    for _ in 0..4 {
        let mut client = client(door).await;
        let message = format!("From: <{BOX}>\r\nTo: <ann@example.org>\r\n\r\nbody\r\n");
        sending.spawn(async move { send(&mut client, BOX, &["ann@example.org"], &message).await });
    }
    struck.wait_for(2).await;
    old.send(format!("From: <{BOX}>\r\n\r\nended\r\n.\r\n")).await;
    old.hear("250 ").await;
    while let Some(reply) = sending.join_next().await {
        let reply = reply.expect("it is answered");
        assert!(reply.starts_with("250 "), "{reply}");
    }
    assert!(ended(service.process).await.success());
    let report = host.simulator.report(Provider::Outlook, BOX).expect("the mailbox is there");
    assert_eq!((report.violations.total(), report.messages), (0, 5), "{report:?}");
    end(host.pid()).await;
}
