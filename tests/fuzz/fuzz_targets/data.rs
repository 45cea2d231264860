//! Content by DATA: read as a model reads it that sees all octets at once, however they are cut; and
//! what the sending side writes is read back as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::data::{DataDecoder, Newline, Progress, Stuffer};

fuzz_target!(|input: &[u8]| {
    let Some((size, octets)) = input.split_first() else { return };
    let whole = decoded(octets, octets.len().max(1));
    assert_eq!(decoded(octets, usize::from(*size).max(1)), whole);
    assert_eq!(decoded(octets, 1), whole);
    let ended = [octets, b"\r\n.\r\nMAIL"].concat();
    let read = decoded(&ended, ended.len());
    let expected = model(&ended);
    assert_eq!((read.taken, read.fault), (expected.taken, expected.fault));
    if read.fault.is_none() {
        assert_eq!(read.content, expected.content);
        sent_and_read_back(&read.content, usize::from(*size).max(1));
    }
});

/// Content without bare newlines comes back, but for the CRLF that it may have lacked.
fn sent_and_read_back(content: &[u8], size: usize) {
    let (mut stuffer, mut wire) = (Stuffer::default(), Vec::new());
    content.chunks(size).for_each(|piece| stuffer.stuff(piece, &mut wire));
    stuffer.finish(&mut wire);
    let read = decoded(&wire, wire.len());
    let mut expected = content.to_vec();
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        expected.extend_from_slice(b"\r\n");
    }
    assert_eq!(read, Reading { content: expected, fault: None, taken: Some(wire.len()) });
}

#[derive(Debug, PartialEq)]
struct Reading {
    content: Vec<u8>,
    fault: Option<Newline>,
    taken: Option<usize>,
}

fn decoded(octets: &[u8], size: usize) -> Reading {
    let (mut decoder, mut content, mut fault, mut taken) = (DataDecoder::default(), Vec::new(), None, 0);
    for piece in octets.chunks(size) {
        let mut rest = piece;
        loop {
            let (count, progress) = decoder.decode(rest, &mut content);
            rest = &rest[count..];
            taken += count;
            match progress {
                Progress::More => break assert!(rest.is_empty()),
                Progress::Spoiled(newline) => assert_eq!(fault.replace(newline), None),
                Progress::End => return Reading { content, fault, taken: Some(taken) },
            }
        }
    }
    // A CR whose LF has not come is not content yet.
    Reading { content, fault, taken: None }
}

/// Split at CRLF; a line of one dot ends; a leading dot goes; a CR or LF within a line is bare.
fn model(octets: &[u8]) -> Reading {
    let (mut content, mut fault, mut at) = (Vec::new(), None, 0);
    while let Some(end) = octets[at..].windows(2).position(|pair| pair == b"\r\n") {
        let line = &octets[at..at + end];
        at += end + 2;
        if line == b"." {
            return Reading { content, fault, taken: Some(at) };
        }
        fault = fault.or_else(|| match line.iter().find(|octet| matches!(octet, b'\r' | b'\n'))? {
            b'\r' => Some(Newline::BareCr),
            _ => Some(Newline::BareLf),
        });
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        content.extend_from_slice(b"\r\n");
    }
    Reading { content, fault, taken: None }
}
