//! The load test: the relay and its peer under the same load, in the same run, on the same machine.
//!
//! `tests/load/run` builds and starts it; README.md beside this file says what is measured and how.
//! Every run ends with an account: what the clients were told is what the provider has, once each.

mod admin;
mod bars;
mod burner;
mod changes;
mod client;
mod drive;
mod machine;
mod peers;
mod policies;
mod process;
mod report;
mod scenarios;
mod tokens;
mod world;

use std::process::ExitCode;

use crate::report::say;
use crate::scenarios::Extent;

fn main() -> ExitCode {
    let short = std::env::args().any(|argument| argument == "--short");
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let extent = if short { Extent::Short } else { Extent::Full };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system gives threads");
    match runtime.block_on(scenarios::all(extent, &only)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("the load test could not go on: {error}"));
            ExitCode::FAILURE
        }
    }
}
