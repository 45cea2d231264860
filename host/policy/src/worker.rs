//! The compile worker: a process that turns one file into machine code, and has nothing to lose.
//!
//! A compiler may loop, or take all memory, on input made for it. So it never runs where mail flows: the
//! worker limits itself first, reads the file from standard input and writes the code to standard output; what is
//! wrong goes to standard error, in one line. Exit status 1 means that the file is at fault, 2 the worker.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};

use crate::admission::admit;
use crate::engine::Mode;
use crate::failure::LoadError;
use crate::{limits, tunables};

/// The file is at fault.
const UNFIT: u8 = 1;
/// The worker is.
const BROKEN: u8 = 2;

/// Its niceness, whoever starts it.
const NICENESS: i32 = 10;

/// Runs the worker on this process' standard streams.
pub fn run(mode: Mode) -> ExitCode {
    match limit().and_then(|()| work(mode)) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, reason)) => {
            let _ = writeln!(std::io::stderr(), "{}", crate::log::printable(&reason));
            ExitCode::from(status)
        }
    }
}

/// What no setting can lift again.
fn limit() -> Result<(), (u8, String)> {
    let bounds = [
        (Resource::As, limits::COMPILE_MEMORY),
        (Resource::Cpu, limits::COMPILE_CPU.as_secs()),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 32),
    ];
    for (resource, most) in bounds {
        let bound = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, bound).map_err(|error| (BROKEN, format!("cannot limit {resource:?}: {error}")))?;
    }
    // Mail comes first; that it cannot be is no reason not to work.
    let _ = setpriority_process(None, NICENESS);
    Ok(())
}

fn work(mode: Mode) -> Result<(), (u8, String)> {
    let mut file = Vec::new();
    let input = std::io::stdin().lock().take(limits::COMPONENT as u64 + 1).read_to_end(&mut file);
    input.map_err(|error| (BROKEN, format!("cannot read the file: {error}")))?;
    let code = compile(mode, &file).map_err(|error| (UNFIT, error.to_string()))?;
    let written = std::io::stdout().lock().write_all(&code);
    written.map_err(|error| (BROKEN, format!("cannot hand over the code: {error}")))
}

/// Compiles a file in this process: for the worker, and for authors, who trust their own files.
///
/// # Errors
/// The file cannot be a policy.
pub fn compile(mode: Mode, file: &[u8]) -> Result<Vec<u8>, LoadError> {
    let admitted = admit(file)?;
    let engine = wasmtime::Engine::new(&tunables::config(mode));
    let engine = engine.map_err(|error| LoadError::Engine(format!("{error:#}")))?;
    engine.precompile_component(&admitted.component).map_err(|error| LoadError::Uncompilable(format!("{error:#}")))
}
