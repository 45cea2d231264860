//! The allocator of policies: what a call allocates first lies in memory that it begins with.
//!
//! A call that asks for more memory costs the relay two changes of the address space, more than most policies
//! cost altogether. An instance lives for one call, so that nothing here has to be given back; what does not
//! fit goes to the usual allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};

/// Enough for the header fields and settings that most policies read.
const ARENA: usize = 44 * 1024;

struct Arena {
    octets: UnsafeCell<[u8; ARENA]>,
    used: Cell<usize>,
}

#[global_allocator]
static ARENA_OF_CALL: Arena = Arena { octets: UnsafeCell::new([0; ARENA]), used: Cell::new(0) };

// SAFETY: a policy's instance has one thread.
unsafe impl Sync for Arena {}

// SAFETY: places in the arena are given out once and never overlap; all others are the system allocator's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.octets.get().cast::<u8>();
        let at = (start as usize + self.used.get()).next_multiple_of(layout.align()) - start as usize;
        match at.checked_add(layout.size()) {
            Some(end) if end <= ARENA => {
                self.used.set(end);
                // SAFETY: `at` is within the arena.
                unsafe { start.add(at) }
            }
            // SAFETY: the caller's promises are passed on.
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let start = self.octets.get() as usize;
        if (start..start + ARENA).contains(&(place as usize)) {
            // The last place can be given out anew.
            if place as usize + layout.size() == start + self.used.get() {
                self.used.set(place as usize - start);
            }
            return;
        }
        // SAFETY: it came from the system's allocator, as it is not in the arena.
        unsafe { System.dealloc(place, layout) }
    }
}
