//! Harms to what the relay offers: the log, the counters, the memory that calls share, the message.

use posthouse_policy::Message;
use posthouse_policy::bindings::posthouse::policy::log::{Level, write};
use posthouse_policy::bindings::posthouse::policy::{counters, key_value};

use crate::name_or;

const TEN_MEBIBYTES: usize = 10 * 1024 * 1024;
const MANY: u32 = 100_000;

pub(crate) fn harm(harm: &str) {
    match harm {
        "log-bomb" => (0..MANY).for_each(|count| write(Level::Error, &format!("line {count}"))),
        "log-huge" => write(Level::Error, &"long ".repeat(TEN_MEBIBYTES / 5)),
        "log-control" => {
            write(Level::Error, "a\r\nb\0c\u{1b}[31md\u{7f}e\u{85}f\u{2028}g\u{202e}h {\"level\":\"forged\"}")
        }
        "counters-bomb" => (0..MANY).for_each(|count| counters::add(&format!("name_{count}"), 1)),
        "counters-bad-names" => bad_counters(),
        "counters-overflow" => (0..3).for_each(|_| counters::add("overflow", u64::MAX)),
        "key-value-bomb" => remember_much(),
        "key-value-huge-value" => say(key_value::set("huge", &vec![7; TEN_MEBIBYTES], 60)),
        "key-value-huge-key" => say(key_value::set(&"k".repeat(TEN_MEBIBYTES), b"v", 60)),
        "key-value-huge-question" => drop(key_value::get(&"k".repeat(TEN_MEBIBYTES))),
        "key-value-for-ever" => say(key_value::set("for-ever", b"v", u32::MAX)),
        "key-value-no-time" => say(key_value::set("no-time", b"v", 0)),
        "key-value-overflow" => {
            say(key_value::add("overflow", i64::MAX, 60).map(drop));
            say(key_value::add("overflow", i64::MAX, 60).map(drop));
        }
        "key-value-not-a-number" => {
            say(key_value::set("text", b"text", 60));
            say(key_value::add("text", 1, 60).map(drop));
        }
        _ => {}
    }
}

/// Reads more of a message than a call may.
pub(crate) fn read(harm: &str, message: &Message) {
    match harm {
        "read-body-over-budget" => loop {
            if let Err(error) = message.read_body(0, u32::MAX) {
                return write(Level::Info, &format!("read-body: {}", error.name()));
            }
        },
        "read-body-beyond" => drop(message.read_body(u64::MAX, u32::MAX)),
        "read-headers-over-budget" => loop {
            let name = name_or("Subject");
            drop((message.headers(&name), message.raw_header(&name), message.header_at(0)));
        },
        "read-header-beyond" => drop(message.header_at(u32::MAX)),
        "read-header-huge-name" => drop(message.headers(&"N".repeat(TEN_MEBIBYTES))),
        _ => {}
    }
}

/// Distinct keys with the largest values, until the relay refuses.
fn remember_much() {
    for count in 0..MANY {
        if let Err(error) = key_value::set(&format!("key-{count}"), &[7; 4096], 3600) {
            return write(Level::Info, &format!("key-value: {} after {count}", error.name()));
        }
    }
}

fn say(written: Result<(), key_value::Error>) {
    write(Level::Info, &format!("key-value: {}", written.err().map_or("written", |error| error.name())));
}

fn bad_counters() {
    let huge = "n".repeat(TEN_MEBIBYTES);
    for name in ["", "UPPER", "with space", "with\nbreak", "quote\"", "umlaut_ä", "a{b=\"c\"}", &"n".repeat(65), &huge]
    {
        counters::add(name, 1);
    }
}
