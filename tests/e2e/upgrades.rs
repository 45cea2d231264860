//! A new process takes the old one's place, or does not, and the old one goes on as if nothing had happened.

use std::net::SocketAddr;
use std::process::Output;
use std::time::Duration;

use posthouse_simulator::provider::Provider;
use rustix::process::Signal;

use crate::post::{APP, send};
use crate::processes::{Host, PROGRAM, end, ended, runs, signal, text};
use crate::wire::Wire;

pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

async fn host(more: &str) -> Host {
    Host::new(ANYWHERE.parse().expect("an address"), None, more).await
}

pub(crate) async fn client(address: SocketAddr) -> Wire {
    let mut client = Wire::connect(address).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    client.expect(&format!("AUTH PLAIN {APP}"), "235 2.7.0").await;
    client
}

/// In the middle of a content.
pub(crate) async fn in_content(address: SocketAddr, from: &str) -> Wire {
    let mut client = client(address).await;
    client.expect(&format!("MAIL FROM:<{from}>"), "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send("Subject: begun\r\n").await;
    client
}

async fn mail(client: &mut Wire, from: &str) {
    let reply = send(client, from, &["ann@example.org"], "Subject: one\r\n\r\nbody\r\n").await;
    assert!(reply.starts_with("250 "), "{reply}");
}

fn refused(output: &Output, reason: &str) {
    let said = text(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(reason), "{said}\nshould say {reason}");
}

#[tokio::test]
async fn a_message_begun_at_the_old_process_ends_there_and_new_clients_have_the_new_one() {
    let host = host("").await;
    let service = host.start().await;
    let address = service.address();
    let (mut idle, mut busy) = (client(address).await, in_content(address, "app@acme.example").await);
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    let new = host.pid();
    assert!(text(&output).contains(&format!("Process {new} relays now; process {} ends", service.process)));
    idle.hear("421 4.3.2").await;
    mail(&mut client(address).await, "app@acme.example").await;
    assert!(runs(service.process), "a message is in flight there");
    busy.send("\r\nended\r\n.\r\n").await;
    busy.hear("250 ").await;
    busy.hear("421 4.3.2").await;
    assert!(ended(service.process).await.success());
    assert_eq!(host.simulator.ledger().accepted(), 2);
    mail(&mut client(address).await, "app@acme.example").await;
    end(new).await;
    assert!(!host.path("state/posthouse.pid").exists(), "the last one takes its pid file with it");
}

#[tokio::test]
async fn the_program_file_that_is_there_now_is_what_is_started() {
    let host = host("").await;
    let service = host.start().await;
    let marked = host.path("marked");
    host.install(&format!("#!/bin/sh\necho \"$0 $*\" > {}\nexec {PROGRAM} \"$@\"\n", marked.display()));
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    let started = std::fs::read_to_string(&marked).expect("the new program was started");
    let expected = format!("{} run --config {}", host.program().display(), host.path("posthouse.toml").display());
    assert_eq!(started.trim_end(), expected);
    assert!(ended(service.process).await.success());
    end(host.pid()).await;
}

#[tokio::test]
async fn a_broken_configuration_leaves_the_old_process_and_a_mended_one_is_taken() {
    let host = host("").await;
    let service = host.start().await;
    let mut client = client(service.address()).await;
    let good = std::fs::read_to_string(host.path("tenants/acme.toml")).expect("it was written");
    // The relay that runs must not see it before the new one does, and does not mind it if it does.
    host.write("tenants/acme.toml", &good.replace("provider = \"gmail\"", "provider = \"gmial\""));
    refused(&host.upgrade(&[]).await, "acme.toml:");
    refused(&host.upgrade(&[]).await, "acme.toml:");
    assert_eq!(host.pid(), service.process);
    mail(&mut client, "app@acme.example").await;
    host.write("tenants/acme.toml", &good);
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    client.hear("421 4.3.2").await;
    assert!(ended(service.process).await.success());
    end(host.pid()).await;
}

#[tokio::test]
async fn a_program_that_is_none_leaves_the_old_process() {
    let host = host("[timeouts]\nupgrade = \"1 s\"\n").await;
    let service = host.start().await;
    let mut client = client(service.address()).await;
    let hanging = host.path("hanging");
    let hangs = format!("#!/bin/sh\necho $$ > {}\nexec sleep 600\n", hanging.display());
    for (program, reason) in [
        ("\u{7f}ELF, or so it says", "cannot be started: "),
        ("#!/bin/sh\nexit 3\n", "exit status: 3"),
        ("#!/bin/sh\nread -r line; echo '\"prepared\"' >&0; read -r line\nexit 4\n", "exit status: 4"),
        ("#!/bin/sh\necho 'I am ready' >&0; exec sleep 600\n", "does not hand over as this one does"),
        (&hangs, "not prepared within 1s"),
    ] {
        host.install(program);
        refused(&host.upgrade(&[]).await, reason);
        mail(&mut client, "app@acme.example").await;
    }
    let hung = std::fs::read_to_string(&hanging).expect("it was started").trim().parse().expect("a process id");
    assert!(!runs(hung), "one that hangs is ended");
    std::fs::remove_file(host.program()).expect("there is a program file");
    refused(&host.upgrade(&[]).await, "is gone; put one there");
    mail(&mut client, "app@acme.example").await;
    // Who was not there meanwhile is served as well.
    mail(&mut self::client(service.address()).await, "app@acme.example").await;
    end(service.process).await;
}

/// A stand-in for a new process that takes everything and then does nothing with it.
const TAKES_AND_FAILS: &str = "#!/bin/sh
echo '\"prepared\"' >&0
echo '\"ready\"' >&0
sleep 0.5
exit 5
";

#[tokio::test]
async fn a_new_process_that_fails_when_nobody_accepts_any_more_gives_everything_back() {
    let host = host("").await;
    let service = host.start().await;
    let address = service.address();
    let mut before = client(address).await;
    host.install(TAKES_AND_FAILS);
    let upgrade = tokio::spawn(async move { (host.upgrade(&[]).await, host) });
    service.until("no longer accepting", 1).await;
    // Who comes now waits, and is served by whoever accepts next.
    let mut meanwhile = Wire::connect(address).await;
    let (output, host) = upgrade.await.expect("it ends");
    refused(&output, "ended (exit status: 5) before it was accepting");
    meanwhile.hear("220 ").await;
    mail(&mut before, "app@acme.example").await;
    // All of the mailbox's sessions are there again.
    host.simulator.set_latency(Provider::Outlook, Duration::from_millis(200));
    let mut clients = [client(address).await, client(address).await, client(address).await];
    let [one, two, three] = &mut clients;
    tokio::join!(mail(one, "box@acme.example"), mail(two, "box@acme.example"), mail(three, "box@acme.example"));
    assert_eq!(host.simulator.ledger().open_connections(Provider::Outlook), 3);
    // And the store is: nobody else gets it.
    let mut second = tokio::process::Command::new(PROGRAM);
    let second = second.arg("run").arg("--config").arg(host.path("posthouse.toml")).output().await;
    refused(&second.expect("it can be started"), "posthouse.redb is in use by another process");
    end(service.process).await;
}

#[tokio::test]
async fn two_processes_together_keep_a_mailboxs_sessions() {
    let host = host("").await;
    let service = host.start().await;
    let address = service.address();
    // Three sessions is what Outlook allows, here and there: it answers what is beyond with 432.
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(in_content(address, "box@acme.example").await);
    }
    host.simulator.set_latency(Provider::Outlook, Duration::from_millis(700));
    for client in &mut old {
        client.send("\r\nat the old one\r\n.\r\n").await;
    }
    while host.simulator.ledger().open_connections(Provider::Outlook) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    let mut new = [client(address).await, client(address).await, client(address).await];
    let [one, two, three] = &mut new;
    tokio::join!(mail(one, "box@acme.example"), mail(two, "box@acme.example"), mail(three, "box@acme.example"));
    for client in &mut old {
        client.hear("250 ").await;
    }
    assert!(ended(service.process).await.success());
    end(host.pid()).await;
    assert_eq!(host.simulator.ledger().accepted(), 6);
}

