//! What is answered where something is not done: what was wrong, and what to do next, in JSON.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::control::Ending;

/// How much of what a client sent is shown to it again.
const SHOWN: usize = 64;

/// A request that is not done.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: String,
    next: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    /// What more there is to say, beside `error` and `next`.
    report: Option<Box<Value>>,
}

impl Failure {
    /// With this status, for this reason; `next` says what to do about it.
    pub(super) fn new(status: StatusCode, error: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status, error: error.into(), next: next.into(), header: None, report: None }
    }

    /// No token that is known.
    pub(super) fn unauthorized(error: &str) -> Self {
        let next = "send `Authorization: Bearer TOKEN`; `posthouse admin-token` makes one";
        let bearer = HeaderValue::from_static("Bearer");
        Self {
            header: Some(Box::new((header::WWW_AUTHENTICATE, bearer))),
            ..Self::new(StatusCode::UNAUTHORIZED, error, next)
        }
    }

    /// A token that is not good for this.
    pub(super) fn forbidden(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error, next)
    }

    /// So many seconds have to pass first.
    pub(super) fn too_many(seconds: u64) -> Self {
        let error = "too many requests with wrong tokens came from this address";
        let next = format!("try again in {seconds} s, with a token that is configured");
        let header = Some(Box::new((header::RETRY_AFTER, HeaderValue::from(seconds))));
        Self { header, ..Self::new(StatusCode::TOO_MANY_REQUESTS, error, next) }
    }

    /// There is no such thing.
    pub(super) fn not_found(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, next)
    }

    /// What is said does not fit what is asked for.
    pub(super) fn unfit(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error, next)
    }

    /// What is answered.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong.
    pub(super) fn error(&self) -> &str {
        &self.error
    }

    /// What to do about it.
    pub(super) fn next(&self) -> &str {
        &self.next
    }

    /// With this report beside it.
    pub(super) fn with(self, report: Value) -> Self {
        Self { report: Some(Box::new(report)), ..self }
    }
}

impl From<Ending> for Failure {
    fn from(ending: Ending) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ending.to_string(), "ask the relay that takes its place")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error, "next": self.next });
        if let Some(report) = self.report {
            body["report"] = *report;
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some((name, value)) = self.header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A client's own text, to be shown to it again: bounded, and without what a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("..");
    }
    format!("{shown:?}")
}
