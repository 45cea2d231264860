//! The differences between what was expected and what was seen, each as a line for the author.
//!
//! Only what is written down is expected, with one exception: a call that fails, and settings that are
//! refused, are never as expected unless somebody has said so.

use std::fmt::Display;

use super::cases::Expected;
use super::seen::{Onward, Seen, enhanced_text};

/// All differences; none means that all is as expected.
pub(crate) fn differences(expected: &Expected, seen: &Seen) -> Vec<String> {
    if let Some(difference) = other_answer(expected, seen) {
        // The rest would say the same again.
        return vec![difference];
    }
    let mut found = Differences(Vec::new());
    let reply = seen.reply.as_ref();
    found.equal("code", expected.code, reply.map(|reply| reply.code), seen);
    found.equal("enhanced", expected.enhanced.clone(), reply.map(|reply| enhanced_text(reply.enhanced)), seen);
    found.part("text", expected.text.as_deref(), reply.map(|reply| reply.text.as_str()), seen);
    found.equal("next", expected.next, seen.next, seen);
    found.part("failure", expected.failure.as_deref(), seen.failure.as_deref(), seen);
    found.part("settings", expected.settings.as_deref(), seen.settings.as_deref(), seen);
    match &seen.onward {
        Some(onward) => found.onward(expected, onward),
        None if expects_onward(expected) => found.note("message", "one that goes on", seen),
        None => {}
    }
    found.counters(expected, seen);
    found.log(expected, seen);
    found.0
}

/// An answer of another kind than the one expected.
fn other_answer(expected: &Expected, seen: &Seen) -> Option<String> {
    let is_refused = seen.settings.as_ref().is_some_and(|reason| !reason.is_empty());
    let wanted = match expected.verdict {
        Some(word) if seen.word != Some(word) => word.to_string(),
        None if seen.failure.is_some() && expected.failure.is_none() => "an answer".to_owned(),
        None if is_refused && expected.settings.as_ref().is_none_or(String::is_empty) => "accepted settings".to_owned(),
        _ => return None,
    };
    Some(line("verdict", &wanted, seen))
}

fn expects_onward(expected: &Expected) -> bool {
    let Expected { route, accounts, sender, recipients, headers, no_headers, .. } = expected;
    let has_fields = !headers.is_empty() || !no_headers.is_empty();
    route.is_some() || accounts.is_some() || sender.is_some() || recipients.is_some() || has_fields
}

fn line(what: &str, expected: &str, got: impl Display) -> String {
    format!("{what}: expected {expected}, got {got}")
}

struct Differences(Vec<String>);

impl Differences {
    fn note(&mut self, what: &str, expected: &str, got: impl Display) {
        self.0.push(line(what, expected, got));
    }

    fn equal<T: PartialEq + Display>(&mut self, what: &str, expected: Option<T>, got: Option<T>, seen: &Seen) {
        match (expected, got) {
            (Some(expected), Some(got)) if expected != got => self.note(what, &expected.to_string(), got),
            (Some(expected), None) => self.note(what, &expected.to_string(), seen),
            _ => {}
        }
    }

    fn part(&mut self, what: &str, expected: Option<&str>, got: Option<&str>, seen: &Seen) {
        let Some(part) = expected else { return };
        if got.is_none_or(|got| !got.contains(part)) {
            self.note(what, &format!("{part:?} in it"), seen);
        }
    }

    fn onward(&mut self, expected: &Expected, onward: &Onward) {
        let route = onward.route.clone().unwrap_or_default();
        for (what, expected, got) in [("route", &expected.route, &route), ("sender", &expected.sender, &onward.sender)]
        {
            if let Some(expected) = expected.as_ref().filter(|expected| *expected != got) {
                self.note(what, &format!("{expected:?}"), format!("{got:?}"));
            }
        }
        let lists = [
            ("accounts", &expected.accounts, &onward.accounts),
            ("recipients", &expected.recipients, &onward.recipients),
        ];
        for (what, expected, got) in lists {
            if let Some(expected) = expected.as_ref().filter(|expected| *expected != got) {
                self.note(what, &format!("{expected:?}"), format!("{got:?}"));
            }
        }
        for line in &expected.headers {
            self.header(line, &onward.fields);
        }
        for name in &expected.no_headers {
            for (_, body) in onward.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)) {
                self.note("no_headers", &format!("no {name}"), format!("`{name}: {body}`"));
            }
        }
    }

    fn header(&mut self, expected: &str, fields: &[(String, String)]) {
        let (name, body) = expected.split_once(':').map_or((expected, ""), |(name, body)| (name.trim(), body.trim()));
        let bodies: Vec<&String> =
            fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, body)| body).collect();
        if bodies.iter().any(|other| *other == body) {
            return;
        }
        let got: Vec<String> = bodies.iter().map(|body| format!("`{name}: {body}`")).collect();
        let got = if got.is_empty() { format!("no {name}") } else { got.join(" and ") };
        self.note("headers", &format!("`{expected}`"), got);
    }

    fn counters(&mut self, expected: &Expected, seen: &Seen) {
        for (name, count) in &expected.counters {
            let got = seen.counters.get(name).copied().unwrap_or(0);
            if got != *count {
                self.note(&format!("counters.{name}"), &count.to_string(), got);
            }
        }
    }

    fn log(&mut self, expected: &Expected, seen: &Seen) {
        if let Some(part) = expected.log.as_ref().filter(|part| !seen.log.iter().any(|line| line.contains(*part))) {
            let got = if seen.log.is_empty() { "no line" } else { "other lines" };
            self.note("log", &format!("a line with {part:?}"), got);
        }
    }
}

#[cfg(test)]
mod tests;
