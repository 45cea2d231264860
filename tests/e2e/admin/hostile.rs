//! Requests that nobody well-meaning sends: each is answered or cut off, and the next one is served.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http::{Ask, PATIENCE, answer, taken_apart};
use super::operated::{ACME, OPERATOR, Operated};

const PAUSE: &str = "/v1/tenants/acme/pause";

fn pause() -> Ask {
    Ask::post(PAUSE).token(OPERATOR)
}

#[tokio::test]
async fn names_that_are_not_ours_are_refused() {
    let relay = Operated::with("hosts = [\"Relay.example.com\"]").await;
    let status = |host: &str| Ask::get("/v1/status").token(OPERATOR).host(host);
    let port = relay.address.port();
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", &format!("127.0.0.1:{port}"), "[::1]:1", "relay.example.com."]
    {
        relay.ask(&status(host)).await.done();
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "relay.example.org"] {
        let error = relay.ask(&status(host)).await.refused(421);
        assert!(error.contains(host), "{error}");
        // Metrics tell an attacker's page nothing either.
        relay.ask(&Ask::get("/metrics").host(host)).await.refused(421);
    }
    for host in ["", "evil.example@localhost", "local host"] {
        relay.ask(&status(host)).await.refused(400);
    }
    relay.ask(&status("localhost").field("host", "localhost")).await.refused(400);
    relay.ask(&Ask::get("http://evil.example/v1/status").token(OPERATOR)).await.refused(400);
}

#[tokio::test]
async fn other_sites_pages_change_nothing() {
    let relay = Operated::new().await;
    let ask = || pause().json("{\"reason\":\"x\"}");
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://localhost.evil.example", "localhost"] {
        relay.ask(&ask().field("origin", origin)).await.refused(403);
    }
    relay.ask(&ask().field("origin", "http://localhost").field("origin", "http://evil.example")).await.refused(403);
    let tenants = relay.get("/v1/tenants/acme", ACME).await.done();
    assert_eq!(tenants["state"], "ready");
    // Its own page may, and whoever reads may come from anywhere: it is not let read the answer.
    let answer = relay.ask(&Ask::get("/v1/status").token(OPERATOR).field("origin", "http://evil.example")).await;
    assert_eq!((answer.status, answer.field("access-control-allow-origin")), (200, None));
    let preflight = Ask::new("OPTIONS", PAUSE).field("origin", "http://evil.example");
    let answer = relay.ask(&preflight.field("access-control-request-method", "POST")).await;
    assert_eq!((answer.status, answer.field("access-control-allow-origin")), (405, None));
    relay.ask(&ask().field("origin", "http://localhost")).await.done();
}

#[tokio::test]
async fn bodies_are_what_they_have_to_be_or_refused() {
    let relay = Operated::new().await;
    let good = "{\"reason\":\"x\"}";
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonp"]
    {
        relay.ask(&pause().field("content-type", kind).body(good)).await.refused(415);
    }
    relay.ask(&pause().body(good)).await.refused(415);
    for body in ["", "{", "{\"reason\":", "\u{0}", "{\"reason\":\"x\"} {}", "{'reason':'x'}"] {
        relay.ask(&pause().json(body)).await.refused(400);
    }
    let deep = "[".repeat(50_000);
    relay.ask(&pause().json(&deep)).await.refused(422);
    let long = format!("{{\"reason\":\"{}\"}}", "x".repeat(201));
    for body in [
        "null",
        "[]",
        "\"x\"",
        "{}",
        "{\"reason\":null}",
        "{\"reason\":[\"x\"]}",
        "{\"reason\":\"x\",\"y\":1}",
        "{\"reason\":\" \"}",
        "{\"reason\":\"a\\r\\n250 ok\"}",
        "{\"reason\":\"\\u00e9\"}",
        &long,
    ] {
        relay.ask(&pause().json(body)).await.refused(422);
    }
    // What a body says is not said again: it may have been meant for somewhere else.
    let answer = relay.ask(&pause().json("{\"password\":\"hunter2\"}")).await;
    assert!(!answer.refused(422).contains("hunter2") && !answer.body.contains("password"), "{answer:?}");
    relay.ask(&pause().json(&format!("{{\"reason\":\"{}\"}}", "x".repeat(70_000)))).await.refused(413);
    relay.ask(&Ask::post("/v1/reload").token(OPERATOR).json("{}")).await.refused(413);
    let chunked = format!("4\r\n{}\r\n0\r\n\r\n", "true");
    let mut ask = pause().field("content-type", "application/json").field("transfer-encoding", "chunked").octets();
    ask.push_str(&chunked);
    let mut stream = TcpStream::connect(relay.address).await.expect("the admin address is there");
    stream.write_all(ask.as_bytes()).await.expect("it reads");
    answer_of(&mut stream).await.refused(422);
    assert_eq!(relay.get("/v1/tenants/acme", ACME).await.done()["state"], "ready");
}

async fn answer_of(stream: &mut TcpStream) -> super::http::Answer {
    timeout(PATIENCE, answer(stream)).await.expect("an answer in time")
}

