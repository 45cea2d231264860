//! `envelope`: what is known of a message without its content.

use wasmtime::component::Resource;

use super::EnvelopeHandle;
use crate::bindings::posthouse::policy::envelope::{Host, HostEnvelope};
use crate::call::Call;

type This = Resource<EnvelopeHandle>;

impl Host for Call {}

impl HostEnvelope for Call {
    fn transaction(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(self.inquiry.envelope.transaction.clone())
    }

    fn client_address(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(self.inquiry.envelope.client.to_string())
    }

    fn helo(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(self.inquiry.envelope.helo.clone())
    }

    fn is_encrypted(&mut self, _: This) -> wasmtime::Result<bool> {
        Ok(self.inquiry.envelope.is_encrypted)
    }

    fn login(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(self.inquiry.envelope.login.clone())
    }

    fn sender(&mut self, _: This) -> wasmtime::Result<String> {
        Ok(self.inquiry.envelope.sender.clone())
    }

    fn recipients(&mut self, _: This) -> wasmtime::Result<Vec<String>> {
        Ok(self.inquiry.envelope.recipients.clone())
    }

    fn declared_size(&mut self, _: This) -> wasmtime::Result<Option<u64>> {
        Ok(self.inquiry.envelope.declared_size)
    }

    fn needs_smtputf8(&mut self, _: This) -> wasmtime::Result<bool> {
        Ok(self.inquiry.envelope.smtputf8)
    }

    fn carried(&mut self, _: This) -> wasmtime::Result<Vec<u8>> {
        Ok(self.inquiry.envelope.carried.clone())
    }

    fn drop(&mut self, _: This) -> wasmtime::Result<()> {
        Ok(())
    }
}
