//! `counters`: the tenant's.

use crate::bindings::posthouse::policy::counters::Host;
use crate::call::Call;

impl Host for Call {
    fn add(&mut self, name: String, value: u64) -> wasmtime::Result<()> {
        self.tenant.counters.add(&name, value);
        Ok(())
    }
}
