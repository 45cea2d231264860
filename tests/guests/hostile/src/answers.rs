//! Harms by answers: replies that are none, and descriptions that nobody should print.

use posthouse_policy::bindings::description::exports::posthouse::policy::policy::Description;
use posthouse_policy::bindings::posthouse::policy::settings;
use posthouse_policy::{Reply, Verdict};

use crate::leak;

const TEN_MEBIBYTES: usize = 10 * 1024 * 1024;

/// A verdict with a harm in it, or none where the harm is no verdict.
pub(crate) fn verdict(harm: &str) -> Verdict {
    let reject = |text: &str| Verdict::Reject(reply(550, (5, 7, 1), text));
    let huge = || "no ".repeat(TEN_MEBIBYTES / 3);
    match harm {
        "reply-huge" => Verdict::Reject(Reply { code: 550, enhanced: (5, 7, 1), text: huge() }),
        "reply-long" => reject(&"n".repeat(401)),
        "reply-crlf" => reject("no\r\n250 2.0.0 ok"),
        "reply-lf" => reject("no\n250 2.0.0 ok"),
        "reply-nul" => reject("n\0o"),
        "reply-control" => reject("n\u{1b}[31mo"),
        "reply-8bit" => reject("nö"),
        "reply-empty" => reject(""),
        "reject-with-250" => Verdict::Reject(reply(250, (2, 0, 0), "ok")),
        "reject-with-354" => Verdict::Reject(reply(354, (3, 0, 0), "go on")),
        "reject-with-451" => Verdict::Reject(reply(451, (4, 7, 1), "later")),
        "reject-with-0" => Verdict::Reject(reply(0, (5, 7, 1), "no")),
        "reject-with-65535" => Verdict::Reject(reply(65_535, (5, 7, 1), "no")),
        "reject-with-4.7.1" => Verdict::Reject(reply(550, (4, 7, 1), "no")),
        "reject-with-5.65535.65535" => Verdict::Reject(reply(550, (5, 65_535, 65_535), "no")),
        "defer-with-421" => Verdict::Defer(reply(421, (4, 7, 1), "bye")),
        "defer-with-550" => Verdict::Defer(reply(550, (5, 7, 1), "no")),
        "defer-with-5.7.1" => Verdict::Defer(reply(451, (5, 7, 1), "later")),
        "leak-scan" => leak::report(),
        _ => Verdict::Proceed,
    }
}

/// A description with a harm in it; whether it needs the body says the setting `needs-body`.
pub(crate) fn description(harm: &str) -> Description {
    let (name, version) = match harm {
        "name-empty" => (String::new(), "1".to_owned()),
        "name-huge" => ("n".repeat(TEN_MEBIBYTES), "1".to_owned()),
        "name-crlf" => ("hostile\r\nX: y".to_owned(), "1".to_owned()),
        "name-path" => ("../../etc/passwd".to_owned(), "1".to_owned()),
        "version-bad" => ("hostile".to_owned(), "1 \u{1b}[31m\"}".to_owned()),
        _ => ("hostile".to_owned(), "0.1.0".to_owned()),
    };
    let needs_body = settings::get("needs-body").is_some_and(|text| text == "true");
    Description { name, version, needs_body }
}

/// What `check-settings` says.
pub(crate) fn settings(harm: &str) -> Result<(), String> {
    match harm {
        "error" => Err("these settings are not to my liking".to_owned()),
        "error-huge" => Err("no ".repeat(TEN_MEBIBYTES / 3)),
        "error-control" => Err("a\r\nb\0c\u{1b}[31md".to_owned()),
        _ => Ok(()),
    }
}

fn reply(code: u16, enhanced: (u8, u16, u16), text: &str) -> Reply {
    Reply { code, enhanced, text: text.to_owned() }
}
