//! `posthouse status`: how a running relay stands; on a terminal alive, until ^C.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::admin_client::{AdminClient, Reach};
use super::tenant;
use super::terminal::{Style, say, styled};

/// How often the alive view is drawn.
const REFRESH: Duration = Duration::from_secs(1);
/// Tenants that are told of because something is not in order with them.
const TENANTS: usize = 10;
/// To the top left, and nothing below.
const CLEAR: &str = "\x1b[H\x1b[J";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    reach: Reach,
    /// Print the relay's answer as JSON, once
    #[arg(long)]
    json: bool,
    /// Show it once, and end; so it is when standard output is no terminal
    #[arg(long)]
    once: bool,
}

/// Messages delivered at a moment.
type Sample = (Instant, u64);

pub(super) async fn status(options: &Options) -> Result<ExitCode, String> {
    let client = AdminClient::new(&options.reach)?;
    if options.json {
        say(&client.get("/v1/status").await?.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if options.once || !io::stdout().is_terminal() {
        let (status, tenants) = ask(&client).await?;
        say(&view(&status, &tenants, None));
        return Ok(ExitCode::SUCCESS);
    }
    tokio::select! {
        () = alive(&client) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A relay that does not answer is asked again: it may be starting anew.
async fn alive(client: &AdminClient) {
    let mut before: Option<Sample> = None;
    loop {
        match ask(client).await {
            Ok((status, tenants)) => {
                let sample = (Instant::now(), status["totals"]["delivered"].as_u64().unwrap_or_default());
                say(&format!("{CLEAR}{}", view(&status, &tenants, before.map(|before| rate(before, sample)))));
                before = Some(sample);
            }
            Err(message) => say(&format!("{CLEAR}{}", styled(Style::Bad, &message))),
        }
        sleep(REFRESH).await;
    }
}

async fn ask(client: &AdminClient) -> Result<(Value, Value), String> {
    let status = client.get("/v1/status").await?;
    Ok((status, client.get("/v1/tenants").await?))
}

#[expect(clippy::cast_precision_loss, reason = "messages of a second fit the 53 bits")]
fn rate((then, before): Sample, (now, after): Sample) -> f64 {
    after.saturating_sub(before) as f64 / now.duration_since(then).as_secs_f64().max(0.001)
}

fn view(status: &Value, tenants: &Value, rate: Option<f64>) -> String {
    let text = |pointer: &str| match status.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "-".to_owned(),
    };
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let up = uptime(number("/uptime_seconds"));
    let draining = if status["draining"] == true { styled(Style::Warning, ", draining") } else { String::new() };
    let mut lines = vec![
        format!("{} {}, up {up}{draining}", styled(Style::Strong, &text("/hostname")), text("/version")),
        format!("generation   {}; {}", text("/generation"), reload(&status["reload"])),
        format!("connections  {} of {}", text("/connections/open"), text("/connections/allowed")),
        format!(
            "memory       {} of {} for content",
            mebibytes(number("/content_memory/held")),
            mebibytes(number("/content_memory/allowed"))
        ),
        format!(
            "sessions     {} in use, {} idle of {}; {} wait",
            text("/sessions/in_use"),
            text("/sessions/idle"),
            text("/sessions/allowed"),
            text("/sessions/waiting")
        ),
        format!("messages     {}", messages(&status["totals"], rate)),
        format!(
            "tenants      {} ({} paused); {} of {} accounts ready{}",
            text("/tenants"),
            text("/tenants_paused"),
            text("/accounts_ready"),
            text("/accounts"),
            expiring(number("/accounts_expiring"))
        ),
    ];
    for listener in status["listeners"].as_array().into_iter().flatten() {
        let part = |key: &str| listener[key].as_str().unwrap_or("-");
        lines.push(format!("listener     {} at {}, TLS {}", part("name"), part("address"), part("tls")));
    }
    lines.extend(not_in_order(tenants));
    lines.join("\n")
}

/// Accounts that carry mail still, and whose credentials end soon.
fn expiring(accounts: u64) -> String {
    match accounts {
        0 => String::new(),
        accounts => styled(Style::Warning, &format!(", {accounts} of them expiring")),
    }
}

fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn mebibytes(octets: u64) -> String {
    format!("{}.{} MiB", octets >> 20, (octets >> 10) % 1024 * 10 / 1024)
}

fn reload(report: &Value) -> String {
    let outcome = report["outcome"].as_str().unwrap_or("-");
    let refused = report["errors"].as_array().into_iter().chain(report["refused_policies"].as_array()).flatten();
    let first = refused.filter_map(Value::as_str).next();
    let cause = report["cause"].as_str().unwrap_or("-");
    match first {
        Some(reason) => styled(Style::Bad, &format!("last reload ({cause}) {outcome}: {reason}")),
        None => format!("last reload ({cause}) {outcome}, {} ms", report["took_ms"]),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean of milliseconds needs no more than 53 bits")]
fn messages(totals: &Value, rate: Option<f64>) -> String {
    let delivered = totals["delivered"].as_u64().unwrap_or_default();
    let seconds = totals["delivered_seconds"].as_f64().unwrap_or_default();
    let mean = if delivered == 0 { 0.0 } else { seconds * 1000.0 / delivered as f64 };
    let rate = rate.map_or_else(String::new, |rate| format!("; {rate:.1} a second"));
    format!(
        "{delivered} delivered ({mean:.1} ms each), {} deferred, {} refused{rate}",
        totals["deferred"], totals["refused"]
    )
}

fn not_in_order(tenants: &Value) -> Vec<String> {
    let tenants = tenants["tenants"].as_array().into_iter().flatten();
    let is_in_order = |tenant: &&Value| {
        let all_ready = tenant["accounts_ready"] == tenant["accounts"] && tenant["accounts_expiring"] == 0;
        tenant["state"] == "ready" && all_ready
    };
    let mut rest: Vec<String> = tenants.filter(|tenant| !is_in_order(tenant)).map(tenant::summary).collect();
    let more = rest.len().saturating_sub(TENANTS);
    rest.truncate(TENANTS);
    if more > 0 {
        rest.push(format!("and {more} more: posthouse tenant list"));
    }
    rest
}
