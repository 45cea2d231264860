//! Where a request comes from, before it is looked at: not from another site's page.
//!
//! There is no cookie and no CORS field: a page of another site can send no token and read no answer. What is left is a
//! name that is made to lead here (DNS rebinding), and requests that change something without being read.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Admin;
use super::connections::Peer;
use super::failure::{Failure, shown};

/// What every answer says, unless its endpoint says something else.
const FIELDS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Paths that are asked for by whatever name leads here, by what watches over the process.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Lets requests to our own names pass, and changes from our own pages or from programs.
pub(super) async fn check(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let mut response = match check_request(&admin, &request) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    for (name, value) in FIELDS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

fn check_request(admin: &Admin, request: &Request) -> Result<(), Failure> {
    if PROBES.contains(&request.uri().path()) {
        return Ok(());
    }
    let host = host(request)?;
    let peer = request.extensions().get::<Peer>().expect("each connection says whose it is");
    let snapshot = admin.snapshot();
    let hosts = snapshot.config.admin.iter().flat_map(|admin| &admin.hosts);
    if !is_ours(host.host(), peer, hosts) {
        let next = "use the address itself, or add the name to `hosts` of [admin]";
        let error = format!("{} is no name of this admin address", shown(host.host()));
        return Err(Failure::new(StatusCode::MISDIRECTED_REQUEST, error, next));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    check_origin(request.headers(), &host)
}

/// The name that was asked for: the target's, where it has one (RFC 9112 3.2.2), and that of the Host field.
fn host(request: &Request) -> Result<Authority, Failure> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let only = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|value| value.parse::<Authority>().ok()),
        _ => None,
    };
    let of_target = request.uri().authority();
    match only.filter(|host| !host.as_str().contains('@') && of_target.is_none_or(|target| target == host)) {
        Some(host) => Ok(host),
        None => Err(Failure::new(StatusCode::BAD_REQUEST, "there is not one Host field with one name", "send one")),
    }
}

/// A name of loopback, the address that the client has connected to, or a configured name.
fn is_ours<'a>(host: &str, peer: &Peer, mut hosts: impl Iterator<Item = &'a String>) -> bool {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>()
        && (address.is_loopback() || address.to_canonical() == peer.ours)
    {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || hosts.any(|ours| *ours == name)
}

/// Browsers say which page wants the change; programs say nothing.
fn check_origin(headers: &HeaderMap, host: &Authority) -> Result<(), Failure> {
    let is_own = |origin: &HeaderValue| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
    };
    if headers.get_all(header::ORIGIN).iter().all(is_own) {
        return Ok(());
    }
    Err(Failure::forbidden("another site's page asks for this change", "use the page of the admin address itself"))
}
