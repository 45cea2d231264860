//! `posthouse policy check`: whether a relay takes a file, what is in it, and how near it is to the limits.

mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use posthouse_policy::admission::{Admitted, VERSION, admit};
use posthouse_policy::call::Cost;
use posthouse_policy::engine::Mode;
use posthouse_policy::limits::{self, Limits};
use posthouse_policy::policy::Policy;

use self::table::{Use, bounds, row, title};
use super::numbers::{counted, octets, percent, span};
use super::workshop::{PolicyFile, Workshop, indented};
use crate::cli::terminal::{Style, say, styled};
use crate::trial::cases::Cases;
use crate::trial::runner::Runner;
use crate::trial::world::World;

const EXAMPLES: &str = "\
Examples:
  posthouse policy check my-policy.wasm
  posthouse policy check my-policy.wasm --cases cases.toml
  posthouse policy check my-policy.wasm --tenant tenants/acme.toml

The file is admitted, compiled and asked what it is, as a relay would. The exit status is 1 where a relay would refuse \
it, and standard error says why.

Of a tenant's file [policy], [[accounts]], [[routes]] and the logins' senders are read; `posthouse check` reads the \
rest. With a file of cases the table says what they took at most.";

/// What to check.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Options {
    /// The policy: a .wasm file, or a folder with one in it
    #[arg(default_value = ".")]
    file: PathBuf,
    /// Ask it about the settings in this file: keys and texts, as under [policy.settings]
    #[arg(long, conflicts_with_all = ["tenant", "cases"])]
    settings: Option<PathBuf>,
    /// Ask it about a tenant's settings, with the tenant's accounts and routes
    #[arg(long, conflicts_with = "cases")]
    tenant: Option<PathBuf>,
    /// Ask it about the settings in a file of cases, and say how near its cases come to the limits
    #[arg(long)]
    cases: Option<PathBuf>,
}

pub(super) async fn check(options: &Options) -> Result<ExitCode, String> {
    let file = PolicyFile::find(&options.file)?;
    let cases = options.cases.as_deref().map(Cases::read).transpose()?;
    let world = world(options, cases.as_ref())?;
    let refused = |reason: String| format!("{} is refused: {reason}", file.path.display());
    let admitted = admit(&file.octets).map_err(|error| refused(error.to_string()))?;
    let (policy, described) = Workshop::open(Mode::Fast)?.load(&file, &world).await?;
    say(&styled(Style::Strong, &file.path.display().to_string()));
    show(&file, &admitted, &policy);
    row("settings", &settings(options, &policy, &world).await.map_err(&refused)?);
    let (limits, initial) = (world.limits, policy.initial_memory());
    let (most, by) = match &cases {
        Some(cases) => (most(Runner::new(policy, world), cases).await, counted(cases.cases.len(), "case")),
        None => (described, "to describe itself".to_owned()),
    };
    title("What a call may take, and what was taken at most");
    show_uses(&limits, initial, most, &by);
    title("What else bounds a policy");
    bounds();
    Ok(ExitCode::SUCCESS)
}

fn world(options: &Options, cases: Option<&Cases>) -> Result<World, String> {
    match (&options.settings, &options.tenant, cases) {
        (Some(settings), ..) => World::of_settings(settings),
        (_, Some(tenant), _) => World::of_tenant(tenant),
        (.., Some(cases)) => Ok(World::of_cases(cases)),
        _ => Ok(World::empty()),
    }
}

fn show(file: &PolicyFile, admitted: &Admitted, policy: &Policy) {
    let (size, most) = (file.octets.len(), limits::COMPONENT);
    let kind = if admitted.was_module { "a core module, which a relay wraps" } else { "a component" };
    row("size", &format!("{} of at most {} ({}); {kind}", octets(size), octets(most), part(size, most)));
    row("sha256", &policy.digest.to_string());
    let (major, minor, patch) = VERSION;
    row("contract", &format!("posthouse:policy@{major}.{minor}.{patch}"));
    let imports: Vec<&str> = admitted.imports.iter().map(|name| short(name)).collect();
    row("imports", &if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") });
    row("hooks", &admitted.hooks.join(", "));
    row("compiled", &format!("in {}", span(policy.loading)));
    let description = &policy.description;
    let body = if description.needs_body { "reads bodies (needs-body)" } else { "reads no bodies" };
    row("says", &format!("{} {}, {body}", description.name, description.version));
}

/// `posthouse:policy/log@0.1.0` is `log`.
fn short(name: &str) -> &str {
    let interface = name.rsplit('/').next().unwrap_or(name);
    interface.split('@').next().unwrap_or(interface)
}

/// What it says about its settings, if it was given any.
async fn settings(options: &Options, policy: &Policy, world: &World) -> Result<String, String> {
    let given = options.settings.as_ref().or(options.tenant.as_ref()).or(options.cases.as_ref());
    let Some(given) = given.map(|given| given.display()) else {
        return Ok("not asked about: give --tenant, --settings or --cases".to_owned());
    };
    let report = policy.check_settings(world.inquiry()).await;
    match report.result {
        Ok(Ok(())) => Ok(format!("those of {given} are accepted")),
        Ok(Err(reason)) => Err(format!("it does not take the settings of {given}: {reason}")),
        Err(failure) => Err(format!("it cannot be asked about its settings: {failure}{}", indented(&report.lines))),
    }
}

/// The most that any of the cases took.
async fn most(mut runner: Runner, cases: &Cases) -> Cost {
    let mut most = Cost::default();
    for case in &cases.cases {
        if let Ok(ran) = runner.run(case.get_ref()).await {
            most.cpu = most.cpu.max(ran.cost.cpu);
            most.time = most.time.max(ran.cost.time);
            most.memory = most.memory.max(ran.cost.memory);
        }
    }
    most
}

fn show_uses(limits: &Limits, initial: usize, most: Cost, by: &str) {
    let share = |used: Duration, limit: Duration| percent(used.as_secs_f64(), limit.as_secs_f64());
    let times = [("processor", "cpu", limits.cpu, most.cpu), ("clock", "time", limits.time, most.time)];
    for (what, key, limit, used) in times {
        Use { what, key, limit: span(limit), used: span(used), part: share(used, limit), by }.show();
    }
    let memory = |used: usize| (octets(limits.memory), octets(used), part(used, limits.memory));
    let (limit, used, of) = memory(most.memory);
    Use { what: "memory", key: "memory", limit, used, part: of, by }.show();
    let (_, used, of) = memory(initial);
    Use { what: "", key: "", limit: String::new(), used, part: of, by: "to begin with" }.show();
}

fn part(used: usize, limit: usize) -> String {
    percent(used as f64, limit as f64)
}
