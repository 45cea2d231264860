//! `posthouse upgrade`: asks the process that relays to let a new one take its place, and says what came of it.
//!
//! It only sends a signal and reads the pid file; the work is done by the process itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::pid_file::{PidFile, Told};
use super::terminal::say;
use crate::config::defaults::UPGRADE;
use crate::config::load;

/// How often the pid file is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long the new process may take to write the pid file after the old one has ended.
const WRITING: Duration = Duration::from_secs(2);
/// What starting, opening and telling may take besides `timeouts.upgrade`.
const BESIDES: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration file that the relay runs with: it names the state directory, where the pid file is
    #[arg(long, short, default_value = "/etc/posthouse/posthouse.toml", env = "POSTHOUSE_CONFIG")]
    config: PathBuf,
    /// The pid file, if the relay was started with --pid-file
    #[arg(long)]
    pid_file: Option<PathBuf>,
    /// The process that is to be upgraded, instead of the one in the pid file
    #[arg(long)]
    pid: Option<u32>,
}

pub(super) fn upgrade(options: &Options) -> Result<ExitCode, String> {
    let file = PidFile::of(options.pid_file.as_deref(), state_directory(&options.config).as_deref());
    let before = file.read();
    let process =
        options.pid.or(before.as_ref().map(|told| told.process)).ok_or_else(|| nobody(&file, &options.config))?;
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| format!("{process} is no process id"))?;
    takes_upgrades(process)?;
    kill_process(pid, Signal::USR2).map_err(|error| format!("process {process} cannot be told: {error}"))?;
    let patience = load(&options.config).config.map_or(UPGRADE, |config| config.timeouts.upgrade) + BESIDES;
    wait(&file, before.as_ref(), (pid, process), patience)
}

/// Where the relay keeps its state, as far as that can be told: what else is wrong with the configuration the new process
/// says, and the pid file has to be found all the same.
fn state_directory(config: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(config).ok()?;
    let main: toml::Table = text.parse().ok()?;
    let written = main.get("state_directory")?.as_str()?;
    Some(config.parent()?.join(written))
}

/// The signal ends a process that does not know it, such as another program that has the number now.
fn takes_upgrades(process: u32) -> Result<(), String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .map_err(|error| format!("there is no process {process} to be seen: {error}"))?;
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    if caught & (1 << (Signal::USR2.as_raw() - 1)) == 0 {
        return Err(format!("process {process} takes no upgrades (it does not listen to SIGUSR2); it was not touched"));
    }
    Ok(())
}

fn wait(
    file: &PidFile,
    before: Option<&Told>,
    (pid, process): (Pid, u32),
    patience: Duration,
) -> Result<ExitCode, String> {
    let until = Instant::now() + patience;
    let mut gone = None;
    while Instant::now() < until {
        std::thread::sleep(LOOK);
        if gone.is_none() && test_kill_process(pid).is_err() {
            gone = Some(Instant::now());
        }
        match file.read().filter(|now| Some(now) != before) {
            Some(now) if now.process != process => {
                say(&format!(
                    "Process {} relays now; process {process} ends when its sessions have ended.",
                    now.process
                ));
                return Ok(ExitCode::SUCCESS);
            }
            Some(now) if now.failures > 0 => {
                return Err(format!("not upgraded: {}\nprocess {process} goes on as before", now.reason));
            }
            _ if gone.is_some_and(|gone| gone.elapsed() > WRITING) => {
                return Err(format!(
                    "process {process} has ended, and no pid file names another in its place; see its log"
                ));
            }
            _ => {}
        }
    }
    Err(format!("nothing was heard of the upgrade of process {process} within {patience:?}; see its log"))
}

fn nobody(file: &PidFile, config: &Path) -> String {
    if let Some(path) = file.path() {
        return format!("no relay has written {}; is it running? --pid names a process", path.display());
    }
    let config_file = config.display();
    match (std::fs::metadata(config), state_directory(config)) {
        (Err(error), _) => {
            format!("cannot read {config_file}: {error}; name it with --config, or the process with --pid")
        }
        (Ok(_), Some(directory)) => format!(
            "the state_directory of {config_file}, {}, is not there, so that there is no pid file: make it for the next \
             start, and name the process with --pid",
            directory.display()
        ),
        (Ok(_), None) => format!(
            "{config_file} names no state_directory, so that there is no pid file: name one with --pid-file, here and to \
             `run`, or the process with --pid"
        ),
    }
}
