//! The admin address: metrics with the names that were promised, health, readiness; the API in `admin/*`.

mod access;
mod commands;
mod description;
mod hostile;
pub(crate) mod http;
pub(crate) mod operated;
mod pausing;
mod policy_commands;
mod reloading;
mod tls;
mod tracing;
mod uploads;

use std::net::SocketAddr;
use std::time::Instant;

use posthouse_relay::config::from_toml;
use posthouse_relay::relay::Relay;
use posthouse_relay::series::Series;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::post::{policies, scripted, send};
use crate::wire::Wire;

const MAIN: &str = r#"
hostname = "relay.example.com"
[admin]
listen = "127.0.0.1:0"
[[listeners]]
name = "local"
address = "127.0.0.1:0"
tls = "none"
auth = "none"
networks = [ { network = "127.0.0.1", login = "app" } ]
[[listeners]]
name = "watched"
address = "127.0.0.1:0"
tls = "none"
auth = "none"
networks = [ { network = "127.0.0.1", login = "watched" } ]
[[listeners]]
name = "odd"
address = "127.0.0.1:0"
tls = "none"
auth = "none"
networks = [ { network = "127.0.0.1", login = "odd" } ]
"#;

const TENANT: &str = r#"
[[logins]]
name = "app"
senders = ["@acme.example"]
account = "main"
[[accounts]]
id = "main"
address = "mail@acme.example"
provider = "generic"
host = "127.0.0.1"
port = 9
tls = "none"
[accounts.grant]
kind = "none"
"#;

/// An account whose application's secret ends one day.
const ENDING: &str = r#"
[[accounts]]
id = "ending"
address = "ending@odd.example"
provider = "gmail"
[accounts.grant]
kind = "refresh_token"
client_id = "app"
client_secret = "env:PATH"
client_secret_expires = "2099-01-31"
refresh_token = "env:PATH"
"#;

/// A tenant that nobody else has, whose policy logs 33 lines of a message, counts it, and rejects it.
fn watched() -> String {
    let lines = "log info line; ".repeat(33);
    let policy = scripted(&format!(
        "recipient = \"reject-after 190 asked\"\nmessage = \"{lines} count seen 2; reject 5.7.1 enough\""
    ));
    format!("[[logins]]\nname = \"watched\"\nsenders = [\"@watched.example\"]\n{policy}")
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the admin address is there");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn health_readiness_and_metrics_are_served() {
    let main = MAIN.to_owned() + &policies();
    let odd = TENANT
        .replace("\"app\"", "\"odd\"")
        .replace("acme.example", "odd.example")
        .replace("port = 9\n", &format!("port = {}\nmessages_per_minute = 7\n", odd_provider().await.port()));
    let odd = odd + ENDING;
    let loaded = from_toml(&main, &[("acme", TENANT), ("watched", &watched()), ("odd", &odd)]);
    let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
    let series = Series::install().expect("the only recorder of this process");
    let relay = Relay::start(config, Some(series)).await.expect("a relay starts");
    let admin = relay.admin_address().expect("an admin address");
    assert!(get(admin, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(admin, "/readyz").await.ends_with("ready\n"));
    let metrics = get(admin, "/metrics").await;
    for name in [
        "posthouse_connections ",
        "posthouse_connections_total ",
        "posthouse_sessions{tenant=\"acme\",account=\"main\",state=\"idle\"} 0",
        "posthouse_account_ready{tenant=\"acme\",account=\"main\"} 1",
        "posthouse_content_memory_bytes 0",
        // date -ud 2099-01-31 +%s
        "posthouse_account_expires_timestamp_seconds{tenant=\"odd\",account=\"ending\",credential=\"client_secret\"} 4073500800",
        "posthouse_alerts_total{result=\"sent\"} 0",
        "posthouse_alerts_waiting 0",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    assert!(get(admin, "/elsewhere").await.starts_with("HTTP/1.1 404"));
    unknown_replies_are_counted(relay.address("odd").expect("a listener"), admin).await;
    policies_are_counted(relay.address("watched").expect("a listener"), admin).await;
}

/// The provider of the tenant `odd` greets with what no row of the reply table has.
async fn unknown_replies_are_counted(address: SocketAddr, admin: SocketAddr) {
    let mut client = Wire::connect(address).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    for _ in 0..2 {
        let heard = send(&mut client, "me@odd.example", &["ann@example.org"], "x\r\n").await;
        assert!(heard.starts_with("451 4.3.0 provider refuses the session: 550 5.9.9 what"), "{heard}");
    }
    let metrics = get(admin, "/metrics").await;
    for line in [
        "posthouse_provider_unknown_replies_total{provider=\"generic\",stage=\"connection\",code=\"550\"} 2\n",
        "posthouse_provider_unknown_replies_unkept_total 0\n",
        "posthouse_account_pause_seconds{tenant=\"odd\",account=\"main\"} 0\n",
        "posthouse_account_messages_per_minute{tenant=\"odd\",account=\"main\"} 7\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

/// A server that greets nobody kindly.
async fn odd_provider() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"550 5.9.9 what ann@example.org\r\n").await;
        }
    });
    address
}

/// 190 messages log 6,080 lines at once, and a tenant has 6,000 a minute; one line of each is over the call's own bound.
async fn policies_are_counted(address: SocketAddr, admin: SocketAddr) {
    let mut client = Wire::connect(address).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    let began = Instant::now();
    for _ in 0..190 {
        let heard = send(&mut client, "me@watched.example", &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await;
        assert_eq!(heard, "550 5.7.1 enough\r\n");
        client.expect("NOOP", "250").await;
    }
    client.expect("MAIL FROM:<me@acme.example>", "553 5.7.1").await;
    client.expect("MAIL FROM:<me@watched.example>", "250").await;
    client.expect("RCPT TO:<ann@example.org>", "550 5.7.1").await;
    let metrics = get(admin, "/metrics").await;
    let of = |labels: &str| format!("{{tenant=\"watched\"{labels}}}");
    for line in [
        format!("posthouse_policy_calls_total{} 190\n", of(",hook=\"message\",result=\"reject\"")),
        format!("posthouse_policy_calls_total{} 190\n", of(",hook=\"recipient\",result=\"proceed\"")),
        format!("posthouse_policy_calls_total{} 0\n", of(",hook=\"message\",result=\"failure\"")),
        "posthouse_policy_counter_total{tenant=\"watched\",name=\"seen\"} 380\n".to_owned(),
        "posthouse_policy_missing{tenant=\"watched\"} 0\n".to_owned(),
        "posthouse_policy_resting{tenant=\"watched\"} 0\n".to_owned(),
        format!("posthouse_refused_total{} 1\n", of(",at=\"mail\",reason=\"not_a_sender\"")),
        format!("posthouse_refused_total{} 1\n", of(",at=\"rcpt\",reason=\"policy\"")),
        "posthouse_undelivered_total{tenant=\"watched\",account=\"none\",reason=\"policy\"} 190\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
    let name = format!("posthouse_policy_log_lines_dropped_total{} ", of(""));
    let dropped = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("lines were dropped");
    let dropped: u32 = dropped.parse().expect("a count");
    // The allowance comes back by a hundred a second while they are sent.
    let back = u32::try_from(began.elapsed().as_millis() / 10).unwrap_or(u32::MAX).saturating_add(1);
    assert!(dropped > 0 && (270_u32.saturating_sub(back)..=270).contains(&dropped), "{dropped}, of which back: {back}");
}
