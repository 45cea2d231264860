//! `attempt`: what came of handing a message to a provider.

use wasmtime::component::Resource;

use super::{AttemptHandle, mistake};
use crate::bindings::posthouse::policy::attempt::{Host, HostAttempt, Outcome};
use crate::call::{Attempt, Call, Outcome as Came};

type This = Resource<AttemptHandle>;

impl Host for Call {}

impl Call {
    fn attempt(&self) -> wasmtime::Result<&Attempt> {
        match &self.attempt {
            Some(attempt) => Ok(attempt),
            None => mistake("there is no attempt in this hook"),
        }
    }
}

impl HostAttempt for Call {
    fn number(&mut self, _: This) -> wasmtime::Result<u32> {
        Ok(Call::attempt(self)?.number)
    }

    fn account(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(Call::attempt(self)?.account.clone())
    }

    fn outcome(&mut self, _: This) -> wasmtime::Result<Outcome> {
        Ok(match Call::attempt(self)?.outcome {
            Came::Accepted => Outcome::Accepted,
            Came::Deferred => Outcome::Deferred,
            Came::Refused => Outcome::Refused,
            Came::Unknown => Outcome::Unknown,
        })
    }

    fn code(&mut self, _: This) -> wasmtime::Result<u16> {
        Ok(Call::attempt(self)?.code)
    }

    fn text(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(Call::attempt(self)?.text.clone())
    }

    fn milliseconds(&mut self, _: This) -> wasmtime::Result<u32> {
        Ok(u32::try_from(Call::attempt(self)?.took.as_millis()).unwrap_or(u32::MAX))
    }

    fn can_go_on(&mut self, _: This) -> wasmtime::Result<bool> {
        Ok(Call::attempt(self)?.can_go_on)
    }

    fn drop(&mut self, _: This) -> wasmtime::Result<()> {
        Ok(())
    }
}
