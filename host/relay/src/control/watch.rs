//! Notices that a configuration's files have changed, and has them reloaded. The only importer of notify.
//!
//! Watches miss what happens on network and overlay file systems and in mounted secrets, so that everything is looked at
//! every few seconds as well. Nothing is read before it has been still for a moment: what an editor or a copy has not
//! finished writing is not taken for a configuration.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::Control;
use super::report::Cause;
use super::sources::{Fingerprint, directories, inside, outside};
use crate::aside::Aside;
use crate::config::files::Sources;

/// How often everything is looked at.
pub const POLL: Duration = Duration::from_secs(2);
/// How long files have to stay the same before they are read.
const STILL: Duration = Duration::from_millis(40);
/// How long something that does not become still is waited for before it is looked at all the same.
const RESTLESS: Duration = Duration::from_secs(2);

/// Watches the files of the configuration until the relay ends. `taken` is what they held when it was read.
pub async fn watch(control: Control, mut taken: Fingerprint) {
    let mut watcher = Files::new();
    let mut sources = control.status().sources.clone();
    let mut looked = [0; 32];
    loop {
        watcher.watch(&sources);
        let _woken_or_time = timeout(POLL, watcher.changed.notified()).await;
        let now = seen(&control.aside, &sources, outside).await;
        if now == looked {
            continue;
        }
        let Some(still) = stillness(&control.aside, &sources, taken).await else {
            // As they were before they were read: what has happened since is seen at the next look.
            looked = now;
            continue;
        };
        debug!("the configuration's files have changed");
        let Ok(_report) = control.reload(Cause::Files).await else { return };
        sources = control.status().sources.clone();
        // The files may be others now, and what was read may be newer than what was looked at: the next look tells.
        looked = [0; 32];
        taken = still;
    }
}

/// The content once it has stayed the same for a moment; none where it is what was taken last.
async fn stillness(aside: &Aside, sources: &Sources, taken: Fingerprint) -> Option<Fingerprint> {
    let patience = Instant::now() + RESTLESS;
    let mut before = seen(aside, sources, inside).await;
    loop {
        sleep(STILL).await;
        let now = seen(aside, sources, inside).await;
        if now == before || Instant::now() > patience {
            return (now != taken).then_some(now);
        }
        before = now;
    }
}

async fn seen(aside: &Aside, sources: &Sources, look: fn(&Sources) -> Fingerprint) -> Fingerprint {
    let sources = sources.clone();
    aside.spawn_blocking(move || look(&sources)).await.expect("looking at files does not panic")
}

/// The system's watch over directories: files are replaced, and a watch on the old one would see nothing.
struct Files {
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
    /// The names of the files, as they are written and as links lead to them.
    names: Arc<Mutex<HashSet<OsString>>>,
    changed: Arc<Notify>,
}

impl Files {
    fn new() -> Self {
        let changed = Arc::new(Notify::new());
        let names = Arc::<Mutex<HashSet<OsString>>>::default();
        let (bell, known) = (Arc::clone(&changed), Arc::clone(&names));
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if !event.is_ok_and(|event| is_nothing(&event, &known)) {
                bell.notify_one();
            }
        });
        if let Err(error) = &watcher {
            warn!(%error, "files cannot be watched; they are looked at every {} s", POLL.as_secs());
        }
        Self { watcher: watcher.ok(), watched: HashSet::new(), names, changed }
    }

    /// Watches the directories of these and no others. One that cannot be watched is looked at all the same.
    fn watch(&mut self, sources: &Sources) {
        let Some(watcher) = &mut self.watcher else { return };
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names(sources);
        let wanted: HashSet<PathBuf> = directories(sources).into_iter().collect();
        for gone in self.watched.difference(&wanted) {
            let _was_removed = watcher.unwatch(gone);
        }
        for new in wanted.difference(&self.watched) {
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                debug!(%error, directory = %new.display(), "cannot be watched");
            }
        }
        self.watched = wanted;
    }
}

/// Whether an event is none of the configuration's: a file was read, or another one in its directory, such as a log, was
/// written to. What comes, goes or is renamed may be a link that leads to one.
fn is_nothing(event: &Event, names: &Mutex<HashSet<OsString>>) -> bool {
    let is_known = || {
        let names = names.lock().unwrap_or_else(PoisonError::into_inner);
        event.paths.iter().filter_map(|path| path.file_name()).any(|name| names.contains(name))
    };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(ModifyKind::Data(_)) => !is_known(),
        EventKind::Access(_) => true,
        _ => false,
    }
}

fn names(sources: &Sources) -> HashSet<OsString> {
    let real = |file: &PathBuf| std::fs::canonicalize(file).ok();
    let files = sources.files.iter().flat_map(|file| [Some(file.clone()), real(file)]).flatten();
    files.filter_map(|file| file.file_name().map(OsString::from)).collect()
}
