//! Lines of commands: a session tells them apart as a model does that sees all octets at once; no cut,
//! no length and no CR or LF that stands alone makes two commands of one line.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::command::Command;
use posthouse_smtp::server::settings::Settings;
use posthouse_smtp::server::{Channel, Event, ServerSession};

/// Octets of a line with its end, at most.
const LIMIT: usize = 24;

fuzz_target!(|input: &[u8]| {
    let Some((size, octets)) = input.split_first() else { return };
    let expected = model(octets);
    for size in [octets.len().max(1), usize::from(*size).max(1), 1] {
        assert_eq!(codes(octets, size)[..], expected[..]);
    }
});

/// The codes that the session answers, until a command that does more than be answered.
fn codes(octets: &[u8], size: usize) -> Vec<u16> {
    let mut settings = Settings::new("relay.test");
    (settings.limits.command_line, settings.limits.auth_line) = (LIMIT, LIMIT);
    (settings.limits.errors, settings.limits.commands) = (u32::MAX, u32::MAX);
    let mut session = ServerSession::new(Arc::new(settings), Channel::Plaintext);
    let end = octets.len() - rest_of(octets).len();
    session.output().clear();
    for piece in octets[..end].chunks(size) {
        session.receive(piece);
        match session.advance(&mut Vec::new()) {
            Event::NeedInput => {}
            Event::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    let output = String::from_utf8(std::mem::take(session.output())).expect("text");
    output.lines().map(|line| line[..3].parse().expect("a code")).collect()
}

/// What one line is.
enum Line<'a> {
    /// It has not ended.
    Partial,
    TooLong,
    Bare,
    Whole(&'a [u8]),
}

/// The next line and what stands behind it.
fn next(octets: &[u8]) -> (Line<'_>, &[u8]) {
    let Some(at) = octets.iter().position(|octet| matches!(octet, b'\r' | b'\n')).filter(|at| *at <= LIMIT) else {
        return (if octets.len() > LIMIT { Line::TooLong } else { Line::Partial }, octets);
    };
    match (octets[at], octets.get(at + 1)) {
        (b'\r', None) => (Line::Partial, octets),
        (b'\r', Some(b'\n')) if at + 2 <= LIMIT => (Line::Whole(&octets[..at]), &octets[at + 2..]),
        (b'\r', Some(b'\n')) => (Line::TooLong, octets),
        _ => (Line::Bare, octets),
    }
}

/// What stands behind the line that was too long; nothing where it has no end.
fn skip(octets: &[u8]) -> (Line<'_>, &[u8]) {
    let Some(at) = octets.iter().position(|octet| matches!(octet, b'\r' | b'\n')) else { return (Line::Partial, b"") };
    match (octets[at], octets.get(at + 1)) {
        (b'\r', None) => (Line::Partial, b""),
        (b'\r', Some(b'\n')) => (Line::TooLong, &octets[at + 2..]),
        _ => (Line::Bare, octets),
    }
}

fn model(octets: &[u8]) -> Vec<u16> {
    let (mut codes, mut rest) = (Vec::new(), octets);
    loop {
        let (line, behind) = next(rest);
        rest = behind;
        match line {
            Line::Partial => return codes,
            Line::Bare => {
                codes.push(500);
                return codes;
            }
            Line::TooLong => {
                codes.push(500);
                let (end, behind) = skip(rest);
                rest = behind;
                match end {
                    Line::Bare => codes.push(500),
                    Line::TooLong => continue,
                    Line::Partial | Line::Whole(_) => {}
                }
                return codes;
            }
            Line::Whole(line) => match answered(line) {
                Some(code) => codes.push(code),
                None => return codes,
            },
        }
    }
}

/// What stands behind the last line that the model answers.
fn rest_of(octets: &[u8]) -> &[u8] {
    let mut rest = octets;
    loop {
        match next(rest) {
            (Line::Whole(line), _) if answered(line).is_none() => return rest,
            (Line::Whole(_), behind) => rest = behind,
            (Line::TooLong, behind) => match skip(behind) {
                (Line::TooLong, behind) => rest = behind,
                _ => return b"",
            },
            (Line::Partial | Line::Bare, _) => return b"",
        }
    }
}

/// The reply to a command before EHLO; none where it would change the session.
fn answered(line: &[u8]) -> Option<u16> {
    match Command::parse(line) {
        Err(error) => Some(error.reply().code()),
        Ok(Command::Noop | Command::Rset) => Some(250),
        Ok(Command::Vrfy) => Some(252),
        Ok(Command::Help) => Some(214),
        Ok(Command::Mail(_) | Command::Rcpt(_) | Command::Data) => Some(503),
        Ok(Command::Expn | Command::StartTls | Command::Auth { .. } | Command::XClient(_)) => Some(502),
        Ok(Command::Helo(_) | Command::Ehlo(_) | Command::Bdat { .. } | Command::Quit) => None,
    }
}
