//! `posthouse policy test`: the cases of a file, on the relay's own host.
//!
//! The same cases and the same file give the same output on every machine: the clock stands still, chance is fixed, and what
//! a call costs is told in instructions.

use std::path::PathBuf;
use std::process::ExitCode;

use posthouse_policy::engine::Mode;

use super::numbers::{counted, grouped, octets};
use super::workshop::{CASES, PolicyFile, Workshop, log_lines};
use crate::cli::terminal::{Style, say, styled};
use crate::trial::cases::{Case, Cases};
use crate::trial::expectation::differences;
use crate::trial::runner::{Ran, Runner};
use crate::trial::world::World;

/// Names longer than this push the figures behind them to the right.
const LONGEST_NAME: usize = 80;

/// Also the reference of the format.
const EXAMPLES: &str = include_str!("test/help.txt");

/// What to test.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Options {
    /// The policy: a .wasm file, or a folder with one in it
    #[arg(default_value = ".")]
    file: PathBuf,
    /// The cases; without it cases.toml beside the policy, or in this folder
    cases: Option<PathBuf>,
    /// Only cases whose name has this text in it
    #[arg(long)]
    only: Option<String>,
    /// Show what came of each case, and its log lines, also where it is as expected
    #[arg(long, short)]
    verbose: bool,
}

pub(super) async fn test(options: &Options) -> Result<ExitCode, String> {
    let file = PolicyFile::find(&options.file)?;
    let path = file.cases(options.cases.as_deref()).ok_or_else(|| {
        format!("there is no {CASES} beside {} or here; `posthouse policy test --help` shows one", file.path.display())
    })?;
    let cases = Cases::read(&path)?;
    let only = options.only.as_deref().unwrap_or_default();
    let chosen: Vec<&Case> =
        cases.cases.iter().map(|case| case.get_ref()).filter(|case| case.name.contains(only)).collect();
    if chosen.is_empty() {
        return Err(format!("{}: no case has \"{only}\" in its name", path.display()));
    }
    let world = World::of_cases(&cases);
    let (policy, _) = Workshop::open(Mode::Metered)?.load(&file, &world).await?;
    let title = format!("{} {}", policy.description.name, policy.description.version);
    say(&format!("{}, {} of {}", styled(Style::Strong, &title), counted(chosen.len(), "case"), path.display()));
    let failed = run(&mut Runner::new(policy, world), &chosen, options.verbose).await;
    let summary = format!("{} passed, {failed} failed", chosen.len() - failed);
    say(&styled(if failed == 0 { Style::Good } else { Style::Bad }, &summary));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs and shows the cases; how many were not as expected.
async fn run(runner: &mut Runner, cases: &[&Case], verbose: bool) -> usize {
    let width = cases.iter().map(|case| case.name.chars().count()).max().unwrap_or(0).min(LONGEST_NAME);
    let mut failed = 0;
    for case in cases {
        let (ran, differences) = match runner.run(case).await {
            Ok(ran) => {
                let differences = differences(&case.expect, &ran.seen);
                (Some(ran), differences)
            }
            Err(obstacle) => (None, vec![obstacle]),
        };
        failed += usize::from(!differences.is_empty());
        show(case, width, ran.as_ref(), &differences, verbose);
    }
    failed
}

fn show(case: &Case, width: usize, ran: Option<&Ran>, differences: &[String], verbose: bool) {
    let is_ok = differences.is_empty();
    let mark = if is_ok { styled(Style::Good, "ok    ") } else { styled(Style::Bad, "FAILED") };
    let cost = ran.map(|ran| match (&ran.seen.failure, ran.cost.instructions) {
        (None, Some(instructions)) => {
            format!("{:>12} instructions  {:>8}", grouped(instructions), octets(ran.cost.memory))
        }
        // Where a call was cut off the count is not exact.
        _ => String::new(),
    });
    let cost = styled(Style::Faint, &cost.unwrap_or_default());
    say(format!("{mark}  {:<width$}  {cost}", case.name).trim_end());
    for difference in differences {
        say(&format!("        {}", styled(Style::Bad, difference)));
    }
    let Some(ran) = ran else { return };
    if verbose {
        say(&format!("        {}", ran.seen));
    }
    if !is_ok || verbose {
        log_lines(&ran.lines).for_each(|line| say(&format!("        {line}")));
    }
    let signed = ran.seen.onward.as_ref().map_or(&[][..], |onward| &onward.signed);
    if !signed.is_empty() {
        let note = format!("note: it edits what a DKIM signature covers: {}", signed.join(", "));
        say(&format!("        {}", styled(Style::Warning, &note)));
    }
}
