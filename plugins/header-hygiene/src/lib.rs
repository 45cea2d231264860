//! Adds, removes and replaces header fields, and offers a way to unsubscribe. It never breaks a signature: fields
//! that DKIM covers stay as they are, and a line in the log says so.

use posthouse_policy::{Decision, Envelope, Message, MessageHook, Policy, Settings, SettingsError, Verdict, log};

struct HeaderHygiene {
    remove: Vec<String>,
    replace: Vec<(String, String)>,
    add: Vec<(String, String)>,
    unsubscribe: Option<String>,
}

impl Policy for HeaderHygiene {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.allow_only(&["remove", "replace.", "add.", "list-unsubscribe"])?;
        let remove = settings.list("remove");
        let replace = settings.below("replace.");
        let add = settings.below("add.");
        let named = replace.iter().chain(&add).map(|(name, _)| name);
        if let Some(name) = remove.iter().chain(named).find(|name| !is_field_name(name)) {
            return Err(SettingsError::new(format!("{name:?} is no field's name: letters, digits and hyphens")));
        }
        let unsubscribe = settings.parsed("list-unsubscribe", "<https://...> or <mailto:...>", unsubscribe)?;
        Ok(HeaderHygiene { remove, replace, add, unsubscribe })
    }
}

impl MessageHook for HeaderHygiene {
    fn on_message(&self, _: &Envelope, message: &Message, decision: &Decision) -> Verdict {
        for name in self.remove.iter().filter(|name| may_change(message, name)) {
            decision.remove_header(name);
        }
        for (name, value) in self.replace.iter().filter(|(name, _)| may_change(message, name)) {
            decision.replace_header(name, value);
        }
        for (name, value) in self.add.iter().filter(|(name, _)| may_change(message, name)) {
            decision.add_header(name, value);
        }
        if let Some(way) = &self.unsubscribe {
            offer_unsubscribe(way, message, decision);
        }
        Verdict::Proceed
    }
}

/// Adds the fields of RFC 2369 3.2 and, for a way by HTTPS, of RFC 8058, unless the message has its own.
fn offer_unsubscribe(way: &str, message: &Message, decision: &Decision) {
    if message.header("List-Unsubscribe").is_some() || !may_change(message, "List-Unsubscribe") {
        return;
    }
    decision.add_header("List-Unsubscribe", way);
    if way.contains("<https:") && may_change(message, "List-Unsubscribe-Post") {
        decision.replace_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    }
}

/// A signature may cover a field that is not there too, so that nobody can add it.
fn may_change(message: &Message, name: &str) -> bool {
    let signed = message.is_signed(name);
    if signed {
        log::warn(format_args!("{name} is covered by a DKIM signature and stays as it is"));
    }
    !signed
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

fn unsubscribe(text: &str) -> Option<String> {
    let is_way = |way: &str| (way.starts_with("<https:") || way.starts_with("<mailto:")) && way.ends_with('>');
    text.split(',').all(|way| is_way(way.trim())).then(|| text.to_owned())
}

posthouse_policy::export!(HeaderHygiene: message);
