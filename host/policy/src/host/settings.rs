//! `settings`: what the tenant's file says.

use crate::bindings::posthouse::policy::settings::Host;
use crate::call::Call;

impl Host for Call {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.settings.get(&key).cloned())
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.settings.iter().map(|(key, text)| (key.clone(), text.clone())).collect())
    }
}
