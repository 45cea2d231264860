//! `posthouse policy list`, `promote`, `canary`, `shadow`, `retire`, `rollback`, `set` and `diff`: the generations of a
//! tenant's policy on a running relay.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::admin_client::{AdminClient, Reach, piece};
use crate::cli::terminal::{Style, say, styled};
use crate::trial::document::{Document, SettingsTable};

/// How far a policy is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Stage {
    /// Kept, and decides nothing
    Uploaded,
    /// Asked beside the one that decides; differences are kept, nothing is applied
    Shadow,
    /// Decides on a share of the messages
    Canary,
    /// Decides
    Active,
}

/// A tenant on a relay.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OfTenant {
    /// The tenant
    tenant: String,
    #[command(flatten)]
    reach: Reach,
    /// Print the relay's answer as JSON
    #[arg(long)]
    json: bool,
}

/// A generation of a tenant's policy.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OfGeneration {
    /// The tenant
    tenant: String,
    /// The generation's number, as `list` shows it
    number: u64,
    #[command(flatten)]
    reach: Reach,
    /// Print the relay's answer as JSON
    #[arg(long)]
    json: bool,
}

/// A generation that becomes a canary.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Share {
    #[command(flatten)]
    of: OfGeneration,
    /// Of a hundred messages, those that it decides on
    #[arg(long)]
    percent: u8,
}

/// Other settings for the policy that decides.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Settings {
    #[command(flatten)]
    of: OfTenant,
    /// The settings: a TOML file of `key = value`
    file: PathBuf,
}

impl Stage {
    /// As the API says it.
    pub(in crate::cli) fn word(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Active => "active",
        }
    }
}

impl OfTenant {
    fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}/policies{rest}", piece(&self.tenant))
    }
}

pub(in crate::cli) async fn list(of: &OfTenant) -> Result<ExitCode, String> {
    let answer = AdminClient::new(&of.reach)?.get(&of.path("")).await?;
    if of.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let generations = answer["generations"].as_array().map(Vec::as_slice).unwrap_or_default();
    if generations.is_empty() {
        say(&format!("tenant {} has no policy yet; bring one with `posthouse policy push {}`", of.tenant, of.tenant));
    }
    generations.iter().for_each(|generation| say(&line(generation)));
    Ok(ExitCode::SUCCESS)
}

/// What the shadow would have done otherwise.
pub(in crate::cli) async fn diff(of: &OfTenant) -> Result<ExitCode, String> {
    let answer = AdminClient::new(&of.reach)?.get(&of.path("")).await?;
    let shadow = &answer["shadow"];
    if of.json {
        say(&shadow.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if shadow.is_null() {
        return Err(format!("tenant {0} has no shadow; `posthouse policy shadow {0} NUMBER` makes one", of.tenant));
    }
    for (what, tallies) in [("messages", shadow), ("recipients", &shadow["recipients"])] {
        let count = |key: &str| tallies[key].as_u64().unwrap_or(0);
        let (same, different, failed, skipped) = (count("same"), count("different"), count("failed"), count("skipped"));
        say(&format!("{same} {what} the same, {different} different, {failed} failed, {skipped} not compared"));
    }
    for difference in shadow["differences"].as_array().into_iter().flatten() {
        let in_what: Vec<&str> = difference["in_what"].as_array().into_iter().flatten().map(text).collect();
        let (decided, would) = (text(&difference["deciding"]), text(&difference["shadow"]));
        let (transaction, hook) = (text(&difference["transaction"]), text(&difference["hook"]));
        say(&format!("  {transaction}  {hook}, {}: {decided}, and {would}", in_what.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) async fn bring(of: &OfGeneration, stage: &str, percent: Option<u8>) -> Result<ExitCode, String> {
    let path = format!("/v1/tenants/{}/policies/{}/stage", piece(&of.tenant), of.number);
    let mut wish = json!({ "stage": stage });
    if let Some(percent) = percent {
        wish["percent"] = json!(percent);
    }
    tell(of.json, &AdminClient::new(&of.reach)?.post(&path, Some(wish)).await?)
}

pub(in crate::cli) async fn canary(share: &Share) -> Result<ExitCode, String> {
    bring(&share.of, "canary", Some(share.percent)).await
}

pub(in crate::cli) async fn roll_back(of: &OfTenant) -> Result<ExitCode, String> {
    tell(of.json, &AdminClient::new(&of.reach)?.post(&of.path("/rollback"), None).await?)
}

pub(in crate::cli) async fn set(Settings { file, of }: &Settings) -> Result<ExitCode, String> {
    let settings = Document::read(file)?.parsed::<SettingsTable>()?.settings();
    let wish = json!({ "settings": settings, "stage": "active" });
    tell(of.json, &AdminClient::new(&of.reach)?.post(&of.path("/settings"), Some(wish)).await?)
}

fn tell(json: bool, answer: &Value) -> Result<ExitCode, String> {
    say(&if json { answer.to_string() } else { line(answer) });
    Ok(ExitCode::SUCCESS)
}

/// One line for one generation.
pub(in crate::cli) fn line(generation: &Value) -> String {
    let stage = text(&generation["stage"]);
    let share = generation["percent"].as_u64().map_or_else(String::new, |percent| format!(" {percent} %"));
    let style = match stage {
        "active" => Style::Good,
        "refused" => Style::Bad,
        "canary" | "shadow" => Style::Warning,
        _ => Style::Faint,
    };
    let digest = text(&generation["digest"]).trim_start_matches("sha256:").get(..12).unwrap_or_default();
    let name = format!("{} {}", text(&generation["policy"]), text(&generation["version"]));
    let by = match (text(&generation["from"]), text(&generation["signer"])) {
        ("", "") => String::new(),
        (from, "") => format!(" from {from}"),
        (from, signer) => format!(" from {from}, signed by {signer}"),
    };
    let note = match text(&generation["note"]) {
        "" => String::new(),
        note => format!(": {note}"),
    };
    let stage = styled(style, &format!("{:<12}", format!("{stage}{share}")));
    let number = generation["number"].as_u64().unwrap_or(0);
    format!("{number:>4}  {stage}  {name:<28}  {digest}  by {}{by}{note}", text(&generation["who"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
