//! `GET /`: a page that shows the relay to whoever has a token, and changes nothing.
//!
//! It is whole without JavaScript; `page.js` only asks for it again every two seconds and puts what has changed in its
//! place, so that there is one rendering and one place that escapes. What it shows is what the API answers to the same
//! token. Browsers log in by HTTP Basic, see `access::caller`.

mod document;
mod html;
mod parts;
mod relay;
mod tenants;
mod view;
mod words;

use axum::body::Bytes;
use axum::extract::{Query, State, rejection::QueryRejection};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Admin;
use super::access::Caller;
use super::failure::Failure;
use crate::audit::Entry;
use crate::config::token::Digest;
use crate::recent::Series;

use parts::Tone;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
const ICON: &str = include_str!("page/icon.svg");

/// What a browser may do with the page: load its style, its script and its icon from here, ask here, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What makes a browser ask for a token.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"posthouse\", charset=\"UTF-8\"");

/// What is to be shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// This tenant alone.
    tenant: Option<String>,
    /// The tenants that follow this one.
    after: Option<String>,
}

/// All that a page shows, as far as the caller may see it.
#[derive(Debug)]
struct View {
    /// In seconds since 1970.
    now: u64,
    /// Whose part it is; none is the relay's.
    of_tenant: Option<String>,
    hostname: String,
    /// As `GET /v1/status`; none for a tenant's token.
    status: Option<serde_json::Value>,
    series: Series,
    troubles: Vec<Trouble>,
    /// As `GET /v1/tenants/{tenant}`, each with its `policies`.
    tenants: Vec<serde_json::Value>,
    /// How many there are, and the last shown one, if others follow.
    tenants_there: usize,
    followed: Option<String>,
    changes: Vec<serde_json::Value>,
}

/// Something that somebody has to look at.
#[derive(Debug)]
struct Trouble {
    tone: Tone,
    word: String,
    tenant: Option<String>,
    account: Option<String>,
    why: String,
}

pub(super) async fn page(
    State(admin): State<Admin>,
    caller: Caller,
    headers: HeaderMap,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let next = "the query takes `tenant` or `after`";
    let wish = wish.map_err(|_| Failure::unfit("the query is not understood", next));
    match wish.and_then(|Query(wish)| view::view(&admin, &caller, &wish)) {
        Ok(view) => html(StatusCode::OK, document::document(&view)),
        Err(failure) => refusal(failure, &headers),
    }
}

/// What a browser shows where there is no page for it; programs get the same as everywhere.
pub(super) fn refusal(failure: Failure, headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") {
        return failure.into_response();
    }
    let mut refused = html(failure.status(), document::refusal(&failure));
    if failure.status() == StatusCode::UNAUTHORIZED {
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    let plain = failure.into_response();
    if let Some(wait) = plain.headers().get(header::RETRY_AFTER) {
        refused.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    refused
}

fn html(status: StatusCode, text: String) -> Response {
    let fields = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (status, fields, text).into_response()
}

pub(super) async fn style(headers: HeaderMap) -> Response {
    asset(&headers, "text/css; charset=utf-8", STYLE)
}

pub(super) async fn script(headers: HeaderMap) -> Response {
    asset(&headers, "text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn icon(headers: HeaderMap) -> Response {
    asset(&headers, "image/svg+xml", ICON)
}

/// A file that is the same for everybody; browsers ask each time whether theirs is this one.
fn asset(headers: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let digest = Digest::of(text.as_bytes()).to_string();
    let tag = format!("\"{}\"", digest.trim_start_matches("blake2s:"));
    let is_there = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits between quotation marks");
    let fields: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, tag),
    ];
    match is_there {
        true => (StatusCode::NOT_MODIFIED, fields).into_response(),
        false => (fields, Bytes::from_static(text.as_bytes())).into_response(),
    }
}

/// As `GET /v1/audit`.
fn change(entry: &Entry) -> serde_json::Value {
    serde_json::to_value(entry).unwrap_or_default()
}

#[cfg(test)]
mod tests;
