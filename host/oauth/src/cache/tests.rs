//! The cache against a token endpoint of raw octets.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Begun, NoRotation, Rotation, TokenCache, TokenState, schedule};
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::grant::Grant;
use crate::secret::Secret;

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
    delay: Duration,
}

impl Script {
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn issued(token: &str, more: &str) -> String {
    http("200 OK", &format!(r#"{{"access_token":"{token}","expires_in":3600,"token_type":"Bearer"{more}}}"#))
}

/// Serves the answers in turn, the last one for ever.
async fn endpoint(answers: &[String], delay: Duration) -> (Endpoint, Script) {
    let script =
        Script { answers: Arc::new(Mutex::new(answers.iter().cloned().collect())), delay, ..Script::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let token_url = format!("http://{}/token", listener.local_addr().unwrap());
    let served = script.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let script = served.clone();
            tokio::spawn(async move {
                let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
                while !is_whole(&request) {
                    match socket.read(&mut chunk).await {
                        Ok(count) if count > 0 => request.extend_from_slice(&chunk[..count]),
                        _ => return,
                    }
                }
                script.requests.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                tokio::time::sleep(script.delay).await;
                let answer = {
                    let mut answers = script.answers.lock().unwrap();
                    if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
                };
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    (Endpoint { token_url, scope: Some("https://mail.example.com/".to_owned()) }, script)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

fn grant() -> Grant {
    let client_secret = Some(Secret::new("client-secret"));
    Grant::RefreshToken { client_id: "app".to_owned(), client_secret, refresh_token: Some(Secret::new("refresh-1")) }
}

fn cache(endpoint: Endpoint) -> TokenCache {
    TokenCache::new(Client::new(None).unwrap(), endpoint, grant(), Arc::new(NoRotation), 7)
}

async fn error_of(answer: String) -> Arc<Error> {
    let (endpoint, _) = endpoint(&[answer], Duration::ZERO).await;
    cache(endpoint).token().await.unwrap_err()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_served_from_then_on() {
    let (endpoint, script) = endpoint(&[issued("token-1", "")], Duration::ZERO).await;
    let cache = cache(endpoint);
    assert!(matches!(cache.state(), TokenState::Unused));
    for _ in 0..3 {
        assert_eq!(cache.token().await.unwrap().secret().expose(), "token-1");
    }
    let requests = script.requests();
    assert_eq!(requests.len(), 1);
    for part in ["grant_type=refresh_token", "client_id=app", "client_secret=client-secret", "refresh_token=refresh-1"]
    {
        assert!(requests[0].contains(part), "{part}");
    }
    assert!(matches!(cache.state(), TokenState::Ready { .. }));
}

#[tokio::test]
async fn a_thousand_who_ask_at_once_make_one_request() {
    let (endpoint, script) = endpoint(&[issued("token-1", "")], Duration::from_millis(100)).await;
    let cache = cache(endpoint);
    let mut asking = JoinSet::new();
    for _ in 0..1000 {
        let cache = cache.clone();
        asking.spawn(async move { cache.token().await.is_ok() });
    }
    assert!(asking.join_all().await.into_iter().all(|ok| ok));
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn who_gives_up_waiting_strands_nobody() {
    let (endpoint, script) = endpoint(&[issued("token-1", "")], Duration::from_millis(200)).await;
    let cache = cache(endpoint);
    let leader = tokio::spawn({
        let cache = cache.clone();
        async move { cache.token().await.is_ok() }
    });
    while script.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    leader.abort();
    assert!(cache.token().await.is_ok());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_a_replaced_one_is_not() {
    let (endpoint, script) = endpoint(&[issued("token-1", ""), issued("token-2", "")], Duration::ZERO).await;
    let cache = cache(endpoint);
    let first = cache.token().await.unwrap();
    assert_eq!(cache.renew(&first).await.unwrap().secret().expose(), "token-2");
    assert_eq!(cache.renew(&first).await.unwrap().secret().expose(), "token-2");
    assert_eq!(script.requests().len(), 2);
}

#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Rotation for Kept {
    fn begin(&self) -> Option<Begun> {
        Some(Begun::default())
    }

    fn keep(&self, refresh_token: &Secret) -> io::Result<()> {
        self.0.lock().unwrap().push(refresh_token.expose().to_owned());
        Ok(())
    }
}

struct Full;

impl Rotation for Full {
    fn begin(&self) -> Option<Begun> {
        // It has an older one than that which it could not keep.
        Some(Begun { newest: Some(Secret::new("refresh-1")), ..Begun::default() })
    }

    fn keep(&self, _: &Secret) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_before_use_and_used_next() {
    let answers =
        [issued("token-1", r#","refresh_token":"refresh-2""#), issued("token-2", r#","refresh_token":"refresh-2""#)];
    let (endpoint, script) = endpoint(&answers, Duration::ZERO).await;
    let kept = Arc::new(Kept::default());
    let cache = TokenCache::new(Client::new(None).unwrap(), endpoint, grant(), kept.clone(), 7);
    let first = cache.token().await.unwrap();
    assert_eq!(*kept.0.lock().unwrap(), ["refresh-2"]);
    cache.renew(&first).await.unwrap();
    assert!(script.requests()[1].contains("refresh_token=refresh-2"));
    assert_eq!(kept.0.lock().unwrap().len(), 1, "the same token is not kept twice");
}

#[tokio::test]
async fn a_refresh_token_that_could_not_be_kept_is_told() {
    let (endpoint, script) = endpoint(&[issued("token-1", r#","refresh_token":"refresh-2""#)], Duration::ZERO).await;
    let cache = TokenCache::new(Client::new(None).unwrap(), endpoint, grant(), Arc::new(Full), 7);
    let first = cache.token().await.unwrap();
    assert!(matches!(cache.state(), TokenState::Ready { unkept: Some(_), .. }));
    cache.renew(&first).await.unwrap();
    assert!(script.requests()[1].contains("refresh_token=refresh-2"), "it is the newest all the same");
}

/// Another process has the store, or had it.
#[derive(Default)]
struct Shared {
    elsewhere: AtomicBool,
    newest: Mutex<Option<Secret>>,
}

impl Rotation for Shared {
    fn begin(&self) -> Option<Begun> {
        let newest = self.newest.lock().unwrap().clone();
        (!self.elsewhere.load(Ordering::SeqCst)).then(|| Begun { newest, ..Begun::default() })
    }

    fn keep(&self, _: &Secret) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_asked_for_while_another_process_has_the_refresh_token() {
    let (endpoint, script) = endpoint(&[issued("token-1", ""), issued("token-2", "")], Duration::ZERO).await;
    let shared = Arc::new(Shared::default());
    let cache = TokenCache::new(Client::new(None).unwrap(), endpoint, grant(), shared.clone(), 7);
    let first = cache.token().await.unwrap();
    shared.elsewhere.store(true, Ordering::SeqCst);
    assert_eq!(cache.token().await.unwrap().secret().expose(), "token-1", "what is at hand is good for the drain");
    let error = cache.renew(&first).await.unwrap_err();
    assert!(matches!(*error, Error::Elsewhere) && !error.is_permanent(), "{error}");
    assert_eq!(script.requests().len(), 1);
    // It comes back: at once, and with what the other one has kept meanwhile.
    *shared.newest.lock().unwrap() = Some(Secret::new("refresh-9"));
    shared.elsewhere.store(false, Ordering::SeqCst);
    assert_eq!(cache.renew(&first).await.unwrap().secret().expose(), "token-2");
    assert!(script.requests()[1].contains("refresh_token=refresh-9"));
}

#[tokio::test]
async fn another_consent_is_tried_kept_and_used_and_a_refused_one_changes_nothing() {
    let refusal = http("400 Bad Request", r#"{"error":"invalid_grant"}"#);
    let answers = [refusal.clone(), refusal, issued("token-1", ""), issued("token-2", "")];
    let (endpoint, script) = endpoint(&answers, Duration::ZERO).await;
    let kept = Arc::new(Kept::default());
    let cache = TokenCache::new(Client::new(None).unwrap(), endpoint, grant(), kept.clone(), 7);
    assert!(cache.token().await.unwrap_err().is_permanent());
    assert!(cache.trouble().is_some_and(|trouble| trouble.error.is_permanent()));
    assert!(cache.adopt(&Secret::new("refresh-bad")).await.unwrap_err().is_permanent());
    assert!(kept.0.lock().unwrap().is_empty() && cache.trouble().is_some());
    // At once, though the endpoint would be left alone for half a minute.
    let first = cache.adopt(&Secret::new("refresh-new")).await.unwrap();
    assert!(cache.trouble().is_none());
    assert_eq!(*kept.0.lock().unwrap(), ["refresh-new"]);
    assert_eq!(cache.token().await.unwrap().secret().expose(), "token-1");
    cache.renew(&first).await.unwrap();
    assert!(script.requests()[3].contains("refresh_token=refresh-new"));
}

#[tokio::test]
async fn who_has_not_consented_is_not_asked_for_at_the_endpoint() {
    let (endpoint, script) = endpoint(&[issued("token-1", "")], Duration::ZERO).await;
    let grant = Grant::RefreshToken { client_id: "app".to_owned(), client_secret: None, refresh_token: None };
    let cache = TokenCache::new(Client::new(None).unwrap(), endpoint, grant, Arc::new(NoRotation), 7);
    assert!(!cache.has_consent());
    assert!(matches!(*cache.token().await.unwrap_err(), Error::NoConsent));
    assert!(script.requests().is_empty());
    cache.adopt(&Secret::new("refresh-1")).await.unwrap();
    assert!(cache.has_consent() && cache.token().await.is_ok());
}

#[tokio::test]
async fn what_is_permanent_is_told_by_the_error_field() {
    let refusal =
        http("400 Bad Request", r#"{"error":"invalid_grant","error_description":"AADSTS700082:\r\nexpired"}"#);
    let error = error_of(refusal).await;
    assert!(error.is_permanent());
    assert_eq!(error.to_string(), "token endpoint refuses: invalid_grant: AADSTS700082:  expired");
    for (status, body) in [
        ("401 Unauthorized", r#"{"error":"invalid_client"}"#),
        ("400 Bad Request", r#"{"error":"interaction_required"}"#),
    ] {
        assert!(error_of(http(status, body)).await.is_permanent());
    }
    for (status, body) in [
        ("400 Bad Request", r#"{"error":"temporarily_unavailable"}"#),
        ("503 Service Unavailable", r#"{"error":"invalid_grant"}"#),
        ("500 Internal Server Error", "oops"),
        ("302 Found", ""),
        ("200 OK", "garbage"),
        ("200 OK", r#"{"access_token":"a b"}"#),
        ("404 Not Found", "<html>"),
    ] {
        assert!(!error_of(http(status, body)).await.is_permanent(), "{status} {body}");
    }
}

#[tokio::test]
async fn bounds_are_kept_whatever_the_endpoint_sends() {
    let large = error_of(http("200 OK", &"x".repeat(8 << 20))).await;
    assert!(matches!(*large, Error::Nonsense("more than 64 KiB")), "{large}");
    let plain = Endpoint { token_url: "http://login.example.com/token".to_owned(), scope: None };
    assert!(matches!(*cache(plain).token().await.unwrap_err(), Error::Endpoint(_)));
    let closed = Endpoint { token_url: "http://127.0.0.1:9/token".to_owned(), scope: None };
    assert!(matches!(*cache(closed).token().await.unwrap_err(), Error::Unreachable(_)));
}

#[tokio::test]
async fn a_failing_endpoint_is_left_alone_for_a_while() {
    let pause = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (endpoint, script) = endpoint(&[pause.to_owned(), issued("token-1", "")], Duration::ZERO).await;
    let cache = cache(endpoint);
    for _ in 0..10 {
        let error = cache.token().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    }
    assert_eq!(script.requests().len(), 1);
    assert!(matches!(cache.state(), TokenState::Failing { .. }));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(34)).await;
    tokio::time::resume();
    assert!(cache.token().await.is_ok());
}

#[tokio::test]
async fn a_token_in_use_is_renewed_ahead_and_an_unused_one_lapses() {
    let answers = [issued("token-1", ""), issued("token-2", ""), issued("token-3", "")];
    let (endpoint, script) = endpoint(&answers, Duration::ZERO).await;
    let cache = cache(endpoint);
    // Whoever waited for it has had it.
    cache.token().await.unwrap();
    let ahead = schedule::renewal(Duration::from_secs(3600), 7);
    assert!(ahead > Duration::from_secs(2_200) && ahead < Duration::from_secs(2_800));
    for expected in [2, 2] {
        tokio::time::pause();
        tokio::time::advance(ahead + Duration::from_millis(10)).await;
        tokio::time::resume();
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if script.requests().len() >= expected && matches!(cache.state(), TokenState::Ready { .. }) {
                break;
            }
        }
        assert_eq!(script.requests().len(), expected, "the renewed token was not used, and is not renewed again");
    }
}

#[test]
fn pauses_double_within_their_bounds() {
    let temporary = Error::Interrupted;
    let permanent = Error::Endpoint("x");
    let seconds = |error: &Error, count| schedule::pause(error, count, 3).as_secs_f64();
    assert!((0.9..=1.1).contains(&seconds(&temporary, 1)) && (54.0..=66.0).contains(&seconds(&temporary, 40)));
    assert!((27.0..=33.0).contains(&seconds(&permanent, 1)) && (810.0..=990.0).contains(&seconds(&permanent, 40)));
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?}", grant());
    assert!(!shown.contains("client-secret") && !shown.contains("refresh-1"), "{shown}");
}
