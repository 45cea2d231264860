//! `posthouse policy build`: from a crate to one file that a relay takes.
//!
//! cargo compiles; what it prints passes through. The core module that it makes is made a component here, by the
//! same admission that a relay has, so that what is written was found fit.

mod toolchain;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use posthouse_policy::admission::{Admitted, admit};
use posthouse_policy::cache::Digest;
use posthouse_policy::limits;
use serde::Deserialize;

use self::toolchain::Toolchain;
use super::numbers::octets;
use super::workshop::short;
use crate::cli::terminal::{Style, say, styled};
use crate::trial::document::Document;

const EXAMPLES: &str = "\
Examples:
  posthouse policy build
  posthouse policy build my-policy --out policies/my-policy.wasm

It runs cargo for wasm32-unknown-unknown, with rustup's target (`rustup target add wasm32-unknown-unknown`), or, where \
rustup reaches no server, with Debian's packages rustc-web, cargo-web and rust-web-src.

The same sources and the same compiler give the same octets in any folder, so that the digest names the sources.";

/// What to build.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Options {
    /// The crate's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The file to write; without it NAME.wasm in the crate's folder
    #[arg(long, short)]
    out: Option<PathBuf>,
}

/// What is read of a Cargo.toml.
#[derive(Debug, Deserialize)]
struct Manifest {
    package: Option<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

/// What is read of cargo's messages.
#[derive(Debug, Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

pub(super) fn build(options: &Options) -> Result<ExitCode, String> {
    let shown = options.folder.display();
    let manifest = options.folder.join("Cargo.toml");
    if !manifest.is_file() {
        let advice = "begin a policy with `posthouse policy new NAME`; for other languages than Rust see examples/";
        return Err(format!("there is no Cargo.toml in {shown}: {advice}"));
    }
    let package = Document::read(&manifest)?.parsed::<Manifest>()?.package;
    let name = package.ok_or_else(|| format!("{} is no package's: name the folder of one", manifest.display()))?.name;
    let folder = fs::canonicalize(&options.folder).map_err(|error| format!("{shown}: {error}"))?;
    let module = compile(&folder)?;
    let file = fs::read(&module).map_err(|error| format!("{}: cannot read this file: {error}", module.display()))?;
    let admitted = admit(&file).map_err(|error| format!("it compiles, but a relay would refuse it: {error}"))?;
    let out = options.out.clone().unwrap_or_else(|| short(options.folder.join(format!("{name}.wasm"))));
    write(&out, &admitted.component)?;
    tell(&out, &admitted);
    Ok(ExitCode::SUCCESS)
}

/// Runs cargo; the core module that it made.
fn compile(folder: &Path) -> Result<PathBuf, String> {
    let toolchain = Toolchain::choose(folder)?;
    say(&styled(Style::Faint, &toolchain.description));
    let cargo = toolchain.cargo(folder).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut cargo = cargo.map_err(|error| toolchain.broken(&error))?;
    let messages = BufReader::new(cargo.stdout.take().ok_or("cargo has no standard output")?);
    let manifest = folder.join("Cargo.toml");
    let mut module = None;
    for line in messages.lines() {
        let line = line.map_err(|error| format!("cannot read what cargo says: {error}"))?;
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        if message.manifest_path.as_ref() == Some(&manifest) {
            let is_module = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
            module = message.filenames.into_iter().find(is_module).or(module);
        }
    }
    let status = cargo.wait().map_err(|error| toolchain.broken(&error))?;
    if !status.success() {
        return Err("cargo could not build it; what it says is above".to_owned());
    }
    let advice = "put `crate-type = [\"cdylib\"]` under [lib] of its Cargo.toml";
    module.ok_or_else(|| format!("the crate makes no WebAssembly module: {advice}"))
}

/// Whole, or not at all: a relay may be about to read it.
fn write(out: &Path, component: &[u8]) -> Result<(), String> {
    let aside = out.with_extension("wasm.tmp");
    let written = fs::write(&aside, component).and_then(|()| fs::rename(&aside, out));
    written.map_err(|error| {
        let _ = fs::remove_file(&aside);
        format!("{} cannot be written: {error}", out.display())
    })
}

fn tell(out: &Path, admitted: &Admitted) {
    let out = out.display();
    say(&styled(Style::Strong, &out.to_string()));
    say(&format!("  size    {} of at most {}", octets(admitted.component.len()), octets(limits::COMPONENT)));
    say(&format!("  hooks   {}", admitted.hooks.join(", ")));
    say(&format!("  sha256  {}", Digest::of(&admitted.component)));
    say(&format!("Next: posthouse policy test {out}"));
}
