//! The configuration changes while mail flows: whole or not at all, and nobody's message notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use posthouse_relay::config::password;
use posthouse_relay::control::report::Outcome;
use posthouse_relay::control::sources::inside;
use posthouse_relay::control::watch::watch;
use posthouse_relay::simulation;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use tokio::task::JoinSet;

use crate::files::{Files, acme};
use crate::post::{APP, OTHER, guest_file, scripted, send};
use crate::processes::free_port;
use crate::wire::Wire;

const BLOCKED: &str = "550 5.4.5 Daily user sending limit exceeded";
const MESSAGE: &str = "Subject: hi\r\n\r\nbody\r\n";

async fn mail(client: &mut Wire, from: &str) -> String {
    send(client, from, &["ann@example.org"], MESSAGE).await
}

#[tokio::test]
async fn a_new_tenant_is_served_at_once_and_a_deleted_one_no_more() {
    let files = Files::new().await;
    let globex = simulation::login("other", &files.hash, &["@globex.example"], "account = \"gmail\"\n")
        + &simulation::account("gmail", &files.mailboxes[2], "");
    let report = files.change("tenants/globex.toml", &globex).await;
    assert_eq!((report.outcome, report.generation), (Outcome::Published, 2), "{report}");
    let mut other = files.client(OTHER).await;
    assert!(mail(&mut other, "me@globex.example").await.starts_with("250 "));
    files.remove("tenants/globex.toml");
    assert_eq!(files.reload().await.outcome, Outcome::Published);
    // The session is there still, and its login is not.
    other.expect("MAIL FROM:<me@globex.example>", "421 4.7.0").await;
    let mut stranger = Wire::connect(files.address()).await;
    stranger.hear("220 ").await;
    stranger.expect("EHLO client.example.com", "250").await;
    stranger.expect(&format!("AUTH PLAIN {OTHER}"), "535 5.7.8").await;
}