#[tokio::test]
async fn an_upgrade_may_follow_while_the_process_before_still_drains() {
    let host = host("").await;
    let service = host.start().await;
    let address = service.address();
    let mut first = in_content(address, "app@acme.example").await;
    assert!(host.upgrade(&[]).await.status.success());
    let second = host.pid();
    assert!(host.upgrade(&[]).await.status.success());
    let third = host.pid();
    assert!(runs(service.process) && service.process != second && second != third);
    mail(&mut client(address).await, "app@acme.example").await;
    assert!(runs(second), "it knows what the first one still has");
    first.send("\r\nended\r\n.\r\n").await;
    first.hear("250 ").await;
    for process in [service.process, second] {
        assert!(ended(process).await.success());
    }
    end(third).await;
}

#[tokio::test]
async fn a_process_that_is_told_to_end_takes_a_new_one_that_is_not_ready_with_it() {
    let host = host("").await;
    let service = host.start().await;
    let hanging = host.path("hanging");
    host.install(&format!("#!/bin/sh\necho $$ > {}.new; mv {0}.new {0}\nexec sleep 600\n", hanging.display()));
    signal(service.process, Signal::USR2);
    while !hanging.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    end(service.process).await;
    let hung = std::fs::read_to_string(&hanging).expect("it was started").trim().parse().expect("a process id");
    assert!(!runs(hung));
}

#[tokio::test]
async fn what_takes_no_upgrades_is_not_touched() {
    let host = host("").await;
    let mut other = tokio::process::Command::new("sleep").arg("600").spawn().expect("there is sleep");
    let process = other.id().expect("it runs").to_string();
    refused(&host.upgrade(&["--pid", &process]).await, "takes no upgrades");
    assert!(other.try_wait().expect("it is ours").is_none(), "it runs as before");
    other.kill().await.expect("it is ours");
    refused(&host.upgrade(&[]).await, "is it running?");
}
