//! `posthouse policy push`: brings a policy to a running relay, with its cases, its settings and a signature.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::signature::Ed25519KeyPair;
use posthouse_policy::engine::Mode;
use posthouse_policy::sections;
use posthouse_store::digest::Digest;
use serde_json::Value;

use super::stages::{Stage, line};
use super::workshop::{PolicyFile, Workshop};
use crate::cli::admin_client::{AdminClient, Body, Reach, piece};
use crate::cli::terminal::say;
use crate::generations::signature::Subject;
use crate::hex;
use crate::trial::SECTION;
use crate::trial::document::Document;
use crate::trial::world::World;

const EXAMPLES: &str = "\
Examples:
  posthouse policy push acme target/acme-routing.wasm               # kept, and decides nothing yet
  posthouse policy push acme . --stage canary --percent 5           # decides on 5 of 100 messages
  posthouse policy push acme . --stage active --sign-key acme.key   # signed, and decides at once

The relay compiles it, asks it what it is, has it look at its settings and runs its author's cases (cases.toml beside it, \
unless --no-cases); only what passes is kept. `posthouse policy list acme` shows what became of it.";

/// What to bring, and how far.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Options {
    /// The tenant that it is for
    tenant: String,
    /// The policy: a .wasm file, or a folder with one in it
    #[arg(default_value = ".")]
    file: PathBuf,
    /// How far it is brought once it has passed
    #[arg(long, value_enum, default_value = "uploaded")]
    stage: Stage,
    /// Of a hundred messages, those that a canary decides on
    #[arg(long)]
    percent: Option<u8>,
    /// Its settings, a TOML file of `key = value`; without it those of the policy that decides now
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Its cases; without it cases.toml beside it, if it is there
    #[arg(long, value_name = "FILE", conflicts_with = "no_cases")]
    cases: Option<PathBuf>,
    /// Bring no cases along
    #[arg(long)]
    no_cases: bool,
    /// Sign it with this key, as `posthouse policy keygen` made it
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// What people will read of it in the list
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    reach: Reach,
    /// Print the relay's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn push(options: &Options) -> Result<ExitCode, String> {
    let client = AdminClient::new(&options.reach)?;
    let mut file = PolicyFile::find(&options.file)?;
    if !options.no_cases
        && let Some(cases) = file.cases_beside(options.cases.as_deref())
    {
        let text = std::fs::read(&cases).map_err(|error| format!("{}: {error}", cases.display()))?;
        file.octets = sections::with_custom(&file.octets, SECTION, &text);
    }
    let digest = Digest::of(&file.octets);
    let mut fields = vec![("posthouse-digest", format!("sha256:{digest}"))];
    if let Some(settings) = &options.settings {
        fields.push(("posthouse-settings", settings_of(settings)?));
    }
    if let Some(key) = &options.sign_key {
        fields.push(("posthouse-signature", signature(options, &file, &digest, key).await?));
    }
    let percent = options.percent.map_or_else(String::new, |percent| format!("&percent={percent}"));
    let note = piece(&options.note);
    let path =
        format!("/v1/tenants/{}/policies?stage={}{percent}&note={note}", piece(&options.tenant), options.stage.word());
    let answer: Value = client.send(&path, Body::Wasm(file.octets, fields)).await?;
    say(&if options.json { answer.to_string() } else { line(&answer) });
    Ok(ExitCode::SUCCESS)
}

/// The settings of a file, as the API takes them: JSON in US-ASCII.
fn settings_of(path: &Path) -> Result<String, String> {
    let document = Document::read(path)?;
    let settings = document.parsed::<crate::trial::document::SettingsTable>()?.settings();
    let text = serde_json::to_string(&settings).map_err(|error| error.to_string())?;
    let escaped = |c: char| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    };
    Ok(text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect())
}

/// A signature is about the policy's own name and version, so that it is asked for them here.
async fn signature(options: &Options, file: &PolicyFile, digest: &Digest, key: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(key).map_err(|error| format!("{}: {error}", key.display()))?;
    let seed: [u8; 32] = hex::octets(text.trim()).ok_or_else(|| {
        format!("{}: expected 64 hexadecimal digits, as `posthouse policy keygen` writes them", key.display())
    })?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| format!("{}: it is no key", key.display()))?;
    let (policy, _) = Workshop::open(Mode::Fast)?.load(file, &World::empty()).await?;
    let (name, version) = (&policy.description.name, &policy.description.version);
    let subject = Subject { tenant: &options.tenant, name, version, digest };
    Ok(hex::digits(&subject.sign(&pair)))
}
