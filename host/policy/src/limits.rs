//! Every number that bounds a policy, with its why.
//!
//! The few that a tenant's file may change are in [`Limits`]; the others hold for all.

use std::time::Duration;

/// What one call of a policy may take. Each field is enforced, and each has a hostile test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time on a processor, in the guest and in host functions.
    pub cpu: Duration,
    /// Time by the clock, with all waiting for a turn.
    pub time: Duration,
    /// Octets of linear memory and of tables together.
    pub memory: usize,
    /// The part of one core, in hundredths, that the tenant's calls may use beyond their first tick.
    pub share: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpu: CPU, time: TIME, memory: MEMORY, share: SHARE }
    }
}

/// A compiled policy in Rust takes 20 to 50 microseconds; two hundred times that is a mistake.
pub const CPU: Duration = Duration::from_millis(10);
/// Interpreters need tens of milliseconds; more than a second would hold up a relay for one message.
pub const CPU_MOST: Duration = Duration::from_secs(1);
/// A client that waits a second for a decision does not give up.
pub const TIME: Duration = Duration::from_secs(1);
/// Far below the relay's deadline for a delivery.
pub const TIME_MOST: Duration = Duration::from_secs(10);
/// A Rust policy starts with 1 MiB of stack and some pages of heap.
pub const MEMORY: usize = 16 * MIB;
/// Python needs about 64 MiB.
pub const MEMORY_MOST: usize = 256 * MIB;
/// One linear memory page and the smallest table.
pub const MEMORY_LEAST: usize = 128 * KIB;
/// A quarter of a core goes to calls that are slow; those that are done within a tick are not counted.
pub const SHARE: u32 = 25;
/// All of a core.
pub const SHARE_MOST: u32 = 100;

/// How often a running call is looked at. A guest holds a worker thread for two of them at most, and goes on on the slow
/// lane; a host function that is running then ends first, and its time grows with the header block.
pub const TICK: Duration = Duration::from_millis(1);
/// Slow calls may run ahead of their share by this much.
pub const SHARE_BURST: Duration = Duration::from_millis(250);
/// Calls at a time, over all tenants: each holds a slot of the pool.
pub const CALLS: usize = 128;
/// Calls at a time of one tenant, so that one cannot take all places.
pub const CALLS_PER_TENANT: usize = 16;
/// A tenant has at most the `FREE_PART`th part of the places that are free, so that many cannot take all either: eight
/// that take what they can leave a third, and twenty leave some.
pub const FREE_PART: usize = 4;

/// A policy whose call took more than this begins on the slow lane: a worker is not to be held for longer.
pub const QUICK: Duration = Duration::from_micros(250);
/// Until so many calls in a row were quick.
pub const SLOW_CALLS: u32 = 16;
/// The niceness of the slow lane's threads: where mail takes all cores, a quarter of one is left for slow calls.
pub const SLOW_NICE: i32 = 5;

/// WebAssembly's own stack: interpreters (QuickJS, Python) recurse into 400 KiB.
pub const WASM_STACK: usize = 512 * KIB;
/// The stack that a call runs on, which host functions use too.
pub const CALL_STACK: usize = 2 * MIB;
/// Octets that one host call may take from the guest, with what a call returns.
pub const HOST_CALL_BYTES: usize = MIB;
/// Resource handles alive at a time: a call has three of the relay's.
pub const HANDLES: usize = 256;
/// Core instances, memories and tables of a component: Python's has the most, by dynamic linking.
pub const CORE_INSTANCES: u32 = 64;
/// Linear memories of a component.
pub const MEMORIES: u32 = 4;
/// Tables of a component.
pub const TABLES: u32 = 16;
/// Elements of a table.
pub const TABLE_ELEMENTS: usize = 64 * 1024;

/// Edits of one message.
pub const EDITS: usize = 256;
/// Octets of all edits of a message.
pub const EDIT_BYTES: usize = 256 * KIB;
/// Recipients that one message may be given on top.
pub const ADDED_RECIPIENTS: usize = 16;
/// Accounts in one choice.
pub const CHOICE: usize = 64;
/// Octets of what `on-message` leaves for `on-outcome`.
pub const CARRIED: usize = 4 * KIB;
/// Log lines of a call.
pub const LOG_LINES: usize = 32;
/// Octets of all log lines of a call.
pub const LOG_BYTES: usize = 8 * KIB;
/// Octets of a reply's text, so that it fits one line of RFC 5321 4.5.3.1.5 with its code.
pub const REPLY_TEXT: usize = 400;
/// Characters of what a policy says against its settings.
pub const COMPLAINT: usize = 1000;
/// Octets in one answer to `read-body`.
pub const BODY_READ: usize = 64 * KIB;
/// Octets of body that one call may read in all; reading it twice is enough.
pub const BODY_READS: usize = 32 * MIB;

/// Names of counters of a tenant: each is a time series.
pub const COUNTERS: usize = 32;
/// Octets of a counter's name, and of a policy's name and version.
pub const NAME: usize = 64;
/// Octets of a key.
pub const KEY: usize = 256;
/// Octets of a value.
pub const VALUE: usize = 4 * KIB;
/// Octets of all keys and values of a tenant, with what each entry costs.
pub const KEY_VALUE: usize = MIB;
/// The longest life of an entry.
pub const KEY_VALUE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The largest component that is taken. Python's is 18 MiB.
pub const COMPONENT: usize = 32 * MIB;
/// Compiling takes 50 milliseconds for Rust and 20 seconds for Python, on one busy core.
pub const COMPILE_CPU: Duration = Duration::from_mins(2);
/// The same by the clock; then the worker is killed.
pub const COMPILE_TIME: Duration = Duration::from_mins(2);
/// Address space of the compile worker.
pub const COMPILE_MEMORY: u64 = 4 * 1024 * MIB as u64;
/// Workers at a time.
pub const COMPILERS: usize = 2;
/// The largest compiled component that is taken from a worker.
pub const COMPILED: usize = 256 * MIB;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
