//! `posthouse policy bench`: how long a decision takes, on one thread, with a fresh instance each time.
//!
//! What is measured is what a relay does for a message between its header block and the decision, with nothing of
//! the network in it. A call that fails ends the measurement: it would say nothing about decisions.

mod figures;
mod result;
mod sample;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_policy::call::{Inquiry, Report};
use posthouse_policy::engine::Mode;
use posthouse_policy::meter::thread_time;
use posthouse_policy::policy::{Policy, Terms};
use posthouse_policy::tenant::TenantMemory;

use self::figures::Figures;
use self::result::Measured;
use super::workshop::{PolicyFile, Workshop};
use crate::cli::terminal::complain;
use crate::trial::cases::{Case, Cases, Hook};
use crate::trial::question::{Answer, Question, has_hook, inquiry, mail};
use crate::trial::seen::Seen;
use crate::trial::world::World;

/// Calls before those that count: caches are warm, and the pool's places have been used.
const WARM_UP: u32 = 200;
/// Calls with one size of body before the other has its turn, so that both meet the same machine.
const TURN: usize = 50;
/// The sizes that are compared.
const SMALL: usize = 1024;
const LARGE: usize = 25 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  posthouse policy bench
  posthouse policy bench my-policy.wasm cases.toml --case \"bulk route\"
  posthouse policy bench my-policy.wasm --sizes --json

The first case with a message is decided on, again and again, each time on a fresh instance. Without a file of cases \
it is a message with 20 header fields, and there are no settings.

--sizes does it with a body of 1 KB and one of 25 MB in turns: a policy that reads no bodies pays nothing for them.";

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Options {
    /// The policy: a .wasm file, or a folder with one in it
    #[arg(default_value = ".")]
    file: PathBuf,
    /// The cases; without it cases.toml beside the policy, or in this folder, or a message of its own
    cases: Option<PathBuf>,
    /// The first case whose name has this text in it
    #[arg(long)]
    case: Option<String>,
    /// Measure for so many seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Compare a body of 1 KB with one of 25 MB
    #[arg(long)]
    sizes: bool,
    /// Print one object in JSON, for programs; durations in microseconds
    #[arg(long)]
    json: bool,
}

/// A call that can be repeated.
struct Trial<'t> {
    policy: &'t Policy,
    inquiry: Inquiry,
    question: Question,
}

pub(super) async fn bench(options: &Options) -> Result<ExitCode, String> {
    if cfg!(debug_assertions) {
        complain("this is a debug build of posthouse: a release build is several times faster");
    }
    let file = PolicyFile::find(&options.file)?;
    let cases = match file.cases(options.cases.as_deref()) {
        Some(path) => Cases::read(&path)?,
        None => sample::cases(),
    };
    let world = World::of_cases(&cases);
    let (policy, _) = Workshop::open(Mode::Fast)?.load(&file, &world).await?;
    let case = chosen(&cases, &policy, options.case.as_deref())?;
    let policy = under_settings(&policy, case, &world).await?;
    let inquiry = inquiry(case, &world, Duration::ZERO, 1);
    let mut trial = Trial { policy: &policy, inquiry, question: Question::of(case) };
    let last = trial.warm_up().await?;
    let answer = Seen::of(case, &trial.question, &last).to_string();
    let time = Duration::from_secs(options.seconds);
    let figures = trial.measure(time).await?;
    let sizes = if options.sizes { Some(trial.sizes(case, time).await?) } else { None };
    let measured = Measured { description: &policy.description, case: &case.name, answer, figures, sizes };
    if options.json {
        measured.say_json()
    } else {
        measured.show()
    }
    Ok(ExitCode::SUCCESS)
}

/// The named case, or the first one with a message, or the first one at all that the policy has a hook for.
fn chosen<'c>(cases: &'c Cases, policy: &Policy, named: Option<&str>) -> Result<&'c Case, String> {
    let fits = |case: &&Case| case.hook != Hook::Settings && has_hook(policy, case.hook);
    let all = || cases.cases.iter().map(|case| case.get_ref()).filter(fits);
    let found = match named {
        Some(part) => all().find(|case| case.name.contains(part)),
        None => all().find(|case| case.hook == Hook::Message).or_else(|| all().next()),
    };
    found.ok_or_else(|| match named {
        Some(part) => format!("no case for a hook of this policy has \"{part}\" in its name"),
        None => "there is no case for a hook of this policy: give a file of cases that has one".to_owned(),
    })
}

/// The policy with the case's settings, if it takes them.
async fn under_settings(policy: &Policy, case: &Case, world: &World) -> Result<Policy, String> {
    let own = case.settings.as_ref().map(|table| Arc::new(table.settings()));
    let settings = own.unwrap_or_else(|| Arc::clone(&world.settings));
    let policy = policy.on(Terms { limits: world.limits, settings, tenant: TenantMemory::new() });
    match policy.check_settings(world.inquiry()).await.result {
        Ok(Ok(())) => Ok(policy),
        Ok(Err(reason)) => Err(format!("the policy refuses the settings: {reason}; give a file of cases with others")),
        Err(failure) => Err(format!("the policy fails on the settings: {failure}")),
    }
}

impl Trial<'_> {
    async fn call(&mut self) -> Result<Report<Answer>, String> {
        let report = self.question.ask(self.policy, self.inquiry.clone()).await;
        match &report.result {
            Ok(_) => Ok(report),
            Err(failure) => Err(format!("a call failed: {failure}; `posthouse policy test` shows more")),
        }
    }

    /// Calls that do not count; what came of the last one.
    async fn warm_up(&mut self) -> Result<Report<Answer>, String> {
        for _ in 1..WARM_UP {
            self.call().await?;
        }
        self.call().await
    }

    async fn measure(&mut self, time: Duration) -> Result<Figures, String> {
        let mut figures = Figures::default();
        while figures.wall() < time {
            self.measure_one(&mut figures).await?;
        }
        Ok(figures.sorted())
    }

    async fn measure_one(&mut self, figures: &mut Figures) -> Result<(), String> {
        let (began, cpu) = (Instant::now(), thread_time());
        let report = self.call().await?;
        // A slow call goes on on another thread, which its report tells of.
        figures.note(began.elapsed(), Duration::from_nanos(thread_time() - cpu).max(report.cost.cpu));
        Ok(())
    }

    /// The same with a small body and with a large one, in turns.
    async fn sizes(&mut self, case: &Case, time: Duration) -> Result<[Figures; 2], String> {
        let Some(message) = case.message.as_deref() else {
            return Err("--sizes needs a case with a message; choose one with --case".to_owned());
        };
        let mut bodies = [SMALL, LARGE].map(|size| Question::Message(mail(&sample::grown(message, size))));
        let mut figures = [Figures::default(), Figures::default()];
        let began = Instant::now();
        while began.elapsed() < time {
            for (body, figures) in bodies.iter_mut().zip(&mut figures) {
                std::mem::swap(&mut self.question, body);
                // The first one after the change finds cold caches, which is nobody's cost.
                self.call().await?;
                for _ in 0..TURN {
                    self.measure_one(figures).await?;
                }
                std::mem::swap(&mut self.question, body);
            }
        }
        Ok(figures.map(Figures::sorted))
    }
}
