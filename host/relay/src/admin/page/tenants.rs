//! A tenant's part of the page: its state, its accounts with their budgets, its policy's generations.

use serde_json::Value;

use super::html::Html;
use super::parts::{Tone, badge, cell, command, quoted, table, text_cell, words_cell};
use super::words::{ago, counted, figure, grouped, latency, list, number, spaced, span, text};

/// Generations that are shown, besides those that run: the newest.
const SHOWN: usize = 5;

/// A tenant as the API shows it, with its `policies`.
pub(super) fn tenant(html: &mut Html, tenant: &Value, now: u64) {
    let id = text(&tenant["id"]);
    html.raw("<article id=\"tenant-").text(id).raw("\" data-live><h3><a href=\"/?tenant=").in_query(id).raw("\">");
    html.text(id).raw("</a> ");
    badge(html, tone(text(&tenant["state"])), &spaced(&tenant["state"]));
    html.raw("</h3>");
    pause(html, &tenant["pause"], now, &format!("posthouse tenant resume {}", quoted(id)));
    if tenant["state"] == "policy_missing" {
        html.raw("<p class=\"do\">Its policy is not taken, and its mail is deferred: <code>posthouse check</code></p>");
    }
    traffic(html, tenant);
    accounts(html, tenant, now);
    policies(html, id, &tenant["policies"], now);
    commands(html, id);
    html.raw("</article>");
}

/// How a state is to be taken.
pub(super) fn tone(state: &str) -> Tone {
    match state {
        "ready" => Tone::Good,
        "paused" | "throttled" | "expiring" => Tone::Warning,
        _ => Tone::Bad,
    }
}

fn traffic(html: &mut Html, tenant: &Value) {
    let (recent, totals) = (&tenant["recent"], &tenant["totals"]);
    html.raw("<p>Last minute: <b>").text(counted(number(&recent["delivered"]), "message")).raw("</b> delivered");
    if recent["p95_ms"].is_number() {
        html.raw(", 95 % within <b>").text(latency(&recent["p95_ms"])).raw("</b>");
    }
    html.raw(", ").text(grouped(number(&recent["undelivered"]))).raw(" not. Since the start: ");
    html.text(grouped(number(&totals["delivered"]))).raw(" delivered, ");
    html.text(grouped(number(&totals["deferred"]))).raw(" deferred, ");
    html.text(grouped(number(&totals["refused"]))).raw(" refused.</p>");
}

fn pause(html: &mut Html, pause: &Value, now: u64, resume: &str) {
    if !pause.is_object() {
        return;
    }
    html.raw("<p class=\"do\">Paused by ").words(text(&pause["by"])).raw(", ");
    html.text(ago(now, number(&pause["since"]))).raw(": \u{201c}").words(text(&pause["reason"])).raw("\u{201d} ");
    command(html, resume);
    html.raw("</p>");
}

fn accounts(html: &mut Html, tenant: &Value, now: u64) {
    let heads = &["Account", "State", "Budget", "Sessions", "Last minute", "Since the start"];
    table(html, "Accounts", heads);
    for account in list(&tenant["account_list"]) {
        html.raw("<tr role=\"row\">");
        cell(html, "Account", |html| {
            html.raw("<b>").text(text(&account["id"])).raw("</b> <small>").words(text(&account["address"]));
            html.raw(" (").text(text(&account["provider"])).raw(")</small>");
        });
        cell(html, "State", |html| state(html, tenant, account, now));
        cell(html, "Budget", |html| budget(html, &account["rate"]));
        cell(html, "Sessions", |html| {
            let sessions = &account["sessions"];
            html.text(number(&sessions["in_use"])).raw(" in use, ").text(number(&sessions["idle"]));
            html.raw(" idle <small>of&nbsp;").text(number(&sessions["allowed"])).raw("</small>");
        });
        cell(html, "Last minute", |html| {
            let recent = &account["recent"];
            let per_minute = figure(recent["per_second"].as_f64().unwrap_or_default() * 60.0);
            html.text(per_minute)
                .raw("/min <small>95&nbsp;% within&nbsp;")
                .text(latency(&recent["p95_ms"]))
                .raw("</small>");
        });
        cell(html, "Since the start", |html| {
            let totals = &account["totals"];
            html.text(grouped(number(&totals["delivered"]))).raw(" <small>deferred&nbsp;");
            html.text(grouped(number(&totals["deferred"]))).raw(", refused&nbsp;");
            html.text(grouped(number(&totals["refused"]))).raw("</small>");
        });
        html.raw("</tr>");
    }
    html.raw("</tbody></table>");
}

