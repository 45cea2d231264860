//! Pieces that come again: badges, cells of tables, lines of figures.

use std::fmt::Display;

use super::html::Html;
use super::words;
use crate::recent::Series;

/// How something is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Neutral,
    Warning,
    Bad,
}

/// The width of a bar in a drawing's own units, with the gap behind it; the style sheet scales it.
const BAR: usize = 4;
/// The height of the highest.
const HEIGHT: f64 = 28.0;

/// A word whose colour says it again.
pub(super) fn badge(html: &mut Html, tone: Tone, word: &str) {
    html.raw(match tone {
        Tone::Good => "<span class=\"badge good\">",
        Tone::Neutral => "<span class=\"badge\">",
        Tone::Warning => "<span class=\"badge warning\">",
        Tone::Bad => "<span class=\"badge bad\">",
    });
    html.text(word).raw("</span>");
}

/// Begins a table, whose rows are cards on a narrow screen.
pub(super) fn table(html: &mut Html, name: &'static str, heads: &'static [&'static str]) {
    html.raw("<table role=\"table\"><caption>").raw(name).raw("</caption><thead role=\"rowgroup\"><tr role=\"row\">");
    for head in heads {
        html.raw("<th role=\"columnheader\" scope=\"col\">").raw(head).raw("</th>");
    }
    html.raw("</tr></thead><tbody role=\"rowgroup\">");
}

/// A cell under this head.
pub(super) fn cell(html: &mut Html, head: &'static str, fill: impl FnOnce(&mut Html)) {
    html.raw("<td role=\"cell\" data-head=\"").raw(head).raw("\"><div>");
    fill(html);
    html.raw("</div></td>");
}

/// A cell of text.
pub(super) fn text_cell(html: &mut Html, head: &'static str, text: impl Display) {
    cell(html, head, |html| {
        html.text(text);
    });
}

/// A cell of somebody else's words.
pub(super) fn words_cell(html: &mut Html, head: &'static str, words: &str) {
    cell(html, head, |html| {
        if !words.is_empty() {
            html.words(words);
        }
    });
}

/// A figure, large, under its name.
pub(super) fn figure(html: &mut Html, name: &'static str, figure: &str, more: &str) {
    html.raw("<div><dt>").raw(name).raw("</dt><dd><b>").text(figure).raw("</b>");
    if !more.is_empty() {
        html.raw(" <small>").text(more).raw("</small>");
    }
    html.raw("</dd></div>");
}

/// The two drawings of the last minute.
pub(super) fn drawings(html: &mut Html, series: &Series) {
    drawing(html, "Deliveries a second, over the last minute", &series.per_second, "/s");
    drawing(html, "95 % of deliveries within, over the last minute", &series.p95_ms, " ms");
}

/// A bar for each two seconds, the newest at the right; none where there is nothing to say.
fn drawing(html: &mut Html, name: &'static str, values: &[f64], unit: &'static str) {
    let most = values.iter().copied().fold(0.0, f64::max);
    html.raw("<figure><svg role=\"img\" viewBox=\"0 0 120 28\" preserveAspectRatio=\"none\" aria-label=\"").raw(name);
    html.raw("; at most ").text(words::figure(most)).raw(unit).raw("\"><path d=\"");
    for (index, value) in values.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let (across, up) = (BAR * index, HEIGHT * value / most);
        html.text(format_args!("M{across},28v-{up:.1}h3v{up:.1}z"));
    }
    html.raw("\"/></svg><figcaption>").raw(name).raw("; at most <b>");
    html.text(words::figure(most)).raw("</b>").raw(unit).raw("</figcaption></figure>");
}

/// A name as a shell takes it for one word.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._@+-".contains(&octet);
    if !name.is_empty() && name.bytes().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// A command that does something about it.
pub(super) fn command(html: &mut Html, command: &str) {
    html.raw("<code>").text(command).raw("</code>");
}
