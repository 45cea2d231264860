//! `posthouse policy`: for those who write policies.
//!
//! What is written, built and tried runs on the author's machine, with the host that the relay itself has: what passes here
//! is what a relay takes. What is brought, and its way from stage to stage, is asked of a running relay's admin address.

mod bench;
mod build;
mod check;
mod keygen;
mod new;
mod numbers;
mod push;
mod stages;
mod test;
mod workshop;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

const BEGIN: &str = "\
Begin with `posthouse policy new my-policy`: what it writes builds at once, and its README goes on from there.

Policies in JavaScript and Python are in examples/ of the relay's repository, the contract is in wit/.";

const NEW: &str = "\
Examples:
  posthouse policy new my-policy
  posthouse policy new policies/acme-routing

The last part of the path is the policy's name. Nothing is overwritten. The SDK and the contract are copied along, into \
NAME/posthouse/, so that the policy builds without the relay's repository.";

#[derive(Debug, Subcommand)]
#[command(after_help = BEGIN)]
pub(super) enum Command {
    /// Write a new policy: a small one in Rust that builds, with its cases and the SDK
    #[command(after_help = NEW)]
    New {
        /// The folder to make
        name: PathBuf,
    },
    /// Compile a policy in Rust to one file, NAME.wasm, that a relay takes
    Build(build::Options),
    /// Say whether a relay takes a file, what is in it, and how near it is to the limits
    Check(check::Options),
    /// Run a policy against the cases of a file, on the relay's own host
    Test(test::Options),
    /// Measure how long a decision takes
    Bench(bench::Options),
    /// Make a pair of keys to sign policies with
    Keygen(keygen::Options),
    /// Bring a policy to a running relay
    Push(Box<push::Options>),
    /// List the generations of a tenant's policy, the newest first
    List(stages::OfTenant),
    /// Let a generation decide; the one that did is kept for a rollback
    Promote(stages::OfGeneration),
    /// Let a generation decide on a share of the messages
    Canary(stages::Share),
    /// Ask a generation beside the one that decides, and keep the differences
    Shadow(stages::OfGeneration),
    /// Show where the shadow differs from what decides
    Diff(stages::OfTenant),
    /// End a canary or a shadow
    Retire(stages::OfGeneration),
    /// Let the generation decide that did before
    Rollback(stages::OfTenant),
    /// Give the policy that decides other settings, as a generation of its own
    Set(stages::Settings),
}

pub(super) fn policy(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::New { name } => new::new(name),
        Command::Build(options) => build::build(options),
        Command::Check(options) => to_its_end(check::check(options)),
        Command::Test(options) => to_its_end(test::test(options)),
        Command::Bench(options) => to_its_end(bench::bench(options)),
        Command::Keygen(options) => keygen::keygen(options),
        Command::Push(options) => to_its_end(push::push(options)),
        Command::List(of) => to_its_end(stages::list(of)),
        Command::Promote(of) => to_its_end(stages::bring(of, "active", None)),
        Command::Canary(share) => to_its_end(stages::canary(share)),
        Command::Shadow(of) => to_its_end(stages::bring(of, "shadow", None)),
        Command::Diff(of) => to_its_end(stages::diff(of)),
        Command::Retire(of) => to_its_end(stages::bring(of, "retired", None)),
        Command::Rollback(of) => to_its_end(stages::roll_back(of)),
        Command::Set(settings) => to_its_end(stages::set(settings)),
    }
}

/// Runs on this thread alone: what is measured has no company.
fn to_its_end(work: impl Future<Output = Result<ExitCode, String>>) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))?.block_on(work)
}
