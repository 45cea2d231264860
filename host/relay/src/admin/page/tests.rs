//! The page's parts, shown what hostile tenants, providers and programs might say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::html::Html;
use super::{Trouble, View, document, parts::Tone, words};
use crate::recent::Series;

const PROBE: &str = "\"'><img src=x onerror=alert(1)></bdi></script>&\u{202e}\0";

fn report() -> Value {
    json!({
        "at": 1, "cause": "files", "outcome": "refused", "generation": 7, "took_ms": 1.5,
        "errors": ["e"], "warnings": ["w"], "refused_policies": ["p"], "at_restart": ["r"],
    })
}

fn tenant() -> Value {
    let totals =
        json!({ "delivered": 1234, "deferred": 2, "refused": 3, "delivered_bytes": 4096, "delivered_seconds": 1.0 });
    let recent = json!({ "delivered": 5, "undelivered": 1, "per_second": 0.08, "p50_ms": 20.0, "p95_ms": null });
    let pause = json!({ "reason": "r", "by": "b", "by_operator": true, "since": 1 });
    json!({
        "id": "acme", "state": "paused", "pause": pause, "accounts": 1, "totals": totals, "recent": recent,
        "account_list": [{
            "id": "gmail", "address": "mail@acme.example", "provider": "gmail", "pause": pause,
            "state": { "name": "throttled", "reason": "454 4.7.0", "since": null, "until": 90 },
            "sessions": { "idle": 1, "in_use": 2, "allowed": 3, "waiting": 0 },
            "rate": { "per_minute": 60, "left": 12 }, "totals": totals, "recent": recent,
        }],
        "policies": {
            "generations": (1..9).rev().map(|number| json!({
                "number": number, "stage": if number == 2 { "active" } else { "retired" }, "percent": null,
                "digest": "sha256:0123456789abcdef", "policy": "guard", "version": "1", "who": "ops",
                "when": 1, "from": "127.0.0.1", "signer": "s", "note": "n",
            })).collect::<Vec<_>>(),
            "shadow": { "same": 1, "different": 2, "failed": 3, "skipped": 4, "differences": [] },
        },
    })
}

fn view() -> View {
    let status = json!({
        "version": "1", "draining": false, "generation": 7, "uptime_seconds": 60, "reload": report(),
        "listeners": [{ "name": "plain", "address": "127.0.0.1:1", "tls": "none" }],
        "connections": { "open": 1, "allowed": 2 }, "content_memory": { "held": 1, "allowed": 2 },
        "sessions": { "idle": 1, "in_use": 2, "allowed": 3, "waiting": 4 },
        "totals": tenant()["totals"], "recent": tenant()["recent"],
    });
    let change = json!({ "at": 1, "who": "ops", "from": "::1", "action": "policy_push", "tenant": "acme", "account": "a",
                         "outcome": "refused", "detail": "d" });
    View {
        now: 65,
        of_tenant: None,
        hostname: "relay.example.com".to_owned(),
        status: Some(status),
        series: Series { per_second: vec![0.0, 1.0, 2.0], p95_ms: vec![0.0, 0.0, 0.0] },
        troubles: vec![Trouble {
            tone: Tone::Bad,
            word: "w".to_owned(),
            tenant: Some("acme".to_owned()),
            account: Some("gmail".to_owned()),
            why: "y".to_owned(),
        }],
        tenants: vec![tenant()],
        tenants_there: 2,
        followed: Some("acme".to_owned()),
        changes: vec![change],
    }
}

/// Every text of a value becomes hostile, but for words that choose how something is shown.
fn poison(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(PROBE),
        Value::Array(values) => values.iter_mut().for_each(poison),
        Value::Object(fields) => fields.values_mut().for_each(poison),
        _ => {}
    }
}

#[test]
fn text_is_escaped_and_nothing_else_becomes_markup() {
    let mut html = Html::default();
    html.raw("<p title=\"").text("<&>\"'").raw("\">").words("a\u{202e}b\u{7}\nc").raw("</p>");
    assert_eq!(html.finish(), "<p title=\"&lt;&amp;&gt;&quot;&#39;\"><bdi>a\u{fffd}b\u{fffd} c</bdi></p>");
    let mut html = Html::default();
    html.in_query("a b&\"<\u{e4}");
    assert_eq!(html.finish(), "a%20b%26%22%3C%C3%A4");
}