fn state(html: &mut Html, tenant: &Value, account: &Value, now: u64) {
    let (state, id) = (&account["state"], text(&account["id"]));
    badge(html, tone(text(&state["name"])), &spaced(&state["name"]));
    if let Some(until) = state["until"].as_u64() {
        html.raw(if state["name"] == "expiring" { " <small>ends in " } else { " <small>tried again in " });
        html.text(span(until.saturating_sub(now))).raw("</small>");
    } else if let Some(since) = state["since"].as_u64() {
        html.raw(" <small>").text(ago(now, since)).raw("</small>");
    }
    if let Some(reason) = state["reason"].as_str() {
        html.raw("<br>").words(reason);
    }
    if account["pause"].is_object() {
        html.raw("<br>");
        command(html, &format!("posthouse tenant resume {} {}", quoted(text(&tenant["id"])), quoted(id)));
    }
}

fn budget(html: &mut Html, rate: &Value) {
    if !rate.is_object() {
        html.raw("<small>no limit</small>");
        return;
    }
    let (per_minute, left) = (number(&rate["per_minute"]), number(&rate["left"]));
    html.raw("<meter aria-hidden=\"true\" min=\"0\" max=\"").text(per_minute).raw("\" low=\"").text(per_minute / 5);
    html.raw("\" optimum=\"").text(per_minute).raw("\" value=\"").text(left).raw("\"></meter> ");
    html.text(grouped(left)).raw(" left <small>of&nbsp;").text(grouped(per_minute)).raw("/min</small>");
}

fn policies(html: &mut Html, tenant: &str, policies: &Value, now: u64) {
    let all = list(&policies["generations"]);
    if all.is_empty() {
        html.raw("<p>No policy: native routing.</p>");
        return;
    }
    let runs = |generation: &Value| ["active", "canary", "shadow"].contains(&text(&generation["stage"]));
    let shown = all.iter().enumerate().filter(|(index, generation)| *index < SHOWN || runs(generation));
    table(html, "Policy generations, the newest first", &["Number", "Stage", "Policy", "Brought", "Note"]);
    let mut rows = 0;
    for (_, generation) in shown {
        rows += 1;
        row(html, generation, now);
    }
    html.raw("</tbody></table>");
    if rows < all.len() {
        html.raw("<p>").text(all.len() - rows).raw(" older ones are not shown: ");
        command(html, &format!("posthouse policy list {}", quoted(tenant)));
        html.raw("</p>");
    }
    let shadow = &policies["shadow"];
    if shadow.is_object() {
        html.raw("<p>The shadow: ").text(counted(number(&shadow["same"]), "message")).raw(" decided alike, <b>");
        html.text(grouped(number(&shadow["different"]))).raw("</b> otherwise, ");
        html.text(grouped(number(&shadow["failed"]))).raw(" failed, ");
        html.text(grouped(number(&shadow["skipped"]))).raw(" not compared. Of recipients, <b>");
        html.text(grouped(number(&shadow["recipients"]["different"]))).raw("</b> otherwise.</p>");
    }
}

fn row(html: &mut Html, generation: &Value, now: u64) {
    html.raw("<tr role=\"row\">");
    text_cell(html, "Number", number(&generation["number"]));
    cell(html, "Stage", |html| {
        let tone = match text(&generation["stage"]) {
            "active" => Tone::Good,
            "canary" | "shadow" => Tone::Warning,
            "refused" => Tone::Bad,
            _ => Tone::Neutral,
        };
        badge(html, tone, text(&generation["stage"]));
        if let Some(percent) = generation["percent"].as_u64() {
            html.raw("&nbsp;").text(percent).raw("&nbsp;%");
        }
    });
    cell(html, "Policy", |html| {
        html.words(text(&generation["policy"])).raw(" ").words(text(&generation["version"]));
        let digest = text(&generation["digest"]).trim_start_matches("sha256:");
        html.raw(" <small title=\"").text(text(&generation["digest"])).raw("\">");
        html.text(digest.get(..12).unwrap_or(digest)).raw("</small>");
        if let Some(signer) = generation["signer"].as_str() {
            html.raw(" <small>signed by ").words(signer).raw("</small>");
        }
    });
    cell(html, "Brought", |html| {
        html.text(ago(now, number(&generation["when"]))).raw(" by ").words(text(&generation["who"]));
        html.raw(" <small>").words(text(&generation["from"])).raw("</small>");
    });
    words_cell(html, "Note", text(&generation["note"]));
    html.raw("</tr>");
}

fn commands(html: &mut Html, tenant: &str) {
    html.raw("<details id=\"commands-").text(tenant).raw("\"><summary id=\"summary-").text(tenant);
    html.raw("\">Commands</summary><ul>");
    let all = [
        ("tenant show", "", "all of it"),
        ("tenant pause", " --reason '...'", "defers its mail until it is resumed"),
        ("tenant resume", "", "ends a pause"),
        ("policy list", "", "all generations of its policy"),
        ("policy rollback", "", "the generation before decides again"),
    ];
    for (words, more, what) in all {
        html.raw("<li>");
        command(html, &format!("posthouse {words} {}{more}", quoted(tenant)));
        html.raw(" ").raw(what).raw("</li>");
    }
    html.raw("</ul></details>");
}
