//! A policy that breaks the canonical ABI: it hands the relay raw results that no bindings would make. Which, says
//! the setting `do`; without it the policy proceeds. The forgeries are listed in tests/guests/README.md.

wit_bindgen::generate!({ path: "../../../wit", world: "message-policy", generate_all });

use std::sync::atomic::{AtomicU8, Ordering};

use posthouse::policy::settings;

/// What is to happen when the result has been read.
static AFTERWARDS: AtomicU8 = AtomicU8::new(0);
const TRAP: u8 = 1;
const LOOP: u8 = 2;
const IMPORT: u8 = 3;

/// A verdict's layout: discriminant at 0; code at 4; class, subject and detail at 6, 8 and 10; text at 12 and 16.
#[repr(C, align(4))]
struct RawVerdict {
    discriminant: u32,
    code: u16,
    class: u8,
    subject: u16,
    detail: u16,
    text: u32,
    text_length: u32,
}

/// A description's layout: two texts and a boolean.
#[repr(C, align(4))]
struct RawDescription {
    name: *const u8,
    name_length: usize,
    version: *const u8,
    version_length: usize,
    needs_body: u8,
}

#[unsafe(export_name = "posthouse:policy/policy@0.1.0#describe")]
extern "C" fn describe() -> *const RawDescription {
    let (name, version) = ("forger", "0.1.0");
    let needs_body = if forgery() == "bool-2" { 2 } else { 0 };
    kept(RawDescription {
        name: name.as_ptr(),
        name_length: name.len(),
        version: version.as_ptr(),
        version_length: version.len(),
        needs_body,
    })
}

#[unsafe(export_name = "posthouse:policy/policy@0.1.0#check-settings")]
extern "C" fn check_settings() -> *const [u32; 3] {
    kept(if forgery() == "result-7" { [7, 0, 0] } else { [0, 0, 0] })
}

#[unsafe(export_name = "posthouse:policy/on-message@0.1.0#decide")]
extern "C" fn decide(envelope: u32, message: u32, decision: u32) -> *const RawVerdict {
    let forgery = forgery();
    AFTERWARDS.store(afterwards(&forgery), Ordering::Relaxed);
    if forgery == "handles-kept" {
        return kept(verdict(0, 0, 0));
    }
    // SAFETY: the handles are this call's, and each is given back once.
    drop(unsafe { posthouse::policy::envelope::Envelope::from_handle(envelope) });
    drop(unsafe { posthouse::policy::message::Message::from_handle(message) });
    drop(unsafe { posthouse::policy::decision::Decision::from_handle(decision) });
    let (text, length) = here("no");
    match forgery.as_str() {
        "discriminant-3" => kept(verdict(3, text, length)),
        "discriminant-255" => kept(verdict(255, text, length)),
        "text-beyond-memory" => kept(verdict(1, 0xFFFF_FF00, length)),
        "text-longer-than-memory" => kept(verdict(1, text, 0x7FFF_FFFF)),
        "text-wraps-round" => kept(verdict(1, 0xFFFF_FFFF, 0xFFFF_FFFF)),
        "text-not-utf8" => {
            let octets: &'static [u8] = Box::leak(Box::new([b'n', 0xFF, 0xC0, 0x80]));
            kept(verdict(1, octets.as_ptr() as u32, 4))
        }
        "result-beyond-memory" => 0xFFFF_FFF0_u32 as *const RawVerdict,
        "result-misaligned" => (kept(verdict(0, 0, 0)) as usize + 1) as *const RawVerdict,
        "result-null" => core::ptr::null(),
        "honest" => kept(verdict(1, text, length)),
        _ => kept(verdict(0, 0, 0)),
    }
}

/// After a result has been read the relay calls this; what happens here is part of the call. Imports must not be
/// called from here.
#[unsafe(export_name = "cabi_post_posthouse:policy/on-message@0.1.0#decide")]
extern "C" fn after_decide(_: *const RawVerdict) {
    match AFTERWARDS.load(Ordering::Relaxed) {
        TRAP => core::arch::wasm32::unreachable(),
        LOOP => loop {
            core::hint::black_box(());
        },
        IMPORT => drop(forgery()),
        _ => {}
    }
}

fn afterwards(forgery: &str) -> u8 {
    match forgery {
        "trap-afterwards" => TRAP,
        "loop-afterwards" => LOOP,
        "import-afterwards" => IMPORT,
        _ => 0,
    }
}

fn verdict(discriminant: u32, text: u32, text_length: u32) -> RawVerdict {
    RawVerdict { discriminant, code: 550, class: 5, subject: 7, detail: 1, text, text_length }
}

fn here(text: &'static str) -> (u32, u32) {
    (text.as_ptr() as u32, text.len() as u32)
}

/// A result stays where it is: the instance ends with the call.
fn kept<T>(result: T) -> *const T {
    Box::leak(Box::new(result))
}

fn forgery() -> String {
    settings::get("do").unwrap_or_default()
}