/// Whatever is said, there are no other tags.
#[test]
fn no_text_of_any_field_makes_a_tag() {
    let tags = |text: &str| -> BTreeSet<String> {
        let tag = |piece: &str| piece.split([' ', '>']).next().unwrap_or_default().to_owned();
        text.split('<').skip(1).map(tag).collect()
    };
    let (good, mut bad) = (view(), view());
    poison(bad.status.as_mut().unwrap());
    bad.tenants.iter_mut().chain(&mut bad.changes).for_each(poison);
    bad.hostname.push_str(PROBE);
    bad.followed = Some(PROBE.to_owned());
    for trouble in &mut bad.troubles {
        [&mut trouble.word, &mut trouble.why].into_iter().for_each(|text| text.push_str(PROBE));
        [&mut trouble.tenant, &mut trouble.account].into_iter().for_each(|name| *name = Some(PROBE.to_owned()));
    }
    let (good, bad) = (document::document(&good), document::document(&bad));
    assert!(bad.matches("&lt;img src=x onerror=alert(1)&gt;").count() > 40, "the probes are there");
    assert!(!bad.contains("<img") && !bad.contains("\"'>") && !bad.contains('\u{202e}') && !bad.contains('\0'));
    // A stage that is none does not run, so that it is one row less: not the numbers of tags are the same, but the kinds.
    assert_eq!(tags(&good), tags(&bad));
}

#[test]
fn the_page_says_how_it_stands() {
    let page = document::document(&view());
    for part in [
        "<title>1 trouble \u{2013} relay.example.com \u{2013} Posthouse</title>",
        "1\u{202f}234",
        "posthouse tenant resume acme gmail",
        "tried again in 25 s",
        "<div>2</div></td><td role=\"cell\" data-head=\"Stage\"><div><span class=\"badge good\">active</span>",
        " older ones are not shown",
        "href=\"/?after=acme\"",
        "generation <b>7</b>",
        "1 min ago",
        "<path d=\"M4,28v-14.0h3v14.0zM8,28v-28.0h3v28.0z\"/>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    // Five of the newest, and the one that decides.
    assert_eq!(page.matches("data-head=\"Stage\"").count(), 6);
}

#[test]
fn a_tenant_sees_nothing_of_the_relay() {
    let view = View { of_tenant: Some("acme".to_owned()), status: None, tenants_there: 1, followed: None, ..view() };
    let page = document::document(&view);
    assert!(page.contains("tenant <b>acme</b>") && page.contains("id=\"tenant-acme\""));
    for section in ["id=\"reload\"", "id=\"listeners\"", "Clients", "Content in memory"] {
        assert!(!page.contains(section), "{section}");
    }
}

#[test]
fn figures_are_read_by_people() {
    let [day, hour] = [86_400, 3600];
    let spans = [(59, "59 s"), (60, "1 min"), (hour, "1 h"), (day, "1 day"), (2 * day, "2 days")];
    spans.into_iter().for_each(|(seconds, said)| assert_eq!(words::span(seconds), said));
    assert_eq!(words::time_of_day(day + hour + 61), "01:01:01 UTC");
    assert_eq!([1, 999, 1000, 1_234_567].map(words::grouped), ["1", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    assert_eq!([5, 1536, 10 << 20].map(words::octets), ["5 B", "1.5 KiB", "10 MiB"]);
    assert_eq!([0.5, 12.34, 123.4].map(words::figure), ["0.50", "12.3", "123"]);
    let latencies = [json!(null), json!(0.4), json!(1.5), json!(1500)].map(|value| words::latency(&value));
    assert_eq!(latencies, ["\u{2013}", "under 1\u{a0}ms", "1.50\u{a0}ms", "1.50\u{a0}s"]);
}

#[test]
fn a_name_stays_one_word_of_a_command() {
    let words = [("acme-1.example", "acme-1.example"), ("a b", "'a b'"), ("$(x)'", "'$(x)'\\'''"), ("", "''")];
    words.into_iter().for_each(|(name, word)| assert_eq!(super::parts::quoted(name), word));
}

#[test]
fn assets_are_small_and_ask_nobody_else() {
    assert!(super::STYLE.len() < 6 * 1024, "{}", super::STYLE.len());
    assert!(super::SCRIPT.len() < 10 * 1024, "{}", super::SCRIPT.len());
    for text in [super::STYLE, super::SCRIPT] {
        assert!(
            !text.contains("//cdn") && !text.contains("http:") && !text.contains("https:") && !text.contains("@import")
        );
    }
}
