//! The relay's part of the page: what wants attention, how it does, its last reload, who has changed what.

use serde_json::Value;

use super::html::Html;
use super::parts::{Tone, badge, cell, command, drawings, figure, table, text_cell, words_cell};
use super::words::{ago, counted, grouped, latency, list, number, octets, of, spaced, text};
use super::{View, words};
use crate::recent::Series;

/// Troubles that are listed.
const LISTED: usize = 20;

/// One line for each thing that somebody has to do something about.
pub(super) fn attention(html: &mut Html, view: &View) {
    html.raw(
        "<section id=\"attention\" data-live aria-labelledby=\"h-attention\"><h2 id=\"h-attention\">Attention</h2>",
    );
    if view.troubles.is_empty() {
        html.raw("<p>Nothing wants attention.</p>");
    } else {
        html.raw("<ul class=\"troubles\">");
        for trouble in view.troubles.iter().take(LISTED) {
            html.raw("<li>");
            badge(html, trouble.tone, &trouble.word);
            html.raw(" ");
            match &trouble.tenant {
                Some(tenant) => {
                    html.raw("<a href=\"/?tenant=").in_query(tenant).raw("\">tenant ").text(tenant).raw("</a>");
                    if let Some(account) = &trouble.account {
                        html.raw(", account ").text(account);
                    }
                }
                None => {
                    html.raw("the relay");
                }
            }
            if !trouble.why.is_empty() {
                html.raw(": ").words(&trouble.why);
            }
            html.raw("</li>");
        }
        html.raw("</ul>");
        if let Some(more) = view.troubles.len().checked_sub(LISTED).filter(|more| *more > 0) {
            html.raw("<p>And ").text(more).raw(" more: ");
            command(html, "posthouse tenant list");
            html.raw("</p>");
        }
    }
    html.raw("</section>");
}

/// Figures of the last minute and since the start.
pub(super) fn figures(html: &mut Html, of_whom: &Value, status: Option<&Value>, series: &Series) {
    let (recent, totals) = (&of_whom["recent"], &of_whom["totals"]);
    html.raw("<section id=\"now\" data-live aria-labelledby=\"h-now\"><h2 id=\"h-now\">Now</h2>");
    html.raw("<div class=\"drawings\">");
    drawings(html, series);
    html.raw("</div><dl class=\"figures\">");
    let rate = words::figure(recent["per_second"].as_f64().unwrap_or_default());
    figure(html, "Delivered, last minute", &format!("{rate}/s"), &counted(number(&recent["delivered"]), "message"));
    figure(html, "Half within", &latency(&recent["p50_ms"]), "from content to answer");
    figure(html, "95 % within", &latency(&recent["p95_ms"]), "");
    figure(html, "Not delivered, last minute", &grouped(number(&recent["undelivered"])), "4yz or 5yz");
    figure(
        html,
        "Delivered since the start",
        &grouped(number(&totals["delivered"])),
        &octets(number(&totals["delivered_bytes"])),
    );
    figure(html, "Deferred since the start", &grouped(number(&totals["deferred"])), "4yz");
    figure(html, "Refused since the start", &grouped(number(&totals["refused"])), "5yz");
    if let Some(status) = status {
        let (clients, sessions, memory) = (&status["connections"], &status["sessions"], &status["content_memory"]);
        let allowed = |what: &Value| format!("of {}", grouped(number(&what["allowed"])));
        figure(html, "Clients", &grouped(number(&clients["open"])), &allowed(clients));
        figure(
            html,
            "Content in memory",
            &octets(number(&memory["held"])),
            &of("", octets(number(&memory["allowed"]))),
        );
        let more = format!("{} idle, {} waiting", number(&sessions["idle"]), number(&sessions["waiting"]));
        figure(html, "Provider sessions", &format!("{} in use", number(&sessions["in_use"])), &more);
    }
    html.raw("</dl></section>");
}

