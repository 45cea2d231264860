//! `posthouse run`: the relay, until it is told to end or another process has taken its place.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use super::pid_file::PidFile;
use super::terminal::complain;
use crate::config::log::{Log, LogFormat};
use crate::config::{Config, Loaded, load};
use crate::control::report::Cause;
use crate::control::sources::{Fingerprint, inside};
use crate::control::watch::watch;
use crate::control::{Control, Ending};
use crate::handover::failure::NotHandedOver;
use crate::handover::predecessor::Predecessor;
use crate::handover::program::Program;
use crate::handover::successor::Successor;
use crate::inherited::Inherited;
use crate::relay::{Beginnings, Origin, Prepared, Relay};
use crate::series::Series;
use crate::service::Service;

/// How often metrics are tidied: until then each value of a histogram takes memory, and who is gone does.
const UPKEEP: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration file
    #[arg(long, short, default_value = "/etc/posthouse/posthouse.toml", env = "POSTHOUSE_CONFIG")]
    config: PathBuf,
    /// Where to write the process id; in the state directory, as posthouse.pid, if there is one
    #[arg(long)]
    pid_file: Option<PathBuf>,
}

/// What a relay of a process of its own begins with.
struct Beginning<'a> {
    file: &'a Path,
    loaded: &'a Loaded,
    seen: Fingerprint,
    config: &'a Config,
    beginnings: Beginnings,
    predecessor: Option<Predecessor>,
}

