//! Accepts recipients that are allowed, refuses those that are denied, and lets each be written to so often only.

use posthouse_policy::address::Addresses;
use posthouse_policy::{Envelope, Policy, Rate, RecipientHook, Settings, SettingsError, Verdict, counters, log};

struct RecipientGuard {
    allow: Addresses,
    deny: Addresses,
    rate: Option<Rate>,
}

impl Policy for RecipientGuard {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.allow_only(&["allow", "deny", "rate"])?;
        Ok(RecipientGuard {
            allow: Addresses::new(settings.list("allow")),
            deny: Addresses::new(settings.list("deny")),
            rate: settings.rate("rate")?,
        })
    }
}

impl RecipientHook for RecipientGuard {
    fn on_recipient(&self, _: &Envelope, address: &str) -> Verdict {
        let is_allowed = self.allow.is_empty() || self.allow.contains(address);
        if !is_allowed || self.deny.contains(address) {
            counters::add("recipients_refused", 1);
            return Verdict::reject("5.7.1", format!("{address} is no recipient for mail from here"));
        }
        if self.rate.is_some_and(|rate| is_beyond(rate, address)) {
            counters::add("recipients_deferred", 1);
            return Verdict::defer("4.7.1", format!("{address} has enough mail for now: try again later"));
        }
        Verdict::Proceed
    }
}

/// Without room to count, mail goes on: the providers' own limits are kept by the relay anyway.
fn is_beyond(rate: Rate, address: &str) -> bool {
    match rate.admits(&format!("recipient-guard {}", address.to_ascii_lowercase())) {
        Ok(is_within) => !is_within,
        Err(error) => {
            log::warn(format_args!("{address} is not counted: {}", error.message()));
            false
        }
    }
}

posthouse_policy::export!(RecipientGuard: recipient);
