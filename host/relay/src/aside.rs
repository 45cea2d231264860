//! Threads for what is not mail: requests to the admin address, and configurations that are read and built.
//!
//! A thread that writes down how two thousand accounts stand, or builds a thousand tenants, carries no message for some
//! milliseconds. So none that carries messages does it; and these have a low priority, so that the system takes the core
//! from them whenever mail wants it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Their niceness: where mail takes all cores, about a quarter of one is left.
const NICENESS: i32 = 5;

/// The threads. They end when this is dropped, and what runs on them is given up.
#[derive(Debug)]
pub(crate) struct Aside {
    /// None while it is dropped.
    runtime: Option<Runtime>,
}

impl Aside {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("posthouse-aside").enable_all().on_thread_start(|| {
            // Where the system does not allow it things are as right, and mail is a little slower.
            let _ = setpriority_process(None, NICENESS);
        });
        Ok(Arc::new(Self { runtime: Some(builder.build()?) }))
    }

    /// Runs a task there.
    pub(crate) fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime().spawn(task)
    }

    /// Runs what keeps a thread busy.
    pub(crate) fn spawn_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.runtime().spawn_blocking(work)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is there until this is dropped")
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // It may be a task of its own that drops it, which must not wait for itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn what_runs_there_has_a_low_priority_and_the_caller_keeps_its_own() {
        let aside = Aside::new().expect("the system gives a thread");
        let priority = || getpriority_process(None).expect("a thread has a priority");
        let here = priority();
        let task = {
            let within = Arc::clone(&aside);
            // From a thread of low priority to the next it does not sink further.
            aside.spawn(async move { (priority(), within.spawn_blocking(priority).await.expect("it ends")) })
        };
        assert_eq!(task.await.expect("it ends"), (NICENESS, NICENESS));
        assert_eq!(aside.spawn_blocking(priority).await.expect("it ends"), NICENESS);
        assert_eq!(priority(), here);
    }
}
