//! A journal, by what is read from it after anything was done to its end.

use std::io::Write;

use super::{Journal, Record, write};
use crate::budgets::window::Change;
use crate::error::Error;
use crate::scratch::Scratch;

fn octets(numbers: std::ops::Range<u64>) -> Vec<u8> {
    let mut octets = Vec::new();
    for number in numbers {
        write(&mut octets, number, "acme/one", Change { bucket: 600 * number, by: -1 });
    }
    octets
}

fn numbers(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let scratch = Scratch::new();
    let path = scratch.0.join("journal");
    let (mut journal, records, torn) = Journal::open(path.clone()).unwrap();
    assert_eq!((records.len(), torn, journal.is_empty()), (0, 0, true));
    let mut octets = Vec::new();
    write(&mut octets, 7, "k", Change { bucket: 1_700_000_400, by: -5 });
    journal.append(&octets).unwrap();
    drop(journal);
    let (mut journal, records, _) = Journal::open(path.clone()).unwrap();
    let change = Change { bucket: 1_700_000_400, by: -5 };
    assert_eq!(records, [Record { number: 7, key: "k".to_owned(), change }]);
    journal.clear().unwrap();
    assert!(journal.is_empty() && Journal::open(path).unwrap().1.is_empty());
}

/// Cut at every octet: the whole records before it are there, and those that are written next as well.
#[test]
fn a_torn_end_costs_what_is_torn_only() {
    let scratch = Scratch::new();
    let path = scratch.0.join("journal");
    let (mut journal, ..) = Journal::open(path.clone()).unwrap();
    journal.append(&octets(1..4)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let (head, each) = (8, octets(1..2).len());
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, records, torn) = Journal::open(path.clone()).unwrap();
        let kept = cut.saturating_sub(head) / each;
        assert_eq!(records.len(), kept, "cut at {cut}");
        let behind = if cut < head { cut } else { cut - head - kept * each };
        assert_eq!(torn, behind as u64, "cut at {cut}");
        journal.append(&octets(9..10)).unwrap();
        let (_, records, torn) = Journal::open(path.clone()).unwrap();
        let expected: Vec<u64> = (1..=kept as u64).chain([9]).collect();
        assert_eq!((numbers(&records), torn), (expected, 0), "cut at {cut}");
    }
}

#[test]
fn octets_that_were_never_written_are_no_records() {
    let scratch = Scratch::new();
    let path = scratch.0.join("journal");
    let (mut journal, ..) = Journal::open(path.clone()).unwrap();
    journal.append(&octets(1..2)).unwrap();
    // As a file system may leave it when the machine dies: longer than what has reached the disk.
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&[0; 100]).unwrap();
    let (_, records, torn) = Journal::open(path.clone()).unwrap();
    assert_eq!((numbers(&records), torn), (vec![1], 100));
    assert_eq!(Journal::open(path).unwrap().2, 0);
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.0.join("journal");
    std::fs::write(&path, "somebody else's file").unwrap();
    assert!(matches!(Journal::open(path.clone()), Err(Error::Damaged { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's file");
}
