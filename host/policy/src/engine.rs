//! The engine that all policies of a relay share: wasmtime's, its ticker, the linked host functions,
//! and the places for calls.

mod ticker;

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::FullPolicy;
use crate::call::Call;
use crate::failure::LoadError;
use crate::lane::SlowLane;
use crate::places::Places;
use crate::{limits, tunables};

/// What code is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// For mail: fast.
    Fast,
    /// For authors: every instruction is counted, so that cost does not depend on the machine.
    Metered,
}

impl Mode {
    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Fast, Self::Metered].into_iter().find(|mode| mode.name() == name)
    }

    /// Its name, as the compile worker takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Metered => "metered",
        }
    }
}

/// The engine. It never compiles: what it runs comes from the compile worker.
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linker: Linker<Call>,
    /// Places for calls, over all tenants.
    pub(crate) places: Arc<Places>,
    /// Turns for calls that are slower than a tick: half the cores, so that the others stay for mail.
    pub(crate) slow: Arc<Semaphore>,
    /// Where they run.
    pub(crate) lane: SlowLane,
    mode: Mode,
}

impl Engine {
    /// An engine whose guests may have up to `memory` octets.
    ///
    /// # Errors
    /// The system has no address space for the pool, or no thread for the ticker or the slow lane.
    pub fn new(mode: Mode, memory: usize) -> Result<Arc<Self>, LoadError> {
        let mut config = tunables::config(mode);
        tunables::pool(&mut config, memory);
        config.enable_compiler(false);
        let wasmtime = wasmtime::Engine::new(&config).map_err(|error| LoadError::Engine(error.to_string()))?;
        ticker::start(&wasmtime).map_err(|error| LoadError::Engine(error.to_string()))?;
        let mut linker = Linker::new(&wasmtime);
        FullPolicy::add_to_linker::<Call, HasSelf<Call>>(&mut linker, |call| call)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let half = (cores / 2).max(1);
        let lane = SlowLane::new(half).map_err(|error| LoadError::Engine(error.to_string()))?;
        let (places, slow) = (Places::new(limits::CALLS), Arc::new(Semaphore::new(half)));
        Ok(Arc::new(Self { wasmtime, linker, places, slow, lane, mode }))
    }

    /// What it runs.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// To be called on each thread that runs calls: the first would pay for it otherwise.
    pub fn prepare_thread() {
        wasmtime::Engine::tls_eager_initialize();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("mode", &self.mode).field("free", &self.places.free()).finish()
    }
}
