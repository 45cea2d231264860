//! The document around the parts, and the one of whoever is not let in.

use axum::http::StatusCode;
use serde_json::Value;

use super::html::Html;
use super::parts::{Tone, badge, command};
use super::words::{counted, number, span, text, time_of_day};
use super::{View, relay, tenants};
use crate::admin::failure::Failure;

/// What every page begins with.
const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
    <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"/page.svg\">\
    <link rel=\"stylesheet\" href=\"/page.css\">";

/// The whole page.
pub(super) fn document(view: &View) -> String {
    let mut html = Html::default();
    html.raw(HEAD).raw("<script src=\"/page.js\" defer></script>");
    html.raw("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript><title>");
    let whose = view.of_tenant.as_deref().unwrap_or(&view.hostname);
    html.text(standing(view).1).raw(" \u{2013} ").text(whose).raw(" \u{2013} Posthouse</title></head><body>");
    html.raw("<p id=\"notice\" role=\"status\"></p>");
    header(&mut html, view);
    html.raw("<main>");
    relay::attention(&mut html, view);
    let own = view.tenants.first().unwrap_or(&Value::Null);
    relay::figures(&mut html, view.status.as_ref().unwrap_or(own), view.status.as_ref(), &view.series);
    if let Some(status) = &view.status {
        relay::reload(&mut html, status, view.now);
    }
    all_tenants(&mut html, view);
    relay::changes(&mut html, &view.changes, view.now);
    if let Some(status) = &view.status {
        relay::listeners(&mut html, status, view.now);
    }
    html.raw("</main><footer><p>This page changes nothing; the commands that it shows do. The same as JSON: ");
    html.raw("<a href=\"/v1/openapi.json\">/v1/openapi.json</a></p></footer></body></html>");
    html.finish()
}

/// What the tab says, and how it is to be taken.
fn standing(view: &View) -> (Tone, String) {
    let worst = |tone| view.troubles.iter().any(|trouble| trouble.tone == tone);
    match view.troubles.len() {
        _ if view.status.as_ref().is_some_and(|status| status["draining"] == true) => {
            (Tone::Warning, "draining".to_owned())
        }
        0 => (Tone::Good, "all well".to_owned()),
        count if worst(Tone::Bad) => (Tone::Bad, counted(count as u64, "trouble")),
        count => (Tone::Warning, counted(count as u64, "trouble")),
    }
}

fn header(html: &mut Html, view: &View) {
    html.raw("<header id=\"top\" data-live><h1><a href=\"/\">Posthouse</a> ");
    let (tone, word) = standing(view);
    badge(html, tone, &word);
    html.raw("</h1><p>").text(&view.hostname);
    match (&view.of_tenant, &view.status) {
        (Some(tenant), _) => drop(html.raw(", tenant <b>").text(tenant).raw("</b>")),
        (None, Some(status)) => {
            html.raw(", version ").text(text(&status["version"]));
            html.raw(", generation <b>").text(&status["generation"]);
            html.raw("</b>, up for ").text(span(number(&status["uptime_seconds"])));
        }
        (None, None) => {}
    }
    html.raw("; as of <time>").text(time_of_day(view.now)).raw("</time></p></header>");
}

fn all_tenants(html: &mut Html, view: &View) {
    html.raw("<section id=\"tenants\" aria-labelledby=\"h-tenants\"><h2 id=\"h-tenants\">");
    html.raw(if view.of_tenant.is_some() { "Tenant" } else { "Tenants" }).raw("</h2>");
    if view.tenants.is_empty() {
        html.raw("<p id=\"no-tenants\" data-live>None here.</p>");
    }
    for tenant in &view.tenants {
        tenants::tenant(html, tenant, view.now);
    }
    html.raw("<p id=\"pages\" data-live>");
    if view.tenants.len() < view.tenants_there {
        html.text(view.tenants.len()).raw(" of ").text(counted(view.tenants_there as u64, "tenant"));
        html.raw(". <a href=\"/\">From the first</a>");
        if let Some(last) = &view.followed {
            html.raw(" \u{b7} <a href=\"/?after=").in_query(last).raw("\">Those that follow</a>");
        }
    }
    html.raw("</p></section>");
}

/// For a browser that there is no page for.
pub(super) fn refusal(failure: &Failure) -> String {
    let mut html = Html::default();
    html.raw(HEAD).raw("<title>no page \u{2013} Posthouse</title></head><body><header><h1>Posthouse</h1></header>");
    html.raw("<main><section><h2>There is no page for you</h2><p>").words(failure.error()).raw(".</p><p>");
    if failure.status() == StatusCode::UNAUTHORIZED {
        html.raw("Load the page again and give any user name, and a token as the password: one of the main file's ");
        command(&mut html, "[[admin.tokens]]");
        html.raw(" for all of the relay, one of a tenant's ");
        command(&mut html, "[[tokens]]");
        html.raw(" for that tenant. ");
        command(&mut html, "posthouse admin-token");
        html.raw(" makes one.");
    } else {
        html.raw("What to do: ").words(failure.next()).raw(".");
    }
    html.raw("</p></section></main></body></html>");
    html.finish()
}