#[tokio::test]
async fn paths_and_methods_that_there_are_not_are_refused() {
    let relay = Operated::new().await;
    for path in [
        "/page",
        "/v1",
        "/v1/",
        "/v1/status/",
        "/v2/status",
        "/v1/tenants/acme/secrets",
        "/v1/openapi.yaml",
        "//v1/status",
    ] {
        relay.get(path, OPERATOR).await.refused(404);
    }
    for path in [
        "/v1/tenants/..%2F..%2Fetc%2Fpasswd",
        "/v1/tenants/%2e%2e",
        "/v1/tenants/acme%00",
        "/v1/tenants/ACME",
        "/v1/tenants/acme.toml",
        "/v1/tenants/%2Fetc%2Fposthouse%2Ftenants%2Facme",
        "/v1/tenants/%ff%fe",
        "/v1/tenants/acme%2Faccounts",
    ] {
        let error = relay.get(path, OPERATOR).await.refused(404);
        assert!(error.starts_with("there is no tenant \""), "{error}");
        // A tenant's token hears that it may not, whatever it asks for.
        relay.get(path, ACME).await.refused(403);
    }
    let long = format!("/v1/tenants/{}", "a".repeat(5_000));
    let answer = relay.get(&long, OPERATOR).await;
    answer.refused(404);
    assert!(answer.body.len() < 400, "{answer:?}");
    for path in [
        "/v1/tenants/acme/accounts/..%2F..%2Fglobex%2Faccounts%2Fgmail/pause",
        "/v1/tenants/acme/accounts/nothing/pause",
    ] {
        relay.ask(&Ask::post(path).token(ACME).json("{\"reason\":\"x\"}")).await.refused(404);
    }
    for (method, path) in [
        ("POST", "/v1/status"),
        ("GET", "/v1/reload"),
        ("DELETE", "/v1/tenants/acme"),
        ("PUT", PAUSE),
        ("TRACE", "/v1/trace"),
        ("BREW", "/v1/status"),
    ] {
        let answer = relay.ask(&Ask::new(method, path).token(OPERATOR)).await;
        answer.refused(405);
        assert!(answer.field("allow").is_some(), "{method} {path}: {answer:?}");
    }
    let head = relay.ask(&Ask::new("HEAD", "/v1/status").token(OPERATOR)).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn headers_are_bounded() {
    let relay = Operated::new().await;
    let large = Ask::get("/v1/status").token(OPERATOR).field("x-large", &"x".repeat(200_000));
    assert_eq!(relay.ask(&large).await.status, 431);
    let many = (0..100).fold(Ask::get("/v1/status").token(OPERATOR), |ask, n| ask.field(&format!("x-{n}"), "1"));
    assert_eq!(relay.ask(&many).await.status, 431);
    for garbage in
        ["\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "GET /v1/status\r\n\r\n", "EHLO evil.example\r\n", "GET / HTTP/9.9\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(relay.address).await.expect("the admin address is there");
        stream.write_all(garbage.as_bytes()).await.expect("it reads");
        stream.shutdown().await.expect("it can be said");
        let mut heard = String::new();
        let _ = timeout(PATIENCE, stream.read_to_string(&mut heard)).await.expect("it ends");
        assert!(heard.is_empty() || taken_apart(&heard).status == 400, "{heard}");
    }
    relay.get("/v1/status", OPERATOR).await.done();
}

#[tokio::test]
async fn whoever_is_slow_is_cut_off() {
    let relay = Operated::new().await;
    let slow = |octets: String| async move {
        let mut stream = TcpStream::connect(relay.address).await.expect("the admin address is there");
        stream.write_all(octets.as_bytes()).await.expect("it reads");
        let began = Instant::now();
        let mut heard = String::new();
        let _ = timeout(PATIENCE, stream.read_to_string(&mut heard)).await.expect("it ends");
        (heard, began.elapsed())
    };
    let body = Ask::post(PAUSE).token(OPERATOR).field("content-type", "application/json").field("content-length", "14");
    let idle = Ask::get("/healthz").octets().replace("connection: close\r\n", "");
    let (header, body, idle) = tokio::join!(
        slow("GET /v1/status HTTP/1.1\r\nhost: local".to_owned()),
        slow(body.octets() + "{\"reason\":"),
        slow(idle),
    );
    assert!(taken_apart(&body.0).refused(408).contains("did not come to its end"), "{body:?}");
    assert!(header.0.is_empty() || taken_apart(&header.0).status == 408, "{header:?}");
    assert!(idle.0.ends_with("ok\n"), "{idle:?}");
    for (_, took) in [header, body, idle] {
        assert!((9..16).contains(&took.as_secs()), "{took:?}");
    }
}

#[tokio::test]
async fn connections_are_bounded_and_come_back() {
    let relay = Operated::new().await;
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(TcpStream::connect(relay.address).await.expect("the admin address is there"));
    }
    let mut one_more = TcpStream::connect(relay.address).await.expect("the system accepts it");
    let mut heard = Vec::new();
    let ended = timeout(Duration::from_secs(5), one_more.read_to_end(&mut heard)).await;
    assert!(ended.is_ok() && heard.is_empty(), "it is closed at once");
    drop(held);
    let served = async {
        loop {
            let mut stream = TcpStream::connect(relay.address).await.expect("the admin address is there");
            let _ = stream.write_all(Ask::get("/healthz").octets().as_bytes()).await;
            let mut heard = String::new();
            let _ = stream.read_to_string(&mut heard).await;
            if heard.ends_with("ok\n") {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), served).await.expect("the places come back");
}
