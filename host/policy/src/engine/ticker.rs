//! The thread that moves an engine's epoch on, each tick.
//!
//! A thread of the system's and not a task: a worker that is busy with a loop must not stop the clock
//! that ends the loop. It ends with its engine.

use std::io;
use std::thread;

use crate::limits::TICK;

pub(super) fn start(engine: &wasmtime::Engine) -> io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("posthouse-ticker".to_owned()).spawn(tick).map(drop)
}
