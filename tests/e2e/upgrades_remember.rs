//! What a new process goes on with that its provider has not forgotten: refresh tokens, blocks, budgets.

use std::time::Duration;

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::options::Rotation;
use posthouse_simulator::provider::Provider;

use crate::post::send;
use crate::processes::{Host, end, ended, text};
use crate::upgrades::{ANYWHERE, client, in_content};
use crate::wire::Wire;

const BOX: &str = "box@acme.example";
const BLOCKED: &str = "550 5.1.8 Access denied, bad outbound sender";

async fn host() -> Host {
    // A provider that is stricter than Microsoft: a refresh token that was replaced is dead at once.
    Host::before(ANYWHERE.parse().expect("an address"), None, "", |options| {
        options.outlook.rotation = Rotation::OldDie;
    })
    .await
}

async fn mail(client: &mut Wire, from: &str) -> String {
    send(client, from, &["ann@example.org"], "Subject: one\r\n\r\nbody\r\n").await
}

async fn upgrade(host: &Host) {
    let output = host.upgrade(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
}

#[tokio::test]
async fn a_process_that_drains_takes_no_refresh_token_from_the_one_that_follows() {
    let host = host().await;
    let service = host.start().await;
    let address = service.address();
    assert!(mail(&mut client(address).await, BOX).await.starts_with("250 "));
    let mut old = in_content(address, BOX).await;
    upgrade(&host).await;
    // The old one's token ends, and what would bring it another belongs to the new one.
    host.simulator.expire_access_tokens(Provider::Outlook, BOX).expect("there is such a mailbox");
    old.send("\r\nended\r\n.\r\n").await;
    old.hear("4").await;
    assert!(ended(service.process).await.success());
    assert!(mail(&mut client(address).await, BOX).await.starts_with("250 "), "its refresh token is good");
    let new = host.pid();
    end(new).await;
    // And it was kept: the next one starts with it.
    let service = host.start().await;
    assert!(mail(&mut client(service.address()).await, BOX).await.starts_with("250 "));
    end(service.process).await;
}

#[tokio::test]
async fn a_block_that_the_old_process_hears_of_is_obeyed_by_the_new_one() {
    for while_it_drains in [false, true] {
        let host = host().await;
        let service = host.start().await;
        let address = service.address();
        let mut old = in_content(address, BOX).await;
        let block = Fault::new(Stage::Content, Action::reply(BLOCKED)).always();
        let blocked = host.simulator.inject(Provider::Outlook, block);
        if while_it_drains {
            upgrade(&host).await;
        }
        old.send("\r\nended\r\n.\r\n").await;
        let reply = old.line().await;
        assert!(reply.contains("5.1.8") || reply.contains("bad outbound sender"), "{reply}");
        if !while_it_drains {
            upgrade(&host).await;
        }
        assert!(ended(service.process).await.success());
        host.simulator.clear_faults(Provider::Outlook);
        let reply = mail(&mut client(address).await, BOX).await;
        assert!(reply.starts_with('4') && reply.contains("bad outbound sender"), "{reply}");
        assert_eq!((blocked.hits(), host.simulator.ledger().accepted()), (1, 0));
        // Another mailbox is not concerned.
        assert!(mail(&mut client(address).await, "app@acme.example").await.starts_with("250 "));
        end(host.pid()).await;
    }
}

#[tokio::test]
async fn a_recipient_that_was_refused_to_the_old_process_hears_it_from_the_new_one() {
    for while_it_drains in [false, true] {
        let host = host().await;
        let service = host.start().await;
        let address = service.address();
        let mut old = client(address).await;
        old.expect(&format!("MAIL FROM:<{BOX}>"), "250").await;
        old.expect("RCPT TO:<ann@example.org>", "250").await;
        old.expect("RCPT TO:<unknown@example.org>", "250").await;
        old.expect("DATA", "354").await;
        old.send("Subject: begun\r\n").await;
        if while_it_drains {
            upgrade(&host).await;
        }
        old.send("\r\nended\r\n.\r\n").await;
        old.hear("451 ").await;
        if !while_it_drains {
            upgrade(&host).await;
        }
        assert!(ended(service.process).await.success());
        let mut client = client(address).await;
        client.expect(&format!("MAIL FROM:<{BOX}>"), "250").await;
        let heard = client.expect("RCPT TO:<unknown@example.org>", "550 5.1.1").await;
        assert!(heard.contains("refused by the provider"), "{heard}");
        client.expect("RCPT TO:<ann@example.org>", "250").await;
        client.expect("DATA", "354").await;
        client.send("Subject: again\r\n\r\nbody\r\n.\r\n").await;
        client.hear("250 ").await;
        assert_eq!(host.simulator.ledger().accepted(), 1);
        end(host.pid()).await;
    }
}

#[tokio::test]
async fn what_the_old_process_takes_of_a_budget_while_it_drains_is_counted_by_the_new_one() {
    let host = host().await;
    let file = std::fs::read_to_string(host.path("tenants/acme.toml")).expect("it was written");
    host.write("tenants/acme.toml", &file.replace("id = \"outlook\"\n", "id = \"outlook\"\nrecipients_per_day = 2\n"));
    let service = host.start().await;
    let address = service.address();
    let mut old = in_content(address, BOX).await;
    upgrade(&host).await;
    old.send("\r\nended\r\n.\r\n").await;
    old.hear("250 ").await;
    assert!(ended(service.process).await.success());
    let mut client = client(address).await;
    assert!(mail(&mut client, BOX).await.starts_with("250 "));
    let reply = mail(&mut client, BOX).await;
    assert!(reply.starts_with('4') && reply.contains("over its budget of 2 recipients"), "{reply}");
    tokio::time::timeout(Duration::from_secs(20), host.simulator.ledger().wait_for(2)).await.expect("two were taken");
    end(host.pid()).await;
}
