//! `decision`: instructions, each checked when it is given.

use posthouse_mail::edit::{EditError, Edits, Which};
use wasmtime::component::Resource;

use super::{DecisionHandle, mistake};
use crate::bindings::posthouse::policy::decision::{Host, HostDecision};
use crate::call::Call;
use crate::decided::Choice;
use crate::limits;
use crate::log::printable;

type This = Resource<DecisionHandle>;

/// Fields that say how a message came and who vouches for it: they are the relay's and other hosts' to write.
const PROTECTED: &[&str] = &["received", "return-path", "dkim-signature", "authentication-results"];
/// The same, by the beginning of the name (RFC 8617).
const PROTECTED_PREFIX: &str = "arc-";

impl Host for Call {}

impl HostDecision for Call {
    fn use_route(&mut self, _: This, name: String) -> wasmtime::Result<()> {
        if !self.inquiry.realm.routes().contains(&name) {
            return mistake(format!("the tenant has no route `{}`", shown(&name)));
        }
        self.instructions.choice = Some(Choice::Route(name));
        Ok(())
    }

    fn use_accounts(&mut self, _: This, ids: Vec<String>) -> wasmtime::Result<()> {
        if ids.is_empty() || ids.len() > limits::CHOICE {
            return mistake(format!("a choice is of 1 to {} accounts, not {}", limits::CHOICE, ids.len()));
        }
        if let Some(foreign) = ids.iter().find(|id| !self.inquiry.realm.has_account(id)) {
            return mistake(format!("the tenant has no account `{}`", shown(foreign)));
        }
        self.instructions.choice = Some(Choice::Accounts(ids));
        Ok(())
    }

    fn add_header(&mut self, _: This, name: String, value: String) -> wasmtime::Result<()> {
        self.edit(&name, &value, |edits| edits.append(&name, &value))
    }

    fn prepend_header(&mut self, _: This, name: String, value: String) -> wasmtime::Result<()> {
        self.edit(&name, &value, |edits| edits.prepend(&name, &value))
    }

    fn replace_header(
        &mut self,
        _: This,
        name: String,
        occurrence: Option<u32>,
        value: String,
    ) -> wasmtime::Result<()> {
        self.edit(&name, &value, |edits| edits.replace(&name, which(occurrence), &value))
    }

    fn remove_header(&mut self, _: This, name: String, occurrence: Option<u32>) -> wasmtime::Result<()> {
        self.edit(&name, "", |edits| edits.remove(&name, which(occurrence)))
    }

    fn set_sender(&mut self, _: This, address: String) -> wasmtime::Result<()> {
        match self.inquiry.realm.check_sender(&address) {
            Ok(()) => self.instructions.sender = Some(address),
            Err(reason) => return mistake(format!("sender `{}`: {reason}", shown(&address))),
        }
        Ok(())
    }

    fn set_recipient(&mut self, _: This, index: u32, address: String) -> wasmtime::Result<()> {
        let (index, count) = (index as usize, self.inquiry.envelope.recipients.len());
        if index >= count {
            return mistake(format!("there is no recipient {index}: the message has {count}"));
        }
        self.check_recipient(&address)?;
        self.instructions.replaced.retain(|(before, _)| *before != index);
        self.instructions.replaced.push((index, address));
        Ok(())
    }

    fn add_recipient(&mut self, _: This, address: String) -> wasmtime::Result<()> {
        if self.instructions.added.len() >= limits::ADDED_RECIPIENTS {
            return mistake(format!("at most {} recipients can be added", limits::ADDED_RECIPIENTS));
        }
        self.check_recipient(&address)?;
        self.instructions.added.push(address);
        Ok(())
    }

    fn carry(&mut self, _: This, state: Vec<u8>) -> wasmtime::Result<()> {
        if state.len() > limits::CARRIED {
            return mistake(format!("at most {} octets can be carried, not {}", limits::CARRIED, state.len()));
        }
        self.instructions.carried = state;
        Ok(())
    }

    fn drop(&mut self, _: This) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl Call {
    fn edit(
        &mut self,
        name: &str,
        value: &str,
        edit: impl FnOnce(&mut Edits) -> Result<(), EditError>,
    ) -> wasmtime::Result<()> {
        let lower = name.to_ascii_lowercase();
        if PROTECTED.contains(&lower.as_str()) || lower.starts_with(PROTECTED_PREFIX) {
            return mistake(format!("the field {} is not a policy's to change", shown(name)));
        }
        if !value.is_ascii() && !self.has_utf8_header() {
            return mistake(format!("the value of {} is not US-ASCII: encode it (RFC 2047)", shown(name)));
        }
        self.edits += 1;
        self.edit_bytes += name.len() + value.len();
        if self.edits > limits::EDITS || self.edit_bytes > limits::EDIT_BYTES {
            let (edits, kib) = (limits::EDITS, limits::EDIT_BYTES / 1024);
            return mistake(format!("at most {edits} header edits of {kib} KiB together are followed"));
        }
        if let Err(error) = edit(&mut self.instructions.edits) {
            return mistake(format!("{}: {error}", shown(name)));
        }
        if self.signed().binary_search(&lower).is_ok() && !self.instructions.signed_fields_edited.contains(&lower) {
            self.instructions.signed_fields_edited.push(lower);
        }
        Ok(())
    }

    /// Whether octets beyond US-ASCII are nothing new to this header block (RFC 6532).
    fn has_utf8_header(&mut self) -> bool {
        self.inquiry.envelope.smtputf8 || !self.has_ascii_header()
    }

    fn check_recipient(&self, address: &str) -> wasmtime::Result<()> {
        match self.inquiry.realm.check_recipient(address) {
            Ok(()) => Ok(()),
            Err(reason) => mistake(format!("recipient `{}`: {reason}", shown(address))),
        }
    }
}

fn which(occurrence: Option<u32>) -> Which {
    occurrence.map_or(Which::All, |index| Which::Nth(index as usize))
}

/// A guest's words in a message of ours: short and printable.
fn shown(text: &str) -> String {
    printable(&text.chars().take(80).collect::<String>())
}
