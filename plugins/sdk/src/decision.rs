//! A decision as a policy gives it: the contract's calls, with an occurrence only where one is meant.

use crate::bindings::posthouse::policy::decision::Decision as Raw;

/// Instructions for the relay. They are followed only if the hook returns [`Verdict::Proceed`], all of them or
/// none: an instruction that cannot be followed makes the call a failure, and says why in the log.
///
/// [`Verdict::Proceed`]: crate::Verdict::Proceed
#[derive(Debug)]
pub struct Decision<'call> {
    raw: &'call Raw,
}

impl<'call> Decision<'call> {
    pub(crate) fn new(raw: &'call Raw) -> Self {
        Decision { raw }
    }

    /// Takes this route, one of the tenant's. The last choice of a route or of accounts counts.
    pub fn use_route(&self, name: &str) {
        self.raw.use_route(name);
    }

    /// Takes this account.
    pub fn use_account(&self, id: &str) {
        self.raw.use_accounts(&[id]);
    }

    /// Takes the first of these accounts that is ready.
    pub fn use_accounts(&self, ids: &[impl AsRef<str>]) {
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        self.raw.use_accounts(&ids);
    }

    /// Adds a field below all others.
    pub fn add_header(&self, name: &str, value: &str) {
        self.raw.add_header(name, value);
    }

    /// Adds a field above all others.
    pub fn prepend_header(&self, name: &str, value: &str) {
        self.raw.prepend_header(name, value);
    }

    /// Puts one field in the place of all with this name. Added below all others where there is none.
    pub fn replace_header(&self, name: &str, value: &str) {
        self.raw.replace_header(name, None, value);
    }

    /// Puts a field in the place of the one with this name and occurrence, from 0 at the top.
    pub fn replace_header_at(&self, name: &str, occurrence: u32, value: &str) {
        self.raw.replace_header(name, Some(occurrence), value);
    }

    /// Takes out all fields with this name.
    pub fn remove_header(&self, name: &str) {
        self.raw.remove_header(name, None);
    }

    /// Takes out the field with this name and occurrence, from 0 at the top.
    pub fn remove_header_at(&self, name: &str, occurrence: u32) {
        self.raw.remove_header(name, Some(occurrence));
    }

    /// Sends with this address in MAIL FROM: one that the login may use, or that of one of the tenant's accounts.
    pub fn set_sender(&self, address: &str) {
        self.raw.set_sender(address);
    }

    /// Sends to this address instead of the recipient at this index of [`Envelope::recipients`].
    ///
    /// [`Envelope::recipients`]: crate::Envelope::recipients
    pub fn set_recipient(&self, index: u32, address: &str) {
        self.raw.set_recipient(index, address);
    }

    /// Sends to this address too.
    pub fn add_recipient(&self, address: &str) {
        self.raw.add_recipient(address);
    }

    /// Leaves up to 4 KiB for [`OutcomeHook::on_outcome`] of the same message, which finds it in
    /// [`Envelope::carried`].
    ///
    /// [`OutcomeHook::on_outcome`]: crate::OutcomeHook::on_outcome
    /// [`Envelope::carried`]: crate::Envelope::carried
    pub fn carry(&self, state: &[u8]) {
        self.raw.carry(state);
    }
}
