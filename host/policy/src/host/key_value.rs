//! `key-value`: the tenant's memory.

use std::time::Duration;

use crate::bindings::posthouse::policy::key_value::{Error, Host};
use crate::call::Call;
use crate::key_value::WriteError;

impl Host for Call {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.tenant.key_value.get(&key, self.inquiry.moment.now))
    }

    fn set(&mut self, key: String, value: Vec<u8>, seconds: u32) -> wasmtime::Result<Result<(), Error>> {
        let life = Duration::from_secs(seconds.into());
        Ok(self.tenant.key_value.set(&key, value, life, self.inquiry.moment.now).map_err(error))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.tenant.key_value.delete(&key);
        Ok(())
    }

    fn add(&mut self, key: String, value: i64, seconds: u32) -> wasmtime::Result<Result<i64, Error>> {
        let life = Duration::from_secs(seconds.into());
        Ok(self.tenant.key_value.add(&key, value, life, self.inquiry.moment.now).map_err(error))
    }
}

fn error(error: WriteError) -> Error {
    match error {
        WriteError::TooLarge => Error::TooLarge,
        WriteError::Full => Error::Full,
        WriteError::NotANumber => Error::NotANumber,
    }
}
