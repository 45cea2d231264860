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

use crate::control::Control;
use crate::front::Front;
use crate::gauges;
use crate::shutdown::Draining;

/// How often the metrics' histograms are tidied when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Admin {
    front: Arc<Front>,
    #[expect(dead_code, reason = "served by the endpoints to come")]
    control: Control,
    prometheus: PrometheusHandle,
    draining: Draining,
}

/// The admin address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("admin: cannot listen on {address}: {source}")]
pub struct NotServed {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: std::io::Error,
}

/// Listens on the admin address; says where that is.
///
/// # Errors
/// The address cannot be listened on.
pub async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), NotServed> {
    let failed = |source| NotServed { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves the admin address until the relay is gone.
pub(crate) fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    control: Control,
    prometheus: PrometheusHandle,
    draining: Draining,
) {
    tokio::spawn(upkeep(prometheus.clone()));
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .with_state(Admin { front, control, prometheus, draining });
    tokio::spawn(async move { axum::serve(listener, router).await });
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
