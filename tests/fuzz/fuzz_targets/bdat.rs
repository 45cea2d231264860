//! Content by BDAT: it is whole and as it was sent, or refused; whatever it holds, no octet of it is
//! run as a command, and the session is in step behind it.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::reply::Reply;
use posthouse_smtp::server::settings::{LoginRule, Settings};
use posthouse_smtp::server::{Channel, Event, Fault, ServerSession};

/// Octets of a content, at most.
const LIMIT: usize = 60;

fuzz_target!(|input: &[u8]| {
    let Some((size, rest)) = input.split_first() else { return };
    // A 0xFF ends a chunk.
    let chunks: Vec<&[u8]> = rest.split(|octet| *octet == 0xff).collect();
    let mut wire = b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\n".to_vec();
    for (index, chunk) in chunks.iter().enumerate() {
        let last = if index + 1 == chunks.len() { " LAST" } else { "" };
        wire.extend_from_slice(format!("BDAT {}{last}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
    }
    wire.extend_from_slice(b"RSET\r\nHELP\r\n");
    let whole = run(&wire, wire.len());
    assert_eq!(run(&wire, usize::from(*size).max(1)), whole);
    assert_eq!(run(&wire, 1), whole);
    let content = chunks.concat();
    assert_eq!(whole.message.as_deref(), is_fine(&chunks).then_some(&content[..]));
    assert_eq!(whole.message.is_some(), whole.fault.is_none() && !whole.closed);
    assert!(whole.closed || whole.last_reply.starts_with("214 "), "out of step: {whole:?}");
});

fn is_fine(chunks: &[&[u8]]) -> bool {
    let content = chunks.concat();
    let mut lines = content.split(|octet| *octet == b'\n').peekable();
    let mut bare = false;
    while let Some(line) = lines.next() {
        // Before each LF stands a CR, and no other CR anywhere.
        let line = if lines.peek().is_some() { line.strip_suffix(b"\r") } else { Some(line) };
        bare |= line.is_none_or(|line| line.contains(&b'\r'));
    }
    !bare && content.len() <= LIMIT
}

#[derive(Debug, Default, PartialEq)]
struct Told {
    message: Option<Vec<u8>>,
    fault: Option<Fault>,
    last_reply: String,
    closed: bool,
}

fn run(wire: &[u8], size: usize) -> Told {
    let mut settings = Settings { login: LoginRule::Optional, ..Settings::new("relay.test") };
    settings.limits.message_size = LIMIT as u64;
    (settings.limits.errors, settings.limits.commands) = (u32::MAX, u32::MAX);
    let mut session = ServerSession::new(Arc::new(settings), Channel::Plaintext);
    let (mut told, mut content) = (Told::default(), Vec::new());
    for piece in wire.chunks(size) {
        session.receive(piece);
        loop {
            match session.advance(&mut content) {
                Event::NeedInput => break,
                Event::Closed => {
                    told.closed = true;
                    break;
                }
                Event::Content | Event::Abandoned => {}
                Event::Spoiled(fault) => assert_eq!(told.fault.replace(fault), None),
                Event::ContentEnds => {
                    assert_eq!(told.message.replace(content.clone()), None);
                    session.finish(Reply::new(250, None, "ok"));
                }
                Event::Mail(_) | Event::Recipient(_) => session.accept(),
                Event::ContentStarts { chunked } => {
                    assert!(chunked);
                    session.accept();
                }
                other => panic!("run as a command: {other:?}"),
            }
        }
        if told.closed {
            break;
        }
    }
    let output = String::from_utf8_lossy(session.output()).into_owned();
    told.last_reply = output.lines().last().unwrap_or_default().to_owned();
    told
}
