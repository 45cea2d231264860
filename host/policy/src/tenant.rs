//! What a tenant's policies share, from call to call and from one generation to the next.
//!
//! One value for each tenant, and nothing in it is another's: whoever has it has all that a policy
//! leaves behind.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::counters::Counters;
use crate::key_value::KeyValue;
use crate::limits;
use crate::share::Share;

/// The memory and the places of one tenant's policies.
#[derive(Debug)]
pub struct TenantMemory {
    /// The key-value memory.
    pub key_value: KeyValue,
    /// The counters.
    pub counters: Counters,
    /// Places for calls.
    pub(crate) calls: Arc<Semaphore>,
    /// Its part of the processors for calls that are slow.
    pub(crate) share: Arc<Share>,
}

impl TenantMemory {
    /// Of a tenant whose policies never ran.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            key_value: KeyValue::default(),
            counters: Counters::default(),
            calls: Arc::new(Semaphore::new(limits::CALLS_PER_TENANT)),
            share: Arc::new(Share::new()),
        })
    }
}
