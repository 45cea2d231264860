//! `posthouse tenant`: the tenants of a running relay and their accounts; pausing them.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::admin_client::{AdminClient, Reach, piece};
use super::terminal::{Style, say, styled};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the tenants that the token opens
    List {
        #[command(flatten)]
        reach: Reach,
        /// Print the relay's answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one tenant with its accounts, their states and budgets
    Show {
        /// The tenant: the stem of its file's name
        tenant: String,
        #[command(flatten)]
        reach: Reach,
        /// Print the relay's answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Defer a tenant's mail, or send nothing through one of its accounts, until it is resumed
    Pause {
        /// The tenant
        tenant: String,
        /// One of its accounts; without it all of the tenant
        account: Option<String>,
        /// Why; clients hear it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// End a pause
    Resume {
        /// The tenant
        tenant: String,
        /// One of its accounts; without it the tenant (accounts that are paused stay so)
        account: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(super) async fn tenant(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::List { reach, json } => list(&AdminClient::new(reach)?, *json).await?,
        Command::Show { tenant, reach, json } => show(&AdminClient::new(reach)?, tenant, *json).await?,
        Command::Pause { tenant, account, reason, reach } => {
            let (path, what) = (path(tenant, account.as_deref(), "pause"), what(tenant, account.as_deref()));
            let answer = AdminClient::new(reach)?.post(&path, Some(json!({ "reason": reason }))).await?;
            told(&answer, &format!("{what} is paused"));
        }
        Command::Resume { tenant, account, reach } => {
            let (path, what) = (path(tenant, account.as_deref(), "resume"), what(tenant, account.as_deref()));
            let answer = AdminClient::new(reach)?.post(&path, None).await?;
            told(&answer, &format!("{what} is not paused any more"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(tenant: &str, account: Option<&str>, action: &str) -> String {
    let account = account.map_or_else(String::new, |account| format!("/accounts/{}", piece(account)));
    format!("/v1/tenants/{}{account}/{action}", piece(tenant))
}

fn what(tenant: &str, account: Option<&str>) -> String {
    account.map_or_else(|| format!("tenant {tenant}"), |account| format!("account {account} of tenant {tenant}"))
}

fn told(answer: &Value, done: &str) {
    let generation = &answer["generation"];
    match answer["changed"].as_bool() {
        Some(true) => say(&format!("{done}, from generation {generation} on")),
        _ => say(&format!("{done}; that was so before (generation {generation})")),
    }
}

async fn list(client: &AdminClient, json: bool) -> Result<(), String> {
    let answer = client.get("/v1/tenants").await?;
    if json {
        say(&answer.to_string());
        return Ok(());
    }
    say(&format!(
        "{:<24} {:<15} {:>9} {:>10} {:>9} {:>8}",
        "TENANT", "STATE", "ACCOUNTS", "DELIVERED", "DEFERRED", "REFUSED"
    ));
    for tenant in answer["tenants"].as_array().into_iter().flatten() {
        say(&summary(tenant));
    }
    Ok(())
}

/// One line for one tenant.
pub(super) fn summary(tenant: &Value) -> String {
    let accounts = format!("{}/{}", tenant["accounts_ready"], tenant["accounts"]);
    let totals = &tenant["totals"];
    let count = |key: &str| totals[key].to_string();
    format!(
        "{:<24} {} {accounts:>9} {:>10} {:>9} {:>8}{}",
        text(&tenant["id"]),
        stated(text(&tenant["state"]), 15),
        count("delivered"),
        count("deferred"),
        count("refused"),
        because(&tenant["pause"]["reason"])
    )
}

async fn show(client: &AdminClient, tenant: &str, json: bool) -> Result<(), String> {
    let answer = client.get(&format!("/v1/tenants/{}", piece(tenant))).await?;
    if json {
        say(&answer.to_string());
        return Ok(());
    }
    say(&summary(&answer));
    for route in answer["routes"].as_array().into_iter().flatten() {
        let accounts: Vec<&str> = route["accounts"].as_array().into_iter().flatten().map(text).collect();
        let is_default = if route["name"] == answer["default_route"] { " (default)" } else { "" };
        say(&format!("  route {}{is_default}: {}", text(&route["name"]), accounts.join(", ")));
    }
    for account in answer["account_list"].as_array().into_iter().flatten() {
        say(&shown(account));
    }
    Ok(())
}

fn shown(account: &Value) -> String {
    let (sessions, state) = (&account["sessions"], &account["state"]);
    let rate = match (&account["rate"]["left"], &account["rate"]["per_minute"]) {
        (Value::Null, _) => "no limit".to_owned(),
        (left, per_minute) => format!("{left} of {per_minute} a minute left"),
    };
    format!(
        "  account {:<18} {} {:<8} {}  sessions {}+{} of {}, {} wait; {rate}; {} delivered{}",
        text(&account["id"]),
        stated(text(&state["name"]), 13),
        text(&account["provider"]),
        text(&account["address"]),
        sessions["in_use"],
        sessions["idle"],
        sessions["allowed"],
        sessions["waiting"],
        account["totals"]["delivered"],
        because(&state["reason"])
    )
}

fn because(reason: &Value) -> String {
    reason.as_str().map_or_else(String::new, |reason| format!("  ({})", reason.replace(char::is_control, " ")))
}

fn stated(state: &str, width: usize) -> String {
    let style = if state == "ready" { Style::Good } else { Style::Warning };
    styled(style, &format!("{state:<width$}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
