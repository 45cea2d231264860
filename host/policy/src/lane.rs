//! The slow lane: threads of their own for calls that are slow.
//!
//! A worker that runs a guest serves nobody else meanwhile. So a call that was not done within its first turn goes on
//! here, on half the cores and at a low priority, where the system takes the core from it whenever mail wants it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::engine::Engine;
use crate::limits::{QUICK, SLOW_CALLS, SLOW_NICE};

/// A call that can go on elsewhere.
pub(crate) type Call<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The threads.
#[derive(Debug)]
pub(crate) struct SlowLane {
    runtime: Option<Runtime>,
}

impl SlowLane {
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name("posthouse-slow").enable_time().on_thread_start(|| {
            // Where the system does not allow it calls are as fast, and mail is a little slower.
            let _ = setpriority_process(None, SLOW_NICE);
            Engine::prepare_thread();
        });
        Ok(Self { runtime: Some(builder.build()?) })
    }

    /// Runs the call to its end; it is given up with this future. None where the engine goes down.
    pub(crate) async fn run<T: Send + 'static>(&self, call: Call<T>) -> Option<T> {
        let running = self.runtime.as_ref()?.spawn(call);
        let _given_up = AbortOnDrop(running.abort_handle());
        match running.await {
            Ok(done) => Some(done),
            Err(error) => error.try_into_panic().map_or(None, |panic| std::panic::resume_unwind(panic)),
        }
    }
}

impl Drop for SlowLane {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether a policy's calls begin on the slow lane: they do after a slow one, until so many were quick.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    slow: AtomicU32,
}

impl Pace {
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed) > 0
    }

    /// Notes what a call has used of a processor.
    pub(crate) fn note(&self, cpu: Duration) {
        if cpu > QUICK {
            self.slow.store(SLOW_CALLS, Ordering::Relaxed);
        } else if self.is_slow() {
            let _ = self.slow.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |slow| slow.checked_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_slow_after_one_slow_call_and_quick_after_many_quick_ones() {
        let pace = Pace::default();
        pace.note(QUICK);
        assert!(!pace.is_slow());
        pace.note(2 * QUICK);
        for _ in 0..SLOW_CALLS {
            assert!(pace.is_slow());
            pace.note(QUICK);
        }
        assert!(!pace.is_slow());
    }

    #[tokio::test]
    async fn a_call_goes_on_on_a_thread_of_low_priority_and_ends_with_its_caller() {
        let lane = SlowLane::new(1).expect("the system gives a thread");
        let name = lane.run(Box::pin(async { std::thread::current().name().map(str::to_owned) })).await;
        assert_eq!(name.flatten().as_deref(), Some("posthouse-slow"));
        let priority = lane.run(Box::pin(async { rustix::process::getpriority_process(None).ok() })).await;
        assert_eq!(priority.flatten(), Some(SLOW_NICE));
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        let endless = lane.run::<()>(Box::pin(async move {
            let _held = held;
            std::future::pending().await
        }));
        assert!(tokio::time::timeout(Duration::from_millis(1), endless).await.is_err());
        assert!(gone.await.is_err(), "what the call held is gone with it");
    }
}