#[tokio::test]
async fn a_transaction_sees_the_generation_of_its_mail_and_the_next_one_the_next() {
    let files = Files::with(&scripted("message = \"add-header X-Generation: one\"")).await;
    let mut client = files.client(APP).await;
    client.expect("MAIL FROM:<me@acme.example>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    let report =
        files.change("tenants/acme.toml", &files.acme(&scripted("message = \"add-header X-Generation: two\""))).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    client.expect("DATA", "354").await;
    client.send(format!("{MESSAGE}.\r\n")).await;
    client.hear("250 ").await;
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    let messages = files.simulator.ledger().wait_for(2).await;
    let text = |index: usize| String::from_utf8_lossy(crate::post::bytes(&messages[index])).into_owned();
    assert!(text(0).contains("X-Generation: one\r\n"), "{}", text(0));
    assert!(text(1).contains("X-Generation: two\r\n"), "{}", text(1));
}

#[tokio::test]
async fn sessions_with_the_provider_outlive_a_reload_that_does_not_concern_them() {
    let files = Files::new().await;
    let mut client = files.client(APP).await;
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    // Another route and other limits: the account is the same, and its sessions are.
    let more = "[[routes]]\nname = \"second\"\naccounts = [\"gmail\"]\n";
    assert_eq!(files.change("tenants/acme.toml", &files.acme(more)).await.outcome, Outcome::Published);
    let slower = files.acme("").replace("provider = \"gmail\"\n", "provider = \"gmail\"\nmessages_per_minute = 600\n");
    assert_eq!(files.change("tenants/acme.toml", &slower).await.outcome, Outcome::Published);
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    assert_eq!(files.simulator.ledger().connections().len(), 1);
}

#[tokio::test]
async fn changed_credentials_retire_the_sessions_that_the_old_ones_opened() {
    let files = Files::new().await;
    let mut client = files.client(APP).await;
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    let mut other = files.mailboxes[0].clone();
    other.client_secret = Some("not-the-secret-of-this-client".to_owned());
    let report = files.change("tenants/acme.toml", &acme(&other, &files.hash, "")).await;
    assert_eq!(report.outcome, Outcome::Published);
    // A session of the old credentials would have taken it.
    assert!(mail(&mut client, "me@acme.example").await.starts_with("454 4.7.0"));
    // And what was wrong with those is not held against the next ones.
    assert_eq!(files.change("tenants/acme.toml", &files.acme("")).await.outcome, Outcome::Published);
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
}

#[tokio::test]
async fn a_password_that_was_taken_away_opens_nothing_more() {
    let files = Files::new().await;
    let mut client = files.client(APP).await;
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    let changed = acme(&files.mailboxes[0], &password::hash(b"another"), "");
    assert_eq!(files.change("tenants/acme.toml", &changed).await.outcome, Outcome::Published);
    client.expect("MAIL FROM:<me@acme.example>", "421 4.7.0").await;
}

#[tokio::test]
async fn a_login_that_another_tenant_has_now_takes_no_session_with_it() {
    let files = Files::new().await;
    let mut client = files.client(APP).await;
    let without = files.acme("").replace("name = \"app\"", "name = \"someone\"");
    files.write("tenants/acme.toml", &without);
    let globex = simulation::login("app", &files.hash, &["@acme.example"], "account = \"gmail\"\n")
        + &simulation::account("gmail", &files.mailboxes[2], "");
    assert_eq!(files.change("tenants/globex.toml", &globex).await.outcome, Outcome::Published);
    client.expect("MAIL FROM:<me@acme.example>", "421 4.7.0").await;
}

#[tokio::test]
async fn everything_wrong_is_refused_with_its_place_and_the_old_generation_stays() {
    let files = Files::new().await;
    let (main, good) = (files.main_file(""), files.acme(""));
    let cases = [
        ("tenants/acme.toml", good.replace("[[logins]]", "[[logins]"), "tenants/acme.toml:"),
        ("tenants/acme.toml", good.replace("default_route = \"all\"", "default_route = \"gone\""), "default_route"),
        ("tenants/acme.toml", good.replace("provider = \"gmail\"", "provider = \"gmial\""), "did you mean `gmail`?"),
        ("tenants/acme.toml", good.replace("senders", "sender"), "did you mean `senders`?"),
        ("posthouse.toml", main.replace("[limits]\n", "[limits]\nconnections = \"many\"\n"), "limits.connections"),
        ("posthouse.toml", main.replace("[limits]\n", "[limits]\nconections = 1\n"), "did you mean `connections`?"),
        ("posthouse.toml", main.replace("ca.pem", "gone.pem"), "gone.pem"),
        ("posthouse.toml", String::new(), "hostname"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), "ca_file"),
        ("tenants/other.toml", "[[logins]]\nname = \"app\"\nsenders = [\"@other.example\"]\n".to_owned(), "app"),
    ];
    let mut client = files.client(APP).await;
    for (name, text, told) in cases {
        let before = std::fs::read_to_string(files.path(name)).ok();
        let report = files.change(name, &text).await;
        assert_eq!((report.outcome, report.generation), (Outcome::Refused, 1), "{name}: {report}");
        assert!(report.errors.iter().any(|error| error.contains(told)), "{told} is not told: {report}");
        assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "), "the old generation serves");
        match before {
            Some(before) => files.write(name, &before),
            None => files.remove(name),
        }
    }
    assert_eq!(files.reload().await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn what_waits_for_the_next_start_is_told_as_long_as_it_waits() {
    let files = Files::new().await;
    let waiting = files.main_file("[log]\nlevel = \"debug\"\n");
    assert_eq!(files.change("posthouse.toml", &waiting).await.at_restart, ["log"]);
    let again = files.reload().await;
    assert_eq!((again.outcome, again.at_restart), (Outcome::Unchanged, vec!["log"]));
    assert!(files.change("posthouse.toml", &files.main_file("")).await.at_restart.is_empty());
}

#[tokio::test]
async fn listeners_come_and_go_and_change_their_names_without_a_restart() {
    let files = Files::new().await;
    let address = "address = \"127.0.0.1:0\"";
    let extra = |name: &str| format!("[[listeners]]\nname = \"{name}\"\n{address}\ntls = \"none\"\nauth = \"none\"\n");
    let app = "networks = [ { network = \"127.0.0.1\", login = \"app\" } ]\n";
    let with = files.main_file("") + &extra("second") + app;
    assert_eq!(files.change("posthouse.toml", &with).await.outcome, Outcome::Published);
    let second = files.relay.address("second").expect("it was opened");
    let mut client = Wire::connect(second).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
    // It stays in its place under another name, with whoever is connected; but the network's login went with the name.
    let fixed = |name: &str| extra(name).replace("127.0.0.1:0", &second.to_string());
    let moved = files.main_file("") + &fixed("third") + app;
    files.change("posthouse.toml", &files.main_file("")).await;
    assert!(files.relay.address("second").is_none());
    let gone = tokio::net::TcpStream::connect(second).await;
    assert!(gone.is_err(), "the socket is closed");
    assert_eq!(files.change("posthouse.toml", &moved).await.outcome, Outcome::Published);
    let renamed = files.main_file("") + &fixed("fourth") + app;
    assert_eq!(files.change("posthouse.toml", &renamed).await.outcome, Outcome::Published);
    assert_eq!((files.relay.address("third"), files.relay.address("fourth")), (None, Some(second)));
    let mut client = Wire::connect(second).await;
    client.hear("220 ").await;
}

#[tokio::test]
async fn an_address_may_become_narrower_or_wider_while_its_port_is_listened_on() {
    let files = Files::new().await;
    let extra = |address: &str| {
        format!(
            "[[listeners]]\nname = \"second\"\naddress = \"{address}\"\ntls = \"none\"\nauth_over_cleartext = true\n"
        )
    };
    let port = free_port();
    for address in [format!("0.0.0.0:{port}"), format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        let report = files.change("posthouse.toml", &(files.main_file("") + &extra(&address))).await;
        assert_eq!(report.outcome, Outcome::Published, "{address}: {report}");
        assert_eq!(files.relay.address("second"), Some(address.parse().expect("an address")));
        let mut client = Wire::connect(([127, 0, 0, 1], port).into()).await;
        client.hear("220 ").await;
        // Nobody else gets in beside it.
        assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_err());
    }
    // Both at once is what the system does not do.
    let both = files.main_file("")
        + &extra(&format!("0.0.0.0:{port}"))
        + &extra(&format!("127.0.0.1:{port}")).replace("second", "third");
    let report = files.change("posthouse.toml", &both).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_is_dropped_while_an_address_becomes_narrower_or_wider() {
    let files = Files::new().await;
    let port = free_port();
    let at = |ip: &str| {
        let second = "[[listeners]]\nname = \"second\"\ntls = \"none\"\nauth_over_cleartext = true\n";
        format!("{}{second}address = \"{ip}:{port}\"\n", files.main_file(""))
    };
    assert_eq!(files.change("posthouse.toml", &at("0.0.0.0")).await.outcome, Outcome::Published);
    let (greeted, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut coming = JoinSet::new();
    for _ in 0..3 {
        let (greeted, over) = (Arc::clone(&greeted), Arc::clone(&over));
        coming.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                Wire::connect(([127, 0, 0, 1], port).into()).await.hear("220 ").await;
                greeted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for ip in ["127.0.0.1", "0.0.0.0", "127.0.0.1", "0.0.0.0"] {
        let before = greeted.load(Ordering::Relaxed);
        let report = files.change("posthouse.toml", &at(ip)).await;
        assert_eq!(report.outcome, Outcome::Published, "{report}");
        while greeted.load(Ordering::Relaxed) < before + 300 {
            assert!(coming.try_join_next().is_none(), "a client was dropped at {ip}");
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Relaxed);
    while let Some(served) = coming.join_next().await {
        served.expect("each client was greeted");
    }
}

#[tokio::test]
async fn a_network_that_is_trusted_no_more_names_no_clients_any_more() {
    let files = Files::new().await;
    let extra = |xclient: &str| {
        let networks = "networks = [ { network = \"192.0.2.0/24\", login = \"app\" } ]";
        format!("[[listeners]]\nname = \"named\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n{xclient}\n{networks}\n")
    };
    let trusting = files.main_file("") + &extra("xclient_from = [\"127.0.0.1\"]");
    assert_eq!(files.change("posthouse.toml", &trusting).await.outcome, Outcome::Published);
    let address = files.relay.address("named").expect("it was opened");
    let mut clients = [Wire::connect(address).await, Wire::connect(address).await];
    for client in &mut clients {
        client.hear("220 ").await;
        client.expect("EHLO x", "250").await;
    }
    let [named, unnamed] = &mut clients;
    named.expect("XCLIENT ADDR=192.0.2.79", "220").await;
    named.expect("EHLO y", "250").await;
    assert!(mail(named, "me@acme.example").await.starts_with("250 "));
    let trusting_nobody = files.main_file("") + &extra("");
    assert_eq!(files.change("posthouse.toml", &trusting_nobody).await.outcome, Outcome::Published);
    unnamed.expect("XCLIENT ADDR=192.0.2.79", "550 5.7.0").await;
    unnamed.expect("MAIL FROM:<me@acme.example>", "530").await;
    // Nor does what it said of this one before hold any longer.
    named.expect("MAIL FROM:<me@acme.example>", "421 4.7.0").await;
}

#[tokio::test]
async fn an_account_that_is_called_otherwise_goes_on_with_what_is_known_of_its_mailbox() {
    let files = Files::new().await;
    let mut client = files.client(APP).await;
    let fault = Fault::new(Stage::Content, Action::reply(BLOCKED)).always();
    files.simulator.inject(Provider::Gmail, fault);
    let first = mail(&mut client, "me@acme.example").await;
    assert!(first.starts_with('4') || first.starts_with('5'), "{first}");
    files.simulator.clear_faults(Provider::Gmail);
    let renamed = files.acme("").replace("\"gmail\"]", "\"the-same\"]").replace("id = \"gmail\"", "id = \"the-same\"");
    let report = files.change("tenants/acme.toml", &renamed).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    let reply = mail(&mut client, "me@acme.example").await;
    assert!(reply.starts_with('4'), "{reply}");
    assert_eq!(files.simulator.ledger().accepted(), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused_and_nothing_else_happens() {
    let files = Files::new().await;
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = busy.local_addr().expect("an address");
    let more = format!("[[listeners]]\nname = \"second\"\naddress = \"{address}\"\ntls = \"none\"\n");
    let slow = files.acme("").replace("@acme.example\"]", "@acme.example\", \"@late.example\"]");
    files.write("tenants/acme.toml", &slow);
    let report = files.change("posthouse.toml", &(files.main_file("") + &more)).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report}");
    assert!(report.errors[0].contains("second: cannot listen on"), "{report}");
    let mut client = files.client(APP).await;
    client.expect("MAIL FROM:<me@late.example>", "553 5.7.1").await;
    drop(busy);
}

#[tokio::test]
async fn a_policy_that_is_not_taken_leaves_the_one_that_decided_so_far() {
    let files = Files::with(&scripted("message = \"reject 5.7.1 by the first\"")).await;
    let mut client = files.client(APP).await;
    assert_eq!(mail(&mut client, "me@acme.example").await, "550 5.7.1 by the first\r\n");
    let broken = files.path("broken.wasm");
    std::fs::write(&broken, b"\0asm garbage").expect("a file can be written");
    let text = format!("[policy]\nfile = \"{}\"\n", broken.display());
    let report = files.change("tenants/acme.toml", &files.acme(&text)).await;
    assert_eq!(report.refused_policies.len(), 1, "{report}");
    assert!(report.refused_policies[0].contains("acme.toml:"), "{report}");
    assert_eq!(mail(&mut client, "me@acme.example").await, "550 5.7.1 by the first\r\n");
    // A good one in the same file is taken by itself.
    let good = std::fs::read(guest_file("scripted")).expect("a prebuilt guest");
    std::fs::write(&broken, good).expect("a file can be written");
    let report = files.reload().await;
    assert!(report.refused_policies.is_empty(), "{report}");
    assert!(mail(&mut client, "me@acme.example").await.starts_with("250 "));
}

#[tokio::test]
async fn a_certificate_is_swapped_under_new_connections() {
    let files = Files::new().await;
    let secure = |number: u8| {
        let made = files.simulator.issue_certificate("localhost").expect("localhost can stand in a certificate");
        files.write("relay.pem", &made.certificate);
        files.write("relay.key", &made.key);
        format!(
            "# {number}\n[[listeners]]\nname = \"tls\"\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\ncertificate = \"relay.pem\"\nkey = \"relay.key\"\n"
        )
    };
    let report = files.change("posthouse.toml", &(files.main_file("") + &secure(1))).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    let address = files.relay.address("tls").expect("it was opened");
    let mut client = Wire::connect(address).await.secured(&files.simulator.ca_pem()).await;
    client.hear("220 ").await;
    // A key that does not fit is refused, and the old pair serves.
    let other = files.simulator.issue_certificate("localhost").expect("localhost can stand in a certificate");
    let report = files.change("relay.key", &other.key).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report}");
    assert!(
        report.errors[0].contains("listeners[tls].key: the private key belongs to another certificate"),
        "{report}"
    );
    let mut again = Wire::connect(address).await.secured(&files.simulator.ca_pem()).await;
    again.hear("220 ").await;
    let report = files.change("relay.pem", &other.certificate).await;
    assert_eq!(report.outcome, Outcome::Published, "{report}");
    assert_eq!(files.relay.address("tls"), Some(address));
    let served = Wire::connect(address).await.certificate(&files.simulator.ca_pem()).await;
    assert!(other.certificate.replace('\n', "").contains(&served), "the new certificate is shown");
    client.expect("EHLO client.example.com", "250").await;
}

#[tokio::test]
async fn files_are_watched_whichever_way_they_change() {
    let files = Files::new().await;
    let watching = tokio::spawn(watch(files.relay.control().clone(), inside(&files.relay.control().status().sources)));
    let route = |name: &str| files.acme(&format!("[[routes]]\nname = \"{name}\"\naccounts = [\"gmail\"]\n"));
    // Written in place.
    files.write("tenants/acme.toml", &route("one"));
    files.until_generation(2).await;
    // Renamed into place, as editors and configuration management do.
    files.write("tenants/.acme.new", &route("two"));
    std::fs::rename(files.path("tenants/.acme.new"), files.path("tenants/acme.toml")).expect("a file can be renamed");
    files.until_generation(3).await;
    // A link that is swapped, as mounted secrets are.
    std::fs::create_dir_all(files.path("data-1")).expect("a directory can be made");
    std::fs::create_dir_all(files.path("data-2")).expect("a directory can be made");
    files.write("data-1/acme.toml", &route("three"));
    files.write("data-2/acme.toml", &route("four"));
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, files.path(to)).expect("a link can be made");
    link("data-1", "data");
    link("../data/acme.toml", "tenants/acme.link");
    std::fs::rename(files.path("tenants/acme.link"), files.path("tenants/acme.toml")).expect("a link can be renamed");
    files.until_generation(4).await;
    link("data-2", "data.new");
    std::fs::rename(files.path("data.new"), files.path("data")).expect("a link can be renamed");
    files.until_generation(5).await;
    // A file that appears, and one that goes.
    files.write("tenants/globex.toml", &simulation::login("other", &files.hash, &["@globex.example"], ""));
    files.until_generation(6).await;
    files.remove("tenants/globex.toml");
    files.until_generation(7).await;
    watching.abort();
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_not_taken() {
    use std::io::Write as _;
    let files = Files::new().await;
    let watching = tokio::spawn(watch(files.relay.control().clone(), inside(&files.relay.control().status().sources)));
    // Each piece leaves a file that would be taken if it were looked at: only its end makes it whole.
    let whole = files
        .acme(&(0..40).map(|n| format!("[[routes]]\nname = \"r{n}\"\naccounts = [\"gmail\"]\n")).collect::<String>());
    let path = files.path("tenants/acme.toml");
    let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(path).expect("there is a file");
    let began = Instant::now();
    for piece in whole.split_inclusive("[[routes]]") {
        file.write_all(piece.as_bytes()).expect("a file can be written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let writing = began.elapsed();
    files.until_generation(2).await;
    let status = files.relay.control().status();
    assert_eq!((status.last.generation, status.last.outcome), (2, Outcome::Published), "written in {writing:?}");
    watching.abort();
}
