//! The `posthouse` command. Everything is in the library; this is its door.

use std::process::ExitCode;

use libmimalloc_sys::{mi_option_set, mi_option_t};
use mimalloc::MiMalloc;

/// A message's buffers are made on one thread and grow on another: with the system's allocator both then wait for the same
/// lock, which was a quarter of the relay's CPU.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// mimalloc's `mi_option_purge_delay`, which its crate does not name.
const PURGE_DELAY: mi_option_t = 15;

fn main() -> ExitCode {
    do_without_huge_pages();
    give_memory_back_at_once();
    posthouse_relay::cli::main()
}

/// Memory that comes in pages of 2 MiB stays in them: it was a third of what the relay held, and more after each burst.
#[expect(unsafe_code, reason = "prctl(2) has no interface of its own for it")]
fn do_without_huge_pages() {
    // SAFETY: it sets a flag of this process. Where the system does not know it, nothing is lost but memory.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// The 19 MiB that a password's check takes would otherwise stay with the process for a while.
#[expect(unsafe_code, reason = "mimalloc's options have no other interface")]
fn give_memory_back_at_once() {
    // SAFETY: options are not to be set by two threads at once, and there is one yet.
    unsafe { mi_option_set(PURGE_DELAY, 0) };
}
