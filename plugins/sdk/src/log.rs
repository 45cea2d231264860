//! Lines for the tenant's log: at most 32 and 8 KiB a call. What is beyond is dropped and counted.
//!
//! Each function takes what can be shown: a text, or `format_args!("{sender} is new")`.

use std::fmt::Display;
use std::panic;

use crate::bindings::posthouse::policy::log::{Level, write};

/// For whoever looks for a mistake; not kept unless asked for.
pub fn debug(line: impl Display) {
    write(Level::Debug, &line.to_string());
}

/// What happened.
pub fn info(line: impl Display) {
    write(Level::Info, &line.to_string());
}

/// What should not happen and did no harm.
pub fn warn(line: impl Display) {
    write(Level::Warn, &line.to_string());
}

/// What went wrong.
pub fn error(line: impl Display) {
    write(Level::Error, &line.to_string());
}

/// From now on panics are logged: without it a trap would say nothing of its cause.
pub(crate) fn panics() {
    panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("without a text");
        match panic.location() {
            Some(place) => error(format_args!("panic at {}:{}: {text}", place.file(), place.line())),
            None => error(format_args!("panic: {text}")),
        }
    }));
}