/// What a process is besides its relay.
struct Process {
    program: Option<Program>,
    pid_file: PidFile,
    service: Arc<Service>,
    /// Tells the service manager how things stand.
    tending: JoinHandle<()>,
    /// Upgrades that came to nothing.
    failures: u32,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, String> {
    let program = Program::of_this_process();
    let predecessor = Predecessor::of_this_process().map_err(|error| error.to_string())?;
    let last_word = predecessor.as_ref().and_then(|before| before.last_word().ok());
    let outcome = begin(options, program, predecessor);
    if let (Some(last_word), Err(reason)) = (last_word, &outcome) {
        last_word.give_up(reason);
    }
    outcome
}

fn begin(
    options: &Options,
    program: Option<Program>,
    mut predecessor: Option<Predecessor>,
) -> Result<ExitCode, String> {
    let beginnings = match &mut predecessor {
        Some(before) => before.beginnings(),
        None => Inherited::from_manager().map(|inherited| Beginnings { inherited, started_before: None }),
    };
    let beginnings = beginnings.map_err(|error| error.to_string())?;
    let loaded = load(&options.config);
    let seen = inside(&loaded.sources);
    let Some(config) = &loaded.config else { return Err(format!("not started\n{}", loaded.report())) };
    log_to_standard_output(&config.log);
    loaded.warnings.iter().for_each(|warning| warn!(%warning, "configuration"));
    let pid_file = PidFile::of(options.pid_file.as_deref(), config.state_directory.as_deref());
    let beginning = Beginning { file: &options.config, loaded: &loaded, seen, config, beginnings, predecessor };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(serve(beginning, program, pid_file))
}

fn log_to_standard_output(log: &Log) {
    // Libraries are heard from warnings on; the relay itself at the level that was asked for.
    let filter = EnvFilter::new(format!("warn,posthouse_relay={}", log.level.as_str()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text => builder.init(),
    }
}

async fn serve(beginning: Beginning<'_>, program: Option<Program>, pid_file: PidFile) -> Result<ExitCode, String> {
    let no_signals = |error| format!("cannot wait for signals: {error}");
    // From the first moment on: whoever does not listen is ended by them.
    let hangups = signal(SignalKind::hangup()).map_err(no_signals)?;
    let upgrades = signal(SignalKind::user_defined2()).map_err(no_signals)?;
    let seen = beginning.seen;
    let (main, is_main) = oneshot::channel();
    let relay = start(beginning, main).await?;
    if let Some(address) = relay.admin_address() {
        info!(%address, "metrics and health");
    }
    pid_file.write();
    let service = Arc::new(Service::of_this_process());
    let tending = tokio::spawn(tend(Arc::clone(&service), relay.standing(), is_main));
    tokio::spawn(watch(relay.control().clone(), seen));
    tokio::spawn(reload_on_hangup(hangups, relay.control().clone(), Arc::clone(&service), relay.standing()));
    info!(version = env!("CARGO_PKG_VERSION"), "relaying");
    let process = Process { program, pid_file, service, tending, failures: 0 };
    process.relay(relay, upgrades).await.map_err(no_signals)?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the relay, in the place of the process before where there is one.
async fn start(beginning: Beginning<'_>, main: oneshot::Sender<()>) -> Result<Relay, String> {
    let Beginning { file, loaded, config, beginnings, predecessor, .. } = beginning;
    let origin = Origin { file: Some(file.to_owned()), sources: loaded.sources.clone() };
    let series = Some(series()?);
    let Some(before) = predecessor else {
        let _nobody_waits = main.send(());
        let prepared = Relay::prepare(origin, config, series, beginnings).await;
        return prepared.map(Prepared::open).map_err(|error| error.to_string());
    };
    // The store is the old process's until it has heard that the configuration is good.
    let waiting = before.prepared().await.map_err(|error| error.to_string())?;
    let prepared = Relay::prepare(origin, config, series, beginnings).await;
    let prepared = prepared.map_err(|error| error.to_string())?;
    let relay = async { prepared.open_after(waiting.ready().await?, main).await };
    relay.await.map_err(|error| error.to_string())
}

/// Installs the metrics' recorder, and keeps it tidy, whether or not anybody ever reads them.
fn series() -> Result<Series, String> {
    let series = Series::install().map_err(|error| format!("cannot set up metrics: {error}"))?;
    tokio::spawn(upkeep(series.clone()));
    Ok(series)
}

async fn upkeep(series: Series) {
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        // It looks at each account, and no thread that carries mail does that.
        let series = series.clone();
        let _ended = tokio::task::spawn_blocking(move || series.tidy()).await;
    }
}

/// Speaks to the service manager once it knows this process.
async fn tend(service: Arc<Service>, standing: impl Fn() -> String, is_main: oneshot::Receiver<()>) {
    // An error means that the process before has ended, after which this one is all there is.
    let _told = is_main.await;
    service.ready(&standing());
    service.tend(standing).await;
}

/// Reloads at each SIGHUP, until the relay ends.
async fn reload_on_hangup(mut hangups: Signal, control: Control, service: Arc<Service>, standing: impl Fn() -> String) {
    while hangups.recv().await.is_some() {
        service.reloading();
        let reloaded = control.reload(Cause::Signal).await;
        if let Err(Ending) = reloaded {
            return;
        }
        service.ready(&standing());
    }
}

impl Process {
    /// Relays until the end of one kind or the other.
    async fn relay(mut self, relay: Relay, mut upgrades: Signal) -> std::io::Result<()> {
        // One future for all turns: a signal that comes in between is not lost.
        let mut told = std::pin::pin!(told_to_end());
        loop {
            tokio::select! {
                told = &mut told => {
                    told?;
                    self.end(relay).await;
                    return Ok(());
                }
                _ = upgrades.recv() => {}
            }
            let mut handing_over = std::pin::pin!(hand_over(relay.control().clone(), self.program.clone()));
            let handed_over = tokio::select! {
                handed_over = &mut handing_over => handed_over,
                told = &mut told => {
                    told?;
                    self.end(relay).await;
                    end_successor(handing_over.await);
                    return Ok(());
                }
            };
            match handed_over {
                Ok(successor) => {
                    self.leave(relay, successor).await;
                    return Ok(());
                }
                Err(reason) => self.go_on(&reason),
            }
        }
    }

    async fn end(self, relay: Relay) {
        self.tending.abort();
        self.service.stopping();
        info!("ending: no new connections, what is in flight finishes");
        until_drained(relay.stop(), told_to_end()).await;
        self.pid_file.remove();
    }

    async fn leave(self, relay: Relay, successor: Successor) {
        self.tending.abort();
        if let Some(process) = successor.process() {
            self.service.succeeded_by(process);
        }
        info!("succeeded: what is in flight finishes");
        // The first time it is told to end it does so already: a service manager tells all processes of a service.
        let insisted = async {
            told_to_end().await?;
            told_to_end().await
        };
        until_drained(relay.hand_on(successor), insisted).await;
    }

    fn go_on(&mut self, reason: &NotHandedOver) {
        error!(%reason, "not upgraded; this process goes on as before");
        self.failures += 1;
        self.pid_file.note(self.failures, &reason.to_string());
    }
}

/// Who takes over from a process that is told to end meanwhile is told the same.
fn end_successor(handed_over: Result<Successor, NotHandedOver>) {
    let process = handed_over.ok().and_then(|successor| successor.process());
    let process = process.and_then(|process| Pid::from_raw(i32::try_from(process).ok()?));
    if let Some(Err(error)) = process.map(|process| kill_process(process, Number::TERM)) {
        error!(%error, "the new process cannot be told to end");
    }
}

async fn hand_over(control: Control, program: Option<Program>) -> Result<Successor, NotHandedOver> {
    let program = program.ok_or(NotHandedOver::NoProgram)?;
    control.hand_over(program).await.unwrap_or(Err(NotHandedOver::Ending))
}

async fn until_drained(drained: impl Future<Output = usize>, insisted: impl Future<Output = std::io::Result<()>>) {
    tokio::select! {
        left = drained => match left {
            0 => info!("ended"),
            left => error!(sessions = left, "ended with sessions cut off: the grace was over"),
        },
        _ = insisted => error!("ended at once, as told a second time"),
    }
}

/// SIGTERM, or ^C.
pub(super) async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => complain("ending; ^C again ends at once"),
    }
    Ok(())
}
