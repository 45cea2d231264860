//! The connections that were accepted, and what happened on each.
//!
//! A connection is noted when it is accepted and when it ends; in between it counts in its own numbers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::watch;

use crate::account::Count;
use crate::options::Keep;
use crate::provider::Provider;

/// A connection, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its number at this simulator, from 1, in the order of acceptance.
    pub number: u64,
    /// At whom.
    pub provider: Provider,
    /// Whether it came to TLS.
    pub tls: bool,
    /// The mailbox that logged in.
    pub mailbox: Option<String>,
    /// Messages that were accepted on it.
    pub messages: u64,
    /// Whether it has not ended yet.
    pub open: bool,
}

/// A connection in being. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) provider: Provider,
    pub(crate) messages: Count,
    pub(crate) mailbox: OnceLock<Arc<str>>,
    pub(crate) tls: AtomicBool,
    open: AtomicBool,
}

#[derive(Debug, Default)]
struct Records {
    last: u64,
    records: BTreeMap<u64, Arc<Record>>,
}

#[derive(Debug)]
pub(crate) struct Connections {
    keep: Keep,
    records: Mutex<Records>,
    open: watch::Sender<[usize; 2]>,
}

impl Connections {
    pub(crate) fn new(keep: Keep) -> Self {
        Self { keep, records: Mutex::default(), open: watch::Sender::default() }
    }

    pub(crate) fn begin(&self, provider: Provider) -> Arc<Record> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.last += 1;
        let record = Arc::new(Record {
            number: records.last,
            provider,
            messages: Count::default(),
            mailbox: OnceLock::new(),
            tls: AtomicBool::new(false),
            open: AtomicBool::new(true),
        });
        records.records.insert(record.number, Arc::clone(&record));
        drop(records);
        self.open.send_modify(|open| open[provider.index()] += 1);
        record
    }

    pub(crate) fn end(&self, record: &Record) {
        record.open.store(false, Ordering::Relaxed);
        if self.keep == Keep::Count {
            self.records.lock().unwrap_or_else(PoisonError::into_inner).records.remove(&record.number);
        }
        self.open.send_modify(|open| open[record.provider.index()] -= 1);
    }

    pub(crate) fn list(&self) -> Vec<Connection> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let report = |record: &Arc<Record>| Connection {
            number: record.number,
            provider: record.provider,
            tls: record.tls.load(Ordering::Relaxed),
            mailbox: record.mailbox.get().map(|mailbox| mailbox.to_string()),
            messages: record.messages.value(),
            open: record.open.load(Ordering::Relaxed),
        };
        records.records.values().map(report).collect()
    }

    pub(crate) fn open(&self, provider: Provider) -> usize {
        self.open.borrow()[provider.index()]
    }

    pub(crate) async fn wait_until_open(&self, provider: Provider, at_most: usize) {
        let is_so = |open: &[usize; 2]| open[provider.index()] <= at_most;
        // The sender lives as long as this: waiting cannot fail.
        let _ = self.open.subscribe().wait_for(is_so).await;
    }
}
