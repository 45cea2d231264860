//! The `posthouse` command. Everything is in the library; this is its door.

use std::process::ExitCode;

fn main() -> ExitCode {
    posthouse_relay::cli::main()
}
