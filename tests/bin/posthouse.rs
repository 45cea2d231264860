//! The `posthouse` command, built with the tests, so that they can run it from outside.

use std::process::ExitCode;

fn main() -> ExitCode {
    posthouse_relay::cli::main()
}
