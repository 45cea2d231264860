//! Looks for what another call has left: `leak-write` fills memory with a pattern, `leak-scan` looks for octets that
//! a fresh memory cannot have.

use std::arch::wasm32;
use std::hint::black_box;

use posthouse_policy::{Reply, Verdict};

const PAGE: usize = 65_536;
/// 4 MiB: less than any limit that a test would set.
const PAGES: usize = 64;

pub(crate) fn harm(harm: &str) {
    if harm == "leak-write" {
        write();
    }
}

/// Fills new memory with the pattern, and what the stack has left as well.
fn write() {
    let (from, length) = grow();
    for at in (from..from + length).step_by(8) {
        // SAFETY: the pages have just been given, and nobody else knows them.
        unsafe { core::ptr::write_volatile(at as *mut u64, pattern()) };
    }
}

/// Rejects, and says what was found: `new memory: 0 octets not zero; pattern: 0 times`.
pub(crate) fn report() -> Verdict {
    let before = wasm32::memory_size::<0>() * PAGE;
    let (from, length) = grow();
    // SAFETY: all addresses are inside the memory, and octets have no invalid values.
    let octet = |at: usize| unsafe { core::ptr::read_volatile(at as *const u8) };
    let word = |at: usize| unsafe { core::ptr::read_volatile(at as *const u64) };
    let not_zero = (from..from + length).filter(|at| octet(*at) != 0).count();
    let patterns = (8..before).chain(from..from + length).step_by(8).filter(|at| word(*at) == pattern()).count();
    let text = format!("new memory: {not_zero} octets not zero; pattern: {patterns} times");
    Verdict::Reject(Reply { code: 550, enhanced: (5, 7, 1), text })
}

/// The beginning and the length of new memory.
fn grow() -> (usize, usize) {
    match wasm32::memory_grow::<0>(PAGES) {
        usize::MAX => panic!("there is no memory for {PAGES} pages"),
        page => (page * PAGE, PAGES * PAGE),
    }
}

/// Computed, so that it stands in no module's data; never in memory but where it was written.
fn pattern() -> u64 {
    black_box(0x5EC2_E7A0_5EC2_E7A0_u64) ^ black_box(0x0102_0304_0506_0708)
}
