//! The `posthouse` command.
fn main() {}
