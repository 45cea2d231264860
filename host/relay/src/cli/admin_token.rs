//! `posthouse admin-token`: a token for the admin API, shown once, and the lines that configure it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::terminal::say;
use crate::config::token::{Digest, generate};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Whose token it is; it stands in the audit log
    #[arg(default_value = "operator", value_parser = name)]
    name: String,
    /// What it is for
    #[arg(long, value_enum, default_value = "operator")]
    scope: Scope,
    /// Write the token to this new file, readable by nobody else, instead of showing it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// See and change all of the relay
    Operator,
    /// See all of the relay
    Read,
    /// See one tenant, pause it and bring it policies: the one in whose file it is put
    Tenant,
    /// See one tenant
    TenantRead,
}

pub(super) fn admin_token(options: &Options) -> Result<ExitCode, String> {
    let token = generate().map_err(|error| format!("the system has no randomness: {error}"))?;
    match &options.save {
        Some(file) => save(file, token.expose())?,
        None => say(&format!("# The token, shown this once:\n{}\n", token.expose())),
    }
    let Options { name, scope, .. } = options;
    let hash = Digest::of(token.expose().as_bytes());
    let (place, table, more) = match scope {
        Scope::Operator => ("the main file", "admin.tokens", "scope = \"operator\"\n"),
        Scope::Read => ("the main file", "admin.tokens", "scope = \"read\"\n"),
        Scope::Tenant => ("the tenant's file", "tokens", ""),
        Scope::TenantRead => ("the tenant's file", "tokens", "read_only = true\n"),
    };
    say(&format!("# For {place}:\n[[{table}]]\nname = \"{name}\"\nhash = \"{hash}\"\n{more}"));
    Ok(ExitCode::SUCCESS)
}

fn save(file: &Path, token: &str) -> Result<(), String> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = opened.and_then(|mut file| writeln!(file, "{token}"));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// As the configuration takes names.
fn name(text: &str) -> Result<String, String> {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._@+-".contains(&octet);
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 letters, digits and `.`, `_`, `@`, `+`, `-`".to_owned())
    }
}
