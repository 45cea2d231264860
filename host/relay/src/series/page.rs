//! Texts of several exporters as one: the format wants all series of a name together, under one line of its type.
//!
//! Each text is taken apart and dropped before the next one is made, and each name when it is written: with thousands of
//! accounts the page is megabytes.

use std::collections::{BTreeMap, HashMap};

use metrics::SharedString;

/// What was gathered so far, by name.
#[derive(Default)]
pub(super) struct Page {
    families: BTreeMap<String, Family>,
    size: usize,
}

/// The line of a name's type, and its series.
#[derive(Default)]
struct Family {
    kind: String,
    series: String,
}

impl Page {
    /// Adds what an exporter shows.
    pub(super) fn add(&mut self, text: &str) {
        self.size += text.len();
        // Each name's lines are a block: its type, its series, an empty line.
        for block in text.split("\n\n").filter(|block| !block.is_empty()) {
            let (kind, series) = block.split_once('\n').unwrap_or((block, ""));
            let Some(name) = kind.strip_prefix("# TYPE ").and_then(|kind| kind.split(' ').next()) else { continue };
            if !self.families.contains_key(name) {
                self.families.insert(name.to_owned(), Family { kind: kind.to_owned(), series: String::new() });
            }
            if let Some(family) = self.families.get_mut(name) {
                family.series.push_str(series.trim_end());
                family.series.push('\n');
            }
        }
    }

    /// All of it, with what is known of each name.
    pub(super) fn text(self, help: &HashMap<String, SharedString>) -> String {
        let mut page = String::with_capacity(self.size);
        for (name, Family { kind, series }) in self.families {
            if let Some(help) = help.get(&name) {
                page.extend(["# HELP ", &name, " ", help, "\n"]);
            }
            page.extend([&kind, "\n", &series, "\n"]);
        }
        page
    }
}
