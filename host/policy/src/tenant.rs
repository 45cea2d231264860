//! What a tenant's policies share, from call to call and from one generation to the next.
//!
//! One value for each tenant, and nothing in it is another's: whoever has it has all that a policy
//! leaves behind.

use std::sync::Arc;

use crate::counters::Counters;
use crate::key_value::KeyValue;
use crate::places::Line;
use crate::share::Share;

/// The memory and the places of one tenant's policies.
#[derive(Debug)]
pub struct TenantMemory {
    /// The key-value memory.
    pub key_value: KeyValue,
    /// The counters.
    pub counters: Counters,
    /// Its line for places for calls.
    pub(crate) line: Arc<Line>,
    /// Its part of the processors for calls that are slow.
    pub(crate) share: Arc<Share>,
}

impl TenantMemory {
    /// Of a tenant whose policies never ran.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            key_value: KeyValue::default(),
            counters: Counters::default(),
            line: Line::new(),
            share: Arc::new(Share::new()),
        })
    }
}
