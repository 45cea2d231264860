//! Series of metrics live as long as the tenants and accounts that they are about.

use std::net::SocketAddr;
use std::time::Duration;

use posthouse_relay::config::password;
use posthouse_relay::simulation;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::provider::Provider;
use rustix::process::Signal;

use crate::admin::http::Ask;
use crate::post::send;
use crate::processes::{Host, Service, end, signal};
use crate::upgrades::{ANYWHERE, client};

/// The admin address, as it was logged.
fn admin(service: &Service) -> SocketAddr {
    let said = service.said();
    let line = said.iter().find(|line| line.contains("\"message\":\"metrics and health\"")).expect("it is served");
    let address = line.split("\"address\":\"").nth(1).and_then(|rest| rest.split('"').next());
    address.and_then(|address| address.parse().ok()).expect("an address is logged")
}

async fn metrics(admin: SocketAddr) -> String {
    Ask::get("/metrics").send(admin).await.body
}

/// Reloads, and waits for the series of `gone` to go: a message of the generation before may be on its way still.
async fn reload(service: &Service, admin: SocketAddr, reloads: usize, gone: &str) -> String {
    signal(service.process, Signal::HUP);
    service.until("configuration published", reloads).await;
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let metrics = metrics(admin).await;
            if !metrics.contains(gone) {
                return metrics;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{gone} is still shown"))
}

async fn mail(service: &Service) {
    let reply = send(&mut client(service.address()).await, "app@acme.example", &["ann@example.org"], "x\r\n").await;
    assert!(reply.starts_with("250 "), "{reply}");
}

#[tokio::test]
async fn what_is_deleted_is_shown_no_more_and_counts_anew_when_it_comes_back() {
    let host = Host::new(ANYWHERE.parse().expect("an address"), Some(ANYWHERE.parse().expect("an address")), "").await;
    let globex = simulation::login("other", &password::hash(b"secret"), &["@globex.example"], "")
        + &simulation::account("main", &Mailbox::new(Provider::Gmail, "mail@globex.example"), "");
    host.write("tenants/globex.toml", &globex);
    let service = host.start().await;
    let admin = admin(&service);
    let delivered = |count: u32| {
        format!("posthouse_messages_total{{tenant=\"acme\",account=\"gmail\",result=\"delivered\"}} {count}\n")
    };
    for _ in 0..2 {
        mail(&service).await;
    }
    let shown = metrics(admin).await;
    assert!(shown.contains(&delivered(2)) && shown.contains("account=\"outlook\""), "{shown}");
    let acme = std::fs::read_to_string(host.path("tenants/acme.toml")).expect("it was written");

    // An account goes, and the other one counts on.
    let without = acme.split("[[accounts]]\nid = \"outlook\"").next().expect("there is one before it");
    host.write("tenants/acme.toml", without);
    let shown = reload(&service, admin, 1, "outlook").await;
    assert!(shown.contains(&delivered(2)), "{shown}");
    let name = "posthouse_sessions{tenant=\"acme\",account=\"gmail\",state=\"allowed\"}";
    assert_eq!(shown.matches(name).count(), 1, "{shown}");
    assert_eq!(shown.matches("# TYPE posthouse_sessions gauge\n").count(), 1, "{shown}");

    // The tenant goes, and nobody else.
    std::fs::remove_file(host.path("tenants/acme.toml")).expect("it is there");
    let shown = reload(&service, admin, 2, "acme").await;
    assert!(shown.contains("tenant=\"globex\""), "{shown}");

    host.write("tenants/acme.toml", without);
    let shown = reload(&service, admin, 3, "outlook").await;
    assert!(shown.contains(&delivered(0)), "{shown}");
    mail(&service).await;
    assert!(metrics(admin).await.contains(&delivered(1)));
    end(service.process).await;
}
