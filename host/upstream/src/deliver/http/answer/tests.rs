//! Answers as the interfaces give them, and what they are taken for.

use std::io;
use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;

use super::{LONGEST_PAUSE, Text, Unclear, complaint, pause, taken};
use crate::transport::Transport;

fn text(body: &str) -> Text {
    Text { id: None, octets: body.as_bytes().to_vec(), cut: None }
}

fn cut_short(body: &str) -> Text {
    Text { cut: Some(io::ErrorKind::UnexpectedEof.into()), ..text(body) }
}

#[test]
fn success_is_one_status_of_each_interface() {
    let id = Text { id: Some("7-8".to_owned()), ..text("") };
    let reply = taken(Transport::Graph, 202, &id).expect("success");
    assert_eq!(reply.to_string(), "202 accepted by Graph for sending, request-id 7-8");
    assert!(matches!(taken(Transport::Graph, 200, &text("<html>")), Err(Unclear::Strange(_))));
    let reply = taken(Transport::GmailApi, 200, &text(r#"{"id":"18f","threadId":"18f"}"#)).expect("success");
    assert_eq!(reply.to_string(), "200 accepted by the Gmail API, id 18f");
    for (status, body) in [(200, "<html>"), (200, "{}"), (202, r#"{"id":"18f"}"#), (204, "")] {
        assert!(matches!(taken(Transport::GmailApi, status, &text(body)), Err(Unclear::Strange(_))), "{status} {body}");
    }
    let lost = cut_short(r#"{"id":"18f"}"#);
    assert!(matches!(taken(Transport::GmailApi, 200, &lost), Err(Unclear::Lost(_))));
}

#[test]
fn errors_are_told_by_code_and_message() {
    let graph = r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied.\r\nCheck credentials."}}"#;
    assert_eq!(complaint(403, &text(graph)), "ErrorAccessDenied Access is denied. Check credentials.");
    let gmail = r#"{"error":{"code":403,"message":"Too many","status":"PERMISSION_DENIED",
                   "errors":[{"reason":"rateLimitExceeded"}]}}"#;
    assert_eq!(complaint(403, &text(gmail)), "rateLimitExceeded Too many");
    assert_eq!(complaint(502, &text("<html>")), "status 502 without an explanation");
}

#[test]
fn of_an_error_that_breaks_off_what_has_come_is_told_and_that_it_is_not_all() {
    let told = |body| complaint(403, &cut_short(body));
    assert_eq!(told(r#"{"error":{"code":"#), r#"explanation cut short: {"error":{"code":"#);
    assert_eq!(told(""), "status 403, explanation cut short");
    assert_eq!(told(r#"{"error":{"code":"ErrorAccessDenied"}}"#), "ErrorAccessDenied", "nothing of it is missing");
}

#[test]
fn a_pause_is_taken_from_the_provider_and_capped() {
    let said = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().expect("a header"));
        pause(&headers)
    };
    assert_eq!(said("7"), Some(Duration::from_secs(7)));
    assert_eq!(said("86400"), Some(LONGEST_PAUSE));
    assert_eq!(said("0"), None);
    assert_eq!(said("soon"), None);
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    assert!(said(&date).is_some_and(|pause| pause > Duration::from_secs(90)));
    assert_eq!(pause(&HeaderMap::new()), None);
}
