//! A journal: changes of counts, one behind the other in a file, each whole or not there.
//!
//! A record is its length (4 octets), a CRC-32 of what follows, its number (8), the bucket (8), the change (8), all
//! little-endian, and the key. Invariant: behind the last whole record nothing is left standing when the next one is
//! written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::window::Change;
use crate::error::Error;

const MAGIC: &[u8; 8] = b"posthj1\n";
const HEAD: usize = 8;
const FIXED: usize = 24;

/// A change with its place in the order of all changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) key: String,
    pub(super) change: Change,
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Arc<File>,
    /// Octets up to the end of the last whole record.
    length: u64,
    /// Whether there may be a piece of a record behind that.
    torn: bool,
    unsynced: bool,
}

impl Journal {
    /// Opens it, with its records and the number of octets behind them that are no record: these are cut off.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<Record>, u64), Error> {
        let failed = |attempt| {
            let path = path.clone();
            move |source| Error::File { attempt, path, source }
        };
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let mut file = file.map_err(failed("open"))?;
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(failed("read"))?;
        if !octets.starts_with(MAGIC) && !MAGIC.starts_with(&octets) {
            let reason = "it does not begin as a journal of budgets".to_owned();
            return Err(Error::Damaged { path, reason });
        }
        let (records, length) = records(&octets);
        let torn = octets.len() - length;
        let mut journal =
            Self { path: path.clone(), file: Arc::new(file), length: length as u64, torn: torn > 0, unsynced: true };
        journal.mend().and_then(|()| journal.begin()).map_err(failed("mend"))?;
        Ok((journal, records, torn as u64))
    }

    /// Writes records, all or none. The kernel has them on return; the disk may not.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<(), Error> {
        let appended = self.mend().and_then(|()| {
            self.torn = true;
            self.unsynced = true;
            (&*self.file).write_all(records)
        });
        match appended {
            Ok(()) => {
                self.torn = false;
                self.length += records.len() as u64;
                Ok(())
            }
            Err(source) => {
                let _ = self.mend(); // If that fails as well, the next one tries again, before it writes.
                Err(Error::File { attempt: "write", path: self.path.clone(), source })
            }
        }
    }

    /// Forgets all records.
    pub(super) fn clear(&mut self) -> Result<(), Error> {
        let length = MAGIC.len() as u64;
        let cleared = self.file.set_len(length);
        cleared.map_err(|source| Error::File { attempt: "empty", path: self.path.clone(), source })?;
        (self.length, self.torn) = (length, false);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length <= MAGIC.len() as u64
    }

    /// What is to be synced, if anything was written since the last time.
    pub(super) fn unsynced(&mut self) -> Option<(Arc<File>, PathBuf)> {
        std::mem::take(&mut self.unsynced).then(|| (Arc::clone(&self.file), self.path.clone()))
    }

    pub(super) fn not_synced(&mut self) {
        self.unsynced = true;
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.length < MAGIC.len() as u64 {
            self.file.set_len(0)?;
            (&*self.file).write_all(MAGIC)?;
            self.length = MAGIC.len() as u64;
        }
        Ok(())
    }
}

/// The journals of a state directory: one is written while the other is being folded.
pub(super) fn paths(directory: &Path) -> [PathBuf; 2] {
    [directory.join("budgets-0.journal"), directory.join("budgets-1.journal")]
}

/// Writes a record behind others.
pub(super) fn write(into: &mut Vec<u8>, number: u64, key: &str, change: Change) {
    let length = u32::try_from(FIXED + key.len()).expect("a key is shorter than 4 GiB");
    let begin = into.len();
    into.extend(length.to_le_bytes());
    into.extend([0; 4]);
    into.extend(number.to_le_bytes());
    into.extend(change.bucket.to_le_bytes());
    into.extend(change.by.to_le_bytes());
    into.extend(key.as_bytes());
    let sum = crc32fast::hash(&into[begin + HEAD..]);
    into[begin + 4..begin + HEAD].copy_from_slice(&sum.to_le_bytes());
}

/// The whole records from the beginning on, and where they end.
fn records(octets: &[u8]) -> (Vec<Record>, usize) {
    let Some(mut rest) = octets.strip_prefix(MAGIC) else { return (Vec::new(), 0) };
    let mut records = Vec::new();
    while let Some((record, behind)) = record(rest) {
        records.push(record);
        rest = behind;
    }
    (records, octets.len() - rest.len())
}

fn record(octets: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = octets.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (body, behind) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (number, body) = body.split_first_chunk()?;
    let (bucket, body) = body.split_first_chunk()?;
    let (by, key) = body.split_first_chunk()?;
    let change = Change { bucket: u64::from_le_bytes(*bucket), by: i64::from_le_bytes(*by) };
    let key = std::str::from_utf8(key).ok()?.to_owned();
    Some((Record { number: u64::from_le_bytes(*number), key, change }, behind))
}

#[cfg(test)]
mod tests;
