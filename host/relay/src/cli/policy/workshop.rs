//! The author's side of a relay: a policy's file, found, and the engine that runs it on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthouse_policy::call::Cost;
use posthouse_policy::compile::Compiler;
use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::limits;
use posthouse_policy::log::Lines;
use posthouse_policy::policy::Policy;

use crate::cli::terminal::complain;
use crate::trial::world::World;

/// The name of a file of cases where none is given.
pub(super) const CASES: &str = "cases.toml";
/// From this size on it is an interpreter, whose compilation takes long enough to be told of.
const LARGE: usize = 1024 * 1024;

/// A policy's file.
#[derive(Debug)]
pub(super) struct PolicyFile {
    pub(super) path: PathBuf,
    pub(super) octets: Vec<u8>,
}

/// What loads policies.
#[derive(Debug)]
pub(super) struct Workshop {
    engine: Arc<Engine>,
    compiler: Compiler,
}

impl PolicyFile {
    /// A file, or the only .wasm file in a folder.
    pub(super) fn find(given: &Path) -> Result<Self, String> {
        let path = if given.is_dir() { only_policy(given)? } else { given.to_owned() };
        match fs::read(&path) {
            Ok(octets) => Ok(Self { path, octets }),
            Err(error) => Err(format!("{}: cannot read this file: {error}", path.display())),
        }
    }

    /// The cases: those given, or cases.toml beside the file and nowhere else.
    pub(super) fn cases_beside(&self, given: Option<&Path>) -> Option<PathBuf> {
        let beside = || Some(self.path.with_file_name(CASES)).filter(|path| path.is_file());
        given.map(Path::to_owned).or_else(beside)
    }

    /// The cases: those given, or cases.toml beside the file or in the working directory.
    pub(super) fn cases(&self, given: Option<&Path>) -> Option<PathBuf> {
        if let Some(given) = given {
            return Some(given.to_owned());
        }
        let places = [short(self.path.with_file_name(CASES)), PathBuf::from(CASES)];
        places.into_iter().find(|place| place.is_file())
    }
}

fn only_policy(folder: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: cannot read this folder: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
    let folder = folder.display();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(short(path)),
        (Some(_), false) => Err(format!("{folder}: there are several .wasm files in it; name one")),
        (None, _) => {
            Err(format!("{folder}: there is no .wasm file in it; make one with `posthouse policy build {folder}`"))
        }
    }
}

impl Workshop {
    pub(super) fn open(mode: Mode) -> Result<Self, String> {
        let engine = Engine::new(mode, limits::MEMORY_MOST).map_err(|error| error.to_string())?;
        Engine::prepare_thread();
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find this program's own file: {error}"))?;
        Ok(Self { engine, compiler: Compiler::new(program, None) })
    }

    /// The policy, once it has said what it is, and what that cost. Its settings are not asked about.
    pub(super) async fn load(&self, file: &PolicyFile, world: &World) -> Result<(Policy, Cost), String> {
        let path = file.path.display();
        if file.octets.len() > LARGE {
            complain(&format!("compiling {path}: one of this size takes up to half a minute"));
        }
        let loaded = Policy::unasked(&self.engine, &self.compiler, &file.octets, world.terms()).await;
        let mut policy = loaded.map_err(|error| format!("{path} is refused: {error}"))?;
        let report = policy.describe(world.inquiry()).await;
        let refused = match report.result {
            Ok(Ok(())) => return Ok((policy, report.cost)),
            Ok(Err(error)) => error.to_string(),
            Err(failure) => format!("it cannot be asked what it is: {failure}"),
        };
        Err(format!("{path} is refused: {refused}{}", indented(&report.lines)))
    }
}

/// Without the `./` that nobody has typed.
pub(super) fn short(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
}

/// Log lines below a message.
pub(super) fn indented(lines: &Lines) -> String {
    log_lines(lines).map(|line| format!("\n  {line}")).collect()
}

/// Log lines as `log warn: ..`.
pub(super) fn log_lines(lines: &Lines) -> impl Iterator<Item = String> {
    let kept = lines.iter().map(|line| format!("log {}: {}", format!("{:?}", line.level).to_lowercase(), line.text));
    let dropped = (lines.dropped > 0).then(|| format!("log: {} more lines did not fit", lines.dropped));
    kept.chain(dropped)
}
