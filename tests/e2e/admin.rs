//! The admin address: metrics with the names that were promised, health, readiness.

use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusBuilder;
use posthouse_relay::config::from_toml;
use posthouse_relay::relay::Relay;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
    let loaded = from_toml(MAIN, &[("acme", TENANT)]);
    let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
    let prometheus = PrometheusBuilder::new().install_recorder().expect("the only recorder of this process");
    let relay = Relay::start(config, Some(prometheus)).await.expect("a relay starts");
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
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    assert!(get(admin, "/elsewhere").await.starts_with("HTTP/1.1 404"));
}
