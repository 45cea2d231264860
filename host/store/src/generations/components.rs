//! Components by digest, with the number of generations that name each.

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use crate::database::{Fault, table};
use crate::digest::Digest;

const OCTETS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("components");
const NAMES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("component-names");

/// One more generation names it; the first one brings it.
pub(super) fn name(transaction: &WriteTransaction, digest: &Digest, octets: &[u8]) -> Result<(), Fault> {
    let mut names = transaction.open_table(NAMES)?;
    let before = names.get(digest.octets())?.map_or(0, |names| names.value());
    names.insert(digest.octets(), before + 1)?;
    if before == 0 {
        transaction.open_table(OCTETS)?.insert(digest.octets(), octets)?;
    }
    Ok(())
}

/// One generation less names it; it goes with the last one.
pub(super) fn unname(transaction: &WriteTransaction, digest: &Digest) -> Result<(), Fault> {
    let mut names = transaction.open_table(NAMES)?;
    let before = names.get(digest.octets())?.map_or(0, |names| names.value());
    if before > 1 {
        names.insert(digest.octets(), before - 1)?;
    } else {
        names.remove(digest.octets())?;
        transaction.open_table(OCTETS)?.remove(digest.octets())?;
    }
    Ok(())
}

pub(super) fn octets(transaction: &ReadTransaction, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
    let Some(components) = table(transaction, OCTETS)? else { return Ok(None) };
    Ok(components.get(digest.octets())?.map(|octets| octets.value().to_vec()))
}
