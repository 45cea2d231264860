//! Harms to the machine: time, memory, stack, and traps of every kind.

use std::arch::wasm32;
use std::hint::black_box;
use std::num::NonZeroU32;

use posthouse_policy::bindings::posthouse::policy::{accounts, environment, settings};

const MEBIBYTE: usize = 1024 * 1024;

pub(crate) fn harm(harm: &str) {
    match harm {
        "loop" => forever(|| ()),
        "loop-with-host-calls" => forever(|| _ = black_box(environment::now())),
        "loop-with-host-lists" => forever(|| drop(black_box((settings::all(), accounts::all())))),
        "loop-with-memory-fill" => fill_forever(),
        "loop-with-allocations" => forever(|| drop(black_box(vec![1_u8; 64 * 1024]))),
        "grow-memory" => {
            grow();
            wasm32::unreachable()
        }
        "grow-memory-and-go-on" => grow(),
        "grow-memory-at-once" => {
            black_box(wasm32::memory_grow::<0>(65_535));
        }
        "allocate" => allocate(),
        "recurse" => {
            black_box(recurse(black_box(1)));
        }
        "recurse-without-memory" => {
            black_box(descend(1));
        }
        "unreachable" => wasm32::unreachable(),
        "panic" => panic!("a panic with a line\nbreak, \u{1b}[31mcolour\u{1b}[0m and \0"),
        "divide-by-zero" => divide(),
        "out-of-bounds" => out_of_bounds(),
        "call-nowhere" => call_nowhere(),
        _ => {}
    }
}

fn forever(turn: impl Fn()) {
    loop {
        turn();
        black_box(());
    }
}

/// One instruction that runs long: the tick can only interrupt between two of them.
fn fill_forever() {
    let mut octets = vec![0_u8; 8 * MEBIBYTE];
    forever_with(|turn| {
        octets.fill(turn);
        black_box(&octets);
    });
}

fn forever_with(mut turn: impl FnMut(u8)) {
    for count in (0..=u8::MAX).cycle() {
        turn(count);
    }
}

/// Takes page after page, and uses each, until it is refused.
fn grow() {
    loop {
        let page = wasm32::memory_grow::<0>(1);
        if page == usize::MAX {
            return;
        }
        // SAFETY: the page has just been given, and nobody else knows it.
        unsafe { core::ptr::write_volatile((page * 65_536) as *mut u8, 1) };
    }
}

fn allocate() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; MEBIBYTE]));
    }
}

/// Ends at the beginning of the memory, where Rust keeps its stack.
#[expect(unconditional_recursion, reason = "the harm")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    recurse(black_box(frame[3] + 1)) + frame[5]
}

/// Holds nothing in memory, so that the machine's own stack is what ends.
fn descend(depth: u64) -> u64 {
    // SAFETY: the place is always a function's. Read so, it cannot be seen through.
    let further = unsafe { core::ptr::read_volatile(&raw const FURTHER) };
    further(depth + 1).rotate_left(1) ^ depth
}

static FURTHER: fn(u64) -> u64 = descend;

/// Rust checks its own divisions; the machine's is asked for here.
fn divide() {
    // SAFETY: none: a division by zero traps in WebAssembly, which is the harm.
    let zero = unsafe { NonZeroU32::new_unchecked(black_box(0)) };
    black_box(black_box(1) / zero);
}

fn out_of_bounds() {
    let beyond = black_box(0xFFFF_FFF0_usize) as *const u8;
    // SAFETY: none: a read outside the memory traps in WebAssembly, which is the harm.
    black_box(unsafe { core::ptr::read_volatile(beyond) });
}

fn call_nowhere() {
    let index = black_box(0x00FF_FFFF_usize);
    // SAFETY: none: an index outside the table traps in WebAssembly, which is the harm.
    let nowhere: fn() = unsafe { core::mem::transmute(index) };
    nowhere();
}
