//! Another program on the machine: it takes a share of one core, at the priority that slow policies have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use rustix::time::{ClockId, clock_gettime};

/// The niceness of the relay's slow lane.
const NICENESS: i32 = 5;
/// It burns and rests in each of these.
const PERIOD: Duration = Duration::from_millis(10);

/// It burns until it is dropped.
#[derive(Debug)]
pub(crate) struct Burner {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Burner {
    /// Takes this share of one core.
    pub(crate) fn start(share: f64) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let work = move || {
            let _ = setpriority_process(None, NICENESS);
            let mut last = Instant::now();
            while !told.load(Ordering::Relaxed) {
                let owed = last.elapsed().mul_f64(share.min(0.9));
                last = Instant::now();
                let until = processor_time() + owed;
                while processor_time() < until {}
                thread::sleep(PERIOD);
            }
        };
        Self { ends, thread: Some(thread::spawn(work)) }
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
