//! `posthouse run`: the relay, until it is told to end.

use std::path::Path;
use std::process::ExitCode;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use super::terminal::complain;
use crate::config::files::Sources;
use crate::config::log::{Log, LogFormat};
use crate::config::{Config, load};
use crate::control::sources::{Fingerprint, inside};
use crate::control::watch::{reload_on_hangup, watch};
use crate::metrics::{LATENCY_BUCKETS, POLICY_BUCKETS};
use crate::relay::{Origin, Relay};

pub(super) fn run(path: &Path) -> Result<ExitCode, String> {
    let loaded = load(path);
    let seen = inside(&loaded.sources);
    let Some(config) = &loaded.config else { return Err(format!("not started\n{}", loaded.report())) };
    log_to_standard_output(&config.log);
    loaded.warnings.iter().for_each(|warning| warn!(%warning, "configuration"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(serve(path, &loaded.sources, seen, config))
}

fn log_to_standard_output(log: &Log) {
    // Libraries are heard from warnings on; the relay itself at the level that was asked for.
    let filter = EnvFilter::new(format!("warn,posthouse_relay={}", log.level.as_str()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text => builder.init(),
    }
}

async fn serve(path: &Path, sources: &Sources, seen: Fingerprint, config: &Config) -> Result<ExitCode, String> {
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("posthouse_policy_cpu_seconds".to_owned()), POLICY_BUCKETS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), LATENCY_BUCKETS))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| format!("cannot set up metrics: {error}"))?;
    let origin = Origin { file: Some(path.to_owned()), sources: sources.clone() };
    let relay = Relay::start_from(origin, config, Some(prometheus)).await.map_err(|error| error.to_string())?;
    if let Some(address) = relay.admin_address() {
        info!(%address, "metrics and health");
    }
    tokio::spawn(watch(relay.control().clone(), seen));
    reload_on_hangup(relay.control().clone()).map_err(|error| format!("cannot wait for signals: {error}"))?;
    info!(version = env!("CARGO_PKG_VERSION"), "relaying");
    told_to_end().await.map_err(|error| format!("cannot wait for signals: {error}"))?;
    info!("ending: no new connections, what is in flight finishes");
    tokio::select! {
        left = relay.stop() => match left {
            0 => info!("ended"),
            left => error!(sessions = left, "ended with sessions cut off: the grace was over"),
        },
        _ = told_to_end() => error!("ended at once, as told a second time"),
    }
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM, or ^C.
pub(super) async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => complain("ending; ^C again ends at once"),
    }
    Ok(())
}
