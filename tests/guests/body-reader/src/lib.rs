//! A policy that needs the body: it says in header fields what it has read, and refuses a text that a setting names.

use std::io::Read;

use posthouse_policy::{Decision, Envelope, Message, MessageHook, Policy, Settings, SettingsError, Verdict};

struct BodyReader {
    refuse: Option<String>,
}

impl Policy for BodyReader {
    const NEEDS_BODY: bool = true;

    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.allow_only(&["refuse"])?;
        Ok(BodyReader { refuse: settings.get("refuse") })
    }
}

impl MessageHook for BodyReader {
    fn on_message(&self, _: &Envelope, message: &Message, decision: &Decision) -> Verdict {
        let mut body = Vec::new();
        if let Err(error) = message.body().read_to_end(&mut body) {
            return Verdict::defer("4.3.0", error.to_string());
        }
        let is_there = |text: &String| body.windows(text.len().max(1)).any(|window| window == text.as_bytes());
        if self.refuse.as_ref().is_some_and(is_there) {
            return Verdict::reject("5.7.1", "the body has what nobody wants");
        }
        decision.add_header("X-Body-Read", &body.len().to_string());
        decision.add_header("X-Body-Size", &message.body_size().to_string());
        decision.add_header("X-Body-Whole", &message.has_whole_body().to_string());
        decision.add_header("X-Body-Sum", &format!("{:016x}", sum(&body)));
        Verdict::Proceed
    }
}

/// FNV-1a, 64 bits: enough to see a changed octet.
fn sum(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

posthouse_policy::export!(BodyReader: message);
