//! What watches over the process asks: metrics, health, readiness.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Admin;
use super::failure::Failure;
use crate::gauges;

pub(super) async fn metrics(State(admin): State<Admin>) -> Result<Response, Failure> {
    let Some(series) = &admin.series else {
        return Err(Failure::not_found("this relay keeps no metrics", "start it with `posthouse run`"));
    };
    gauges::record(&admin.front);
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    Ok(([kind], series.render()).into_response())
}

/// The process serves.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// The relay takes new connections.
pub(super) async fn readiness(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    if admin.draining.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
