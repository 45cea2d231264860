//! What comes with a request: JSON of a bounded size within a bounded time, or nothing.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use super::failure::Failure;

/// The most octets of JSON.
const MOST: usize = 64 * 1024;
/// How long a body may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A body of JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// No body.
#[derive(Debug)]
pub(super) struct Nothing;

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let (error, next) = ("the body is not said to be JSON", "send `Content-Type: application/json`");
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, next));
        }
        let body = read(request.into_body(), MOST).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            // Serde's own words would show what stands in the wrong place, which may be a secret.
            let place = format!("at line {}, column {}", error.line(), error.column());
            let next = "see the operation in /v1/openapi.json";
            match error.classify() {
                Category::Data => {
                    Failure::unfit(format!("the body has a field too many, too few or of another type, {place}"), next)
                }
                Category::Io | Category::Syntax | Category::Eof => {
                    Failure::new(StatusCode::BAD_REQUEST, format!("the body is no JSON, {place}"), next)
                }
            }
        })
    }
}

impl<S: Sync> FromRequest<S> for Nothing {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request.into_body(), 0).await.map(|_| Self)
    }
}

/// A whole body of at most so many octets.
pub(super) async fn read(body: Body, most: usize) -> Result<Bytes, Failure> {
    let Ok(collected) = timeout(PATIENCE, Limited::new(body, most).collect()).await else {
        let next = format!("send it within {} s", PATIENCE.as_secs());
        return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come to its end", next));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let error = format!("the body is longer than {most} octets");
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, error, if most == 0 { "send none" } else { "send less" }))
        }
        Err(_) => Err(Failure::new(StatusCode::BAD_REQUEST, "the body broke off", "send it again")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let (kind, parameter) = value.split_once(';').unwrap_or((value, "charset=utf-8"));
    kind.trim().eq_ignore_ascii_case("application/json") && parameter.trim().eq_ignore_ascii_case("charset=utf-8")
}
