//! `posthouse account import`: a tenant's file out of the older proxy's accounts.json, or out of CSV.
//!
//! Secrets go into files of mode 0600 and nowhere else. What became of each field is said, by name and number of
//! accounts, never by value.

mod csv;
mod fields;
mod legacy;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::terminal::{Style, say, styled};

use fields::Fate;
use written::Tenant;

/// What to read, and where to write.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// accounts.json, or a file that ends in .csv
    file: PathBuf,
    /// The tenant's id: what its file will be called
    #[arg(long, default_value = "imported")]
    tenant: String,
    /// Where TENANT.toml and its secrets/TENANT/ are written
    #[arg(long, short, default_value = "tenants")]
    output: PathBuf,
}

/// One account as it stands in the file: its fields, by name.
type Record = BTreeMap<String, String>;

pub(super) fn import(options: &Options) -> Result<ExitCode, String> {
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    if options.tenant.is_empty() || !options.tenant.bytes().all(is_name) || options.tenant.starts_with('.') {
        return Err(format!("`{}` is no tenant's id: letters, digits, `.`, `_` and `-`", options.tenant));
    }
    let records = records(&options.file)?;
    let mut tenant = Tenant::new(&options.tenant);
    let mut fates: BTreeMap<String, (Fate, usize)> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match tenant.add(index, record) {
            Ok(told) => told.into_iter().for_each(|(field, fate)| {
                fates.entry(field).or_insert((fate, 0)).1 += 1;
            }),
            Err(reason) => left_out.push(reason),
        }
    }
    if tenant.is_empty() {
        return Err(format!("no account can be used\n{}", left_out.join("\n")));
    }
    let file = tenant.write(&options.output)?;
    report(options, &tenant, &fates, &left_out, &file);
    Ok(if left_out.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn records(path: &Path) -> Result<Vec<Record>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let read = if is_csv { csv::records(&text) } else { legacy::records(&text) };
    read.map_err(|reason| format!("{}: {reason}", path.display()))
}

fn report(
    options: &Options,
    tenant: &Tenant,
    fates: &BTreeMap<String, (Fate, usize)>,
    left_out: &[String],
    file: &Path,
) {
    say(&format!("{:<26} {:<9} {}", "field", "accounts", "what became of it"));
    for (field, (fate, count)) in fates {
        say(&format!("{field:<26} {count:<9} {fate}"));
    }
    for reason in left_out {
        say(&format!("\n{} {reason}", styled(Style::Bad, "left out")));
    }
    say(&format!(
        "\n{} {} of {} in {}, secrets in {} (mode 0600).",
        styled(Style::Good, "Written:"),
        tenant.len(),
        if tenant.len() + left_out.len() == 1 {
            "1 account".to_owned()
        } else {
            format!("{} accounts", tenant.len() + left_out.len())
        },
        file.display(),
        tenant.secrets(&options.output).display(),
    ));
    say(&format!(
        "The login `{}` may send as each of these addresses; its password is in {}.\nNext: `posthouse check`, then \
         `posthouse account test {}/{}`.",
        options.tenant,
        tenant.secrets(&options.output).join("login-password").display(),
        options.tenant,
        tenant.first(),
    ));
}
