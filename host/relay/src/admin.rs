//! The admin address: metrics, health, readiness. The only importer of axum.
//!
//! Nothing here changes anything, and nothing here knows a secret.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::front::Front;
use crate::gauges;
use crate::shutdown::Draining;

/// How often the metrics' histograms are tidied when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Admin {
    front: Arc<Front>,
    prometheus: PrometheusHandle,
    draining: Draining,
}

/// Serves the admin address until the relay is gone; says where it listens.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    address: SocketAddr,
    front: Arc<Front>,
    prometheus: PrometheusHandle,
    draining: Draining,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(upkeep(prometheus.clone()));
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .with_state(Admin { front, prometheus, draining });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn upkeep(prometheus: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        prometheus.run_upkeep();
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    gauges::record(&admin.front);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], admin.prometheus.render()).into_response()
}

/// The process serves.
async fn health() -> &'static str {
    "ok\n"
}

/// The relay takes new connections.
async fn readiness(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    if admin.draining.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
