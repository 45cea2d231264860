//! `[replies]`: an operator's own rows of the reply table, in a file of their own.
//!
//! The language of such a file is `posthouse_upstream::replies`'; here its faults get their places.

use std::sync::Arc;

use posthouse_upstream::replies::{Fault, Table};

use crate::config::files::File;
use crate::config::section::Section;
use crate::config::source::Mark;
use crate::config::value::Entry;

/// The table, with the rows of the file that `[replies]` names before the shipped ones. The file is the `order`th.
pub(super) fn read(root: &Section<'_>, order: usize) -> Arc<Table> {
    let Some(section) = root.section("replies") else { return Table::shipped() };
    let table = section.optional("file", |entry| with_own(entry, order));
    section.finish();
    table.unwrap_or_else(Table::shipped)
}

fn with_own(entry: &Entry<'_>, order: usize) -> Option<Arc<Table>> {
    let findings = entry.mark.source.findings;
    let file = File::read(order, &entry.path()?, findings);
    match Table::with_own(file.text.as_deref()?) {
        Ok(table) => Some(Arc::new(table)),
        Err(faults) => {
            let source = file.source(order, findings);
            for Fault { offset, key, reason } in faults {
                Mark { source: &source, offset, key }.fault(reason).error();
            }
            None
        }
    }
}
