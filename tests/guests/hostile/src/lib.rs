//! A policy that does harm: which, says the setting `do`, and in which call the setting `where` (describe, settings,
//! recipient, message or outcome; message where it says nothing). Elsewhere it behaves.
//!
//! It speaks to the bindings and not to the SDK, which would keep it from most of this. The harms are listed in
//! tests/guests/README.md; each file has those of one kind.

mod answers;
mod edits;
mod handles;
mod leak;
mod machine;
mod services;

use posthouse_policy::bindings::description::exports::posthouse::policy::policy;
use posthouse_policy::bindings::message::exports::posthouse::policy::on_message;
use posthouse_policy::bindings::outcome::exports::posthouse::policy::on_outcome;
use posthouse_policy::bindings::posthouse::policy::settings;
use posthouse_policy::bindings::posthouse::policy::{decision::Decision, envelope::Envelope, message::Message};
use posthouse_policy::bindings::recipient::exports::posthouse::policy::on_recipient;
use posthouse_policy::{Attempt, Next, Verdict};

struct Hostile;

impl policy::Guest for Hostile {
    fn describe() -> policy::Description {
        let harm = harm_at("describe");
        anywhere(&harm);
        answers::description(&harm)
    }

    fn check_settings() -> Result<(), String> {
        let harm = harm_at("settings");
        anywhere(&harm);
        answers::settings(&harm)
    }
}

impl on_recipient::Guest for Hostile {
    fn decide(envelope: Envelope, _: String) -> Verdict {
        let harm = harm_at("recipient");
        anywhere(&harm);
        handles::of_envelope(&harm, &envelope);
        answers::verdict(&harm)
    }
}

impl on_message::Guest for Hostile {
    fn decide(envelope: Envelope, message: Message, decision: Decision) -> Verdict {
        let harm = harm_at("message");
        anywhere(&harm);
        handles::of_envelope(&harm, &envelope);
        handles::of_message(&harm, &message);
        services::read(&harm, &message);
        edits::all(&harm, &decision);
        answers::verdict(&harm)
    }
}

impl on_outcome::Guest for Hostile {
    fn decide(envelope: Envelope, _: Attempt) -> Next {
        let harm = harm_at("outcome");
        anywhere(&harm);
        handles::of_envelope(&harm, &envelope);
        match harm.as_str() {
            "next-account-always" => Next::NextAccount,
            _ => Next::Done,
        }
    }
}

/// The harm that belongs here; empty where it belongs elsewhere.
fn harm_at(place: &str) -> String {
    let chosen = settings::get("where").unwrap_or_else(|| "message".to_owned());
    if chosen == place { settings::get("do").unwrap_or_default() } else { String::new() }
}

/// The harms that need nothing of the call.
fn anywhere(harm: &str) {
    machine::harm(harm);
    services::harm(harm);
    leak::harm(harm);
}

/// The setting `name`, for harms that need one.
fn name_or(default: &str) -> String {
    settings::get("name").unwrap_or_else(|| default.to_owned())
}

posthouse_policy::bindings::description::export_description!(
    Hostile with_types_in posthouse_policy::bindings::description
);
posthouse_policy::export_hook!(recipient Hostile);
posthouse_policy::export_hook!(message Hostile);
posthouse_policy::export_hook!(outcome Hostile);
