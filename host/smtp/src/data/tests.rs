//! Content, against a naive model that sees all octets at once.

use super::{DataDecoder, Newline, NewlineCheck, Progress, Stuffer};

/// What the rules say of `octets`: the content, the fault, and how many octets belong to it.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    content: Vec<u8>,
    fault: Option<Newline>,
    taken: Option<usize>,
}

/// The model: split at CRLF (as if one stood before), a line of one dot ends, a leading dot goes.
fn model(octets: &[u8]) -> Reading {
    let (mut content, mut fault, mut at) = (Vec::new(), None, 0);
    loop {
        let Some(end) = octets[at..].windows(2).position(|pair| pair == b"\r\n") else {
            return Reading { content, fault, taken: None };
        };
        let line = &octets[at..at + end];
        at += end + 2;
        if line == b"." {
            return Reading { content, fault, taken: Some(at) };
        }
        fault = fault.or_else(|| match line.iter().find(|octet| matches!(octet, b'\r' | b'\n')) {
            Some(b'\r') => Some(Newline::BareCr),
            Some(_) => Some(Newline::BareLf),
            None => None,
        });
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        content.extend_from_slice(b"\r\n");
    }
}

fn decoded(pieces: &[&[u8]]) -> Reading {
    let (mut decoder, mut content, mut fault, mut before) = (DataDecoder::default(), Vec::new(), None, 0);
    for piece in pieces {
        let mut at = 0;
        loop {
            let (taken, progress) = decoder.decode(&piece[at..], &mut content);
            at += taken;
            match progress {
                Progress::More => break,
                Progress::Spoiled(newline) => assert_eq!(fault.replace(newline), None, "said once"),
                Progress::End => return Reading { content, fault, taken: Some(before + at) },
            }
        }
        assert_eq!(at, piece.len());
        before += at;
    }
    Reading { content, fault, taken: None }
}

fn strings(alphabet: &[u8], longest: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..=longest).flat_map(move |length| {
        (0..alphabet.len().pow(u32::try_from(length).unwrap_or(0))).map(move |mut number| {
            let mut string = Vec::with_capacity(length);
            for _ in 0..length {
                string.push(alphabet[number % alphabet.len()]);
                number /= alphabet.len();
            }
            string
        })
    })
}

#[test]
fn every_short_string_in_every_cut_is_read_as_the_model_reads_it() {
    for mut octets in strings(b"\r\n.a", 7) {
        octets.extend_from_slice(b"\r\n.\r\nNEXT");
        let expected = model(&octets);
        let whole = decoded(&[&octets]);
        assert_eq!((whole.taken, whole.fault), (expected.taken, expected.fault), "{octets:?}");
        if expected.fault.is_none() {
            assert_eq!(whole.content, expected.content, "{octets:?}");
        }
        for cut in 1..octets.len() {
            let (one, two) = octets.split_at(cut);
            assert_eq!(decoded(&[one, two]), whole, "{octets:?} cut at {cut}");
        }
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(decoded(&single), whole, "{octets:?}");
    }
}

#[test]
fn nothing_but_the_true_end_ends_the_content() {
    for smuggled in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n", "\r\n\0.\r\n", "\r\n.\r\r\n"] {
        let octets = format!("a{smuggled}MAIL FROM:<x@example.com>\r\n.\r\n");
        assert_eq!(decoded(&[octets.as_bytes()]).taken, Some(octets.len()), "{smuggled:?}");
    }
}

#[test]
fn stuffing_and_decoding_give_the_content_back() {
    for lines in strings(b".a\n", 6) {
        let content: Vec<u8> =
            lines.iter().flat_map(|octet| if *octet == b'\n' { b"\r\n".to_vec() } else { vec![*octet] }).collect();
        for cut in 0..=content.len() {
            let (mut stuffer, mut wire) = (Stuffer::default(), Vec::new());
            stuffer.stuff(&content[..cut], &mut wire);
            stuffer.stuff(&content[cut..], &mut wire);
            stuffer.finish(&mut wire);
            let reading = decoded(&[&wire]);
            let mut expected = content.clone();
            if !content.is_empty() && !content.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            assert_eq!(reading, Reading { content: expected, fault: None, taken: Some(wire.len()) }, "{content:?}");
        }
    }
}

#[test]
fn chunks_are_checked_over_their_edges() {
    for octets in strings(b"\r\na", 7) {
        let whole = {
            let mut check = NewlineCheck::default();
            check.check(&octets).or_else(|| check.at_end())
        };
        let mut rest = String::from_utf8_lossy(&octets).replace("\r\n", "");
        rest.retain(|character| matches!(character, '\r' | '\n'));
        assert_eq!(whole.is_some(), !rest.is_empty(), "{octets:?}");
        for cut in 0..=octets.len() {
            let mut check = NewlineCheck::default();
            let pieces = check.check(&octets[..cut]).or_else(|| check.check(&octets[cut..])).or_else(|| check.at_end());
            assert_eq!(pieces, whole, "{octets:?} cut at {cut}");
        }
    }
}
