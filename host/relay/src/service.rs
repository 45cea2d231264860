//! The service manager that has started this process, if there is one (sd_notify(3)): what it is told, and how often.
//!
//! Nothing here waits for it, and nothing fails because it does not listen.

use std::fmt::Display;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

/// How often the status line is looked at.
const STATUS: Duration = Duration::from_secs(5);

/// The service manager.
#[derive(Debug)]
pub struct Service {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Service {
    /// The one that the environment names; one that nobody listens to where it names none.
    pub fn of_this_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                warn!(%error, "NOTIFY_SOCKET cannot be used; the service manager is told nothing");
                None
            }
        });
        let is_ours = variable("WATCHDOG_PID").is_none_or(|id| id == std::process::id().to_string());
        let watchdog = variable("WATCHDOG_USEC").filter(|_| is_ours && socket.is_some());
        let watchdog = watchdog.and_then(|every| every.parse().ok()).filter(|every| *every > 0);
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// Everything is open.
    pub fn ready(&self, status: &str) {
        self.tell(format_args!("READY=1\nSTATUS={status}"));
    }

    /// Its configuration is being read again; [`Self::ready`] is to follow. (Type=notify-reload tells by the time that
    /// this is about its own signal.)
    pub fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.tell(format_args!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// It is ending.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=ending: what is in flight finishes");
    }

    /// Another process is the service from now on.
    pub fn succeeded_by(&self, process: u32) {
        self.tell(format_args!("MAINPID={process}"));
    }

    /// Keeps the status line true and the watchdog quiet, until it is aborted. The watchdog hears of nothing but work
    /// that has really been done: a task that was started, handed to a worker and finished.
    pub async fn tend(&self, status: impl Fn() -> String) {
        let often = self.watchdog.map_or(STATUS, |every| (every / 2).min(STATUS));
        let mut ticks = interval(often.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = String::new();
        loop {
            ticks.tick().await;
            if self.watchdog.is_some() {
                let turns = timeout(often, tokio::spawn(tokio::task::yield_now())).await;
                if turns.is_ok_and(|turned| turned.is_ok()) {
                    self.tell("WATCHDOG=1");
                }
            }
            let now = status();
            if now != last {
                self.tell(format_args!("STATUS={now}"));
                last = now;
            }
        }
    }

    fn tell(&self, what: impl Display) {
        let Some((socket, manager)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(what.to_string().as_bytes(), manager) {
            debug!(%error, "the service manager does not listen");
        }
    }
}

fn connect(name: &std::ffi::OsStr) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let octets = name.as_encoded_bytes();
    let manager = match octets.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, manager))
}
