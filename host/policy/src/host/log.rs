//! `log`: lines, kept until the call is over.

use crate::bindings::posthouse::policy::log::{Host, Level};
use crate::call::Call;
use crate::log::Level as Kept;

impl Host for Call {
    fn write(&mut self, level: Level, text: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => Kept::Debug,
            Level::Info => Kept::Info,
            Level::Warn => Kept::Warn,
            Level::Error => Kept::Error,
        };
        self.lines.write(level, &text);
        Ok(())
    }
}
