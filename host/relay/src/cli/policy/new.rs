//! `posthouse policy new`: a folder with a policy that builds at once, its cases, the SDK and the contract.
//!
//! It needs no network and no repository: all that it writes is in this program. It never writes into a
//! folder that is there already.

mod kit;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use posthouse_policy::limits;

use self::kit::{KIT, LOCK};
use crate::cli::terminal::{Style, say, styled};

/// What stands for the policy's name in the templates, as a package, and as a type.
const NAME: &str = "{{name}}";
const TYPE: &str = "{{Type}}";

/// The policy's own files.
const TEMPLATES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("new/template/manifest.toml")),
    ("src/lib.rs", include_str!("new/template/policy.rs")),
    ("cases.toml", include_str!("new/template/cases.toml")),
    ("README.md", include_str!("new/template/readme.md")),
    (".gitignore", include_str!("new/template/gitignore")),
];

/// Words that cargo and rustc keep for themselves, or that the SDK is called.
const RESERVED: &str = "abstract alloc as async await become box break build const continue core crate deps do dyn else \
                        enum examples extern false final fn for gen if impl in incremental let loop macro match mod move \
                        mut override posthouse-policy posthouse-policy-sdk priv proc-macro pub ref return self static \
                        std struct super test trait true try type typeof unsafe unsized use virtual where while yield";

pub(super) fn new(folder: &Path) -> Result<ExitCode, String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check_name(name)?;
    if folder.symlink_metadata().is_ok() {
        return Err(format!("{} is there already; choose another name", folder.display()));
    }
    for (path, text) in TEMPLATES {
        write(folder, path, &text.replace(NAME, name).replace(TYPE, &type_name(name)))?;
    }
    write(folder, "Cargo.lock", &packages_from_elsewhere(LOCK))?;
    for (path, text) in KIT {
        write(&folder.join("posthouse"), path, text)?;
    }
    tell(folder, name);
    Ok(ExitCode::SUCCESS)
}

/// A name for cargo, for the contract and for a type.
fn check_name(name: &str) -> Result<(), String> {
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_".contains(&octet);
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(fits);
    if !is_name || name.len() > limits::NAME {
        let most = limits::NAME;
        return Err(format!(
            "`{name}` cannot be a policy's name: a small letter, then small letters, digits, `-` and `_`, at most {most}"
        ));
    }
    if RESERVED.split(' ').any(|reserved| reserved == name.replace('_', "-")) {
        return Err(format!("`{name}` cannot be a policy's name: Rust keeps it for itself; try `my-{name}`"));
    }
    Ok(())
}

/// `acme-routing` is `AcmeRouting`.
fn type_name(name: &str) -> String {
    let capitalised = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split(['-', '_']).filter(|word| !word.is_empty()).map(capitalised).collect()
}

/// The versions that the reference policies are built with; cargo adds the policy itself.
fn packages_from_elsewhere(lock: &str) -> String {
    let is_kept = |block: &&str| !block.starts_with("name = ") || block.contains("\nsource = ");
    lock.split("[[package]]\n").filter(is_kept).collect::<Vec<_>>().join("[[package]]\n")
}

fn write(folder: &Path, path: &str, text: &str) -> Result<(), String> {
    let path = folder.join(path);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(&path, text)).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

fn tell(folder: &Path, name: &str) {
    let folder = folder.display().to_string();
    say(&format!("{}: a policy in src/lib.rs, its cases in cases.toml, and the SDK.", styled(Style::Strong, &folder)));
    say("");
    say("Next:");
    say(&format!("  cd {folder}"));
    say(&format!("  posthouse policy build    # {name}.wasm"));
    say("  posthouse policy test     # cases.toml, on the relay's own host");
    say("  posthouse policy bench    # what a decision costs");
}

#[cfg(test)]
mod tests;
