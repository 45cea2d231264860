//! The compile worker of this crate's tests: what `posthouse compile-worker MODE` is in a relay.

use std::process::ExitCode;

use posthouse_policy::engine::Mode;

fn main() -> ExitCode {
    let mode = std::env::args().nth(2).and_then(|name| Mode::named(&name));
    mode.map_or(ExitCode::from(2), posthouse_policy::worker::run)
}