/// The last reload and its report.
pub(super) fn reload(html: &mut Html, status: &Value, now: u64) {
    let report = &status["reload"];
    html.raw("<section id=\"reload\" data-live aria-labelledby=\"h-reload\"><h2 id=\"h-reload\">Last reload</h2><p>");
    let outcome = text(&report["outcome"]);
    let is_partial = !list(&report["refused_policies"]).is_empty();
    let tone = match outcome {
        "refused" => Tone::Bad,
        _ if is_partial => Tone::Warning,
        _ => Tone::Good,
    };
    badge(html, tone, outcome);
    html.raw(" ").text(ago(now, number(&report["at"]))).raw(", by ").text(cause(text(&report["cause"])));
    if outcome != "unchanged" && report["took_ms"] != 0.0 {
        html.raw(", in ").text(latency(&report["took_ms"]));
    }
    html.raw("; generation ").text(number(&report["generation"])).raw(" holds.</p>");
    let kinds = [
        ("error", Tone::Bad, &report["errors"]),
        ("policy", Tone::Bad, &report["refused_policies"]),
        ("warning", Tone::Warning, &report["warnings"]),
        ("at restart", Tone::Neutral, &report["at_restart"]),
    ];
    html.raw("<ul class=\"report\">");
    for (word, tone, lines) in kinds {
        for line in list(lines) {
            html.raw("<li>");
            badge(html, tone, word);
            html.raw(" ").words(text(line)).raw("</li>");
        }
    }
    html.raw("</ul><p class=\"do\">");
    command(html, "posthouse check");
    html.raw(" says what is wrong with the files, ");
    command(html, "posthouse reload");
    html.raw(" takes them.</p></section>");
}

fn cause(cause: &str) -> &str {
    match cause {
        "start" => "the start",
        "files" => "a changed file",
        "signal" => "SIGHUP",
        "api" => "the admin API",
        "given" => "a program",
        other => other,
    }
}

/// Where clients connect.
pub(super) fn listeners(html: &mut Html, status: &Value, now: u64) {
    html.raw(
        "<section id=\"listeners\" data-live aria-labelledby=\"h-listeners\"><h2 id=\"h-listeners\">Listeners</h2>",
    );
    table(html, "Where clients connect", &["Name", "Address", "TLS", "Certificate"]);
    for listener in list(&status["listeners"]) {
        html.raw("<tr role=\"row\">");
        text_cell(html, "Name", text(&listener["name"]));
        text_cell(html, "Address", text(&listener["address"]));
        text_cell(html, "TLS", text(&listener["tls"]));
        let ends = match listener["certificate_expires"].as_u64() {
            Some(ends) if ends < now => "has ended".to_owned(),
            Some(ends) => format!("ends in {}", words::span(ends - now)),
            None => "\u{2013}".to_owned(),
        };
        text_cell(html, "Certificate", ends);
        html.raw("</tr>");
    }
    html.raw("</tbody></table></section>");
}

/// Who has changed what, the newest first.
pub(super) fn changes(html: &mut Html, entries: &[Value], now: u64) {
    html.raw("<section id=\"changes\" data-live aria-labelledby=\"h-changes\"><h2 id=\"h-changes\">Changes</h2>");
    if entries.is_empty() {
        html.raw("<p>None since the start.</p></section>");
        return;
    }
    table(html, "Who has changed what, the newest first", &["When", "Who", "What", "Outcome", "Why"]);
    for entry in entries {
        html.raw("<tr role=\"row\">");
        text_cell(html, "When", ago(now, number(&entry["at"])));
        cell(html, "Who", |html| {
            html.words(text(&entry["who"]));
            if let Some(from) = entry["from"].as_str() {
                html.raw(" <small>").text(from).raw("</small>");
            }
        });
        cell(html, "What", |html| {
            html.text(spaced(&entry["action"]));
            for place in [&entry["tenant"], &entry["account"]].into_iter().filter_map(Value::as_str) {
                html.raw(" ").words(place);
            }
        });
        cell(html, "Outcome", |html| {
            let tone = if entry["outcome"] == "refused" { Tone::Bad } else { Tone::Neutral };
            badge(html, tone, text(&entry["outcome"]));
        });
        words_cell(html, "Why", text(&entry["detail"]));
        html.raw("</tr>");
    }
    html.raw("</tbody></table></section>");
}
