//! `message`: fields and ranges of the body, as they are asked for.

use wasmtime::component::Resource;

use super::MessageHandle;
use crate::bindings::posthouse::policy::message::{BodyError, Host, HostMessage};
use crate::call::Call;
use crate::limits;

type This = Resource<MessageHandle>;

impl Host for Call {}

impl HostMessage for Call {
    fn header(&mut self, _: This, name: String) -> wasmtime::Result<Option<String>> {
        let content = &self.mail.content;
        let mut named = self.mail.block.fields().iter().filter(|field| field.is_named(content, &name));
        Ok(named.next().map(|field| field.text(content).into_owned()))
    }

    fn headers(&mut self, _: This, name: String) -> wasmtime::Result<Vec<String>> {
        let content = &self.mail.content;
        let named = self.mail.block.fields().iter().filter(|field| field.is_named(content, &name));
        Ok(named.map(|field| field.text(content).into_owned()).collect())
    }

    fn header_count(&mut self, _: This) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.mail.block.fields().len()).unwrap_or(u32::MAX))
    }

    fn header_at(&mut self, _: This, index: u32) -> wasmtime::Result<Option<(String, String)>> {
        let content = &self.mail.content;
        let field = self.mail.block.fields().get(index as usize);
        let name = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Ok(field.map(|field| (name(field.name(content)), field.text(content).into_owned())))
    }

    fn raw_header(&mut self, _: This, name: String) -> wasmtime::Result<Option<Vec<u8>>> {
        let content = &self.mail.content;
        let mut named = self.mail.block.fields().iter().filter(|field| field.is_named(content, &name));
        Ok(named.next().map(|field| field.body(content).to_vec()))
    }

    fn is_signed(&mut self, _: This, name: String) -> wasmtime::Result<bool> {
        Ok(self.signed().binary_search(&name.to_ascii_lowercase()).is_ok())
    }

    fn body_size(&mut self, _: This) -> wasmtime::Result<u64> {
        Ok(self.mail.body().len() as u64)
    }

    fn has_whole_body(&mut self, _: This) -> wasmtime::Result<bool> {
        Ok(self.mail.is_whole)
    }

    fn read_body(&mut self, _: This, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, BodyError>> {
        if !self.reads_body {
            return Ok(Err(BodyError::NotDeclared));
        }
        let body = self.mail.body();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(body.len());
        let length = (length as usize).min(limits::BODY_READ).min(body.len() - start);
        // Every read costs something, also one at the end.
        self.body_read = self.body_read.saturating_add(length.max(1));
        if self.body_read > limits::BODY_READS {
            return Ok(Err(BodyError::Budget));
        }
        Ok(Ok(self.mail.body()[start..start + length].to_vec()))
    }

    fn drop(&mut self, _: This) -> wasmtime::Result<()> {
        Ok(())
    }
}
