//! `environment`: time and chance, fixed when the call began.

use crate::bindings::posthouse::policy::environment::Host;
use crate::call::Call;

/// What `has` answers yes to; wit/README.md explains each.
const FEATURES: &[&str] = &["add-recipient", "dkim-awareness"];

impl Host for Call {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.inquiry.moment.unix_milliseconds)
    }

    fn seed(&mut self) -> wasmtime::Result<u64> {
        Ok(self.inquiry.moment.seed)
    }

    fn has(&mut self, feature: String) -> wasmtime::Result<bool> {
        Ok(FEATURES.contains(&feature.as_str()))
    }
}
