//! `posthouse reload`: has a running relay read its configuration anew, and says what came of it.

use std::process::ExitCode;

use serde_json::Value;

use super::admin_client::{AdminClient, Reach};
use super::terminal::{complain, say};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    reach: Reach,
    /// Print the relay's report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn reload(options: &Options) -> Result<ExitCode, String> {
    let client = AdminClient::new(&options.reach)?;
    let report = match client.post("/v1/reload", None).await {
        Ok(report) => report,
        Err(failed) => match failed.report {
            Some(report) => report,
            None => return Err(failed.message),
        },
    };
    if options.json {
        say(&report.to_string());
    } else {
        show(&report);
    }
    let is_good = report["outcome"] != "refused" && lines(&report, "refused_policies").is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(report: &Value) {
    for (key, word) in [("errors", "error"), ("refused_policies", "policy not taken"), ("warnings", "warning")] {
        lines(report, key).iter().for_each(|line| complain(&format!("{word}: {line}")));
    }
    for key in lines(report, "at_restart") {
        complain(&format!("{key} takes effect at the next start"));
    }
    let (generation, took) = (&report["generation"], &report["took_ms"]);
    match report["outcome"].as_str() {
        Some("published") => say(&format!("generation {generation} holds, after {took} ms")),
        Some("unchanged") => say(&format!("nothing has changed; generation {generation} holds")),
        _ => complain(&format!("not taken; generation {generation} holds")),
    }
}

fn lines<'r>(report: &'r Value, key: &str) -> Vec<&'r str> {
    report[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
