//! Replies as servers send them, and what is none; each in one piece and octet by octet.

use super::{ReplyError, ReplyReader};
use crate::reply::{EnhancedCode, Reply};

/// All replies in `input`, which comes in pieces of this size, or what is wrong with it.
fn read_in_pieces(input: &[u8], size: usize) -> Result<Vec<Reply>, ReplyError> {
    let (mut reader, mut replies) = (ReplyReader::default(), Vec::new());
    for piece in input.chunks(size) {
        let mut at = 0;
        while at < piece.len() {
            let (taken, reply) = reader.read(&piece[at..])?;
            at += taken;
            replies.extend(reply);
        }
    }
    assert_eq!(reader.is_midway(), !input.ends_with(b"\r\n"));
    Ok(replies)
}

fn read(input: &[u8]) -> Result<Vec<Reply>, ReplyError> {
    let whole = read_in_pieces(input, input.len());
    for size in [1, 2, 7] {
        assert_eq!(read_in_pieces(input, size), whole, "{:?}", String::from_utf8_lossy(input));
    }
    whole
}

#[test]
fn a_reply_ends_with_its_last_line() {
    let octets = b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  see help - gsmtp\r\n250 next\r\n";
    let replies = read(octets).unwrap();
    assert_eq!((replies[0].code(), replies[0].enhanced()), (535, Some(EnhancedCode::new(5, 7, 8))));
    assert_eq!(replies[0].text(), "Username and Password not accepted.\n see help - gsmtp");
    assert_eq!(replies[1..], [Reply::new(250, None, "next")]);
}

#[test]
fn an_enhanced_code_may_stand_on_some_of_the_lines() {
    for octets in [&b"550-5.7.1 blocked\r\n550 see help\r\n"[..], b"550-blocked\r\n550 5.7.1 see help\r\n"] {
        let replies = read(octets).unwrap();
        assert_eq!(replies, [Reply::new(550, EnhancedCode::new(5, 7, 1), "blocked\nsee help")]);
    }
    let replies = read(b"550-5.7.1 blocked\r\n550 5.1.1 unknown\r\n").unwrap();
    assert_eq!(replies, [Reply::new(550, EnhancedCode::new(5, 7, 1), "blocked\n5.1.1 unknown")]);
}

#[test]
fn a_code_alone_is_a_reply_and_a_foreign_enhanced_code_is_text() {
    assert_eq!(read(b"354\r\n").unwrap(), [Reply::new(354, None, "")]);
    assert_eq!(read(b"250 5.1.1 odd\r\n").unwrap(), [Reply::new(250, None, "5.1.1 odd")]);
    assert_eq!(read(b"250 2.0.0\r\n").unwrap(), [Reply::new(250, EnhancedCode::new(2, 0, 0), "")]);
}

#[test]
fn what_could_harm_a_terminal_or_is_not_utf_8_is_replaced() {
    let replies = read(b"250 a\x1b[31m\tb\xff\x7f\r\n").unwrap();
    assert_eq!(replies, [Reply::new(250, None, "a?[31m?b\u{fffd}?")]);
}

#[test]
fn nonsense_is_an_error() {
    for (octets, error) in [
        (&b"hello\r\n"[..], ReplyError::BadCode),
        (b"25\r\n", ReplyError::BadCode),
        (b"150 x\r\n", ReplyError::BadCode),
        (b"650 x\r\n", ReplyError::BadCode),
        (b"+50 x\r\n", ReplyError::BadCode),
        (b"\r\n", ReplyError::BadCode),
        (b"250x\r\n", ReplyError::BadSeparator),
        (b"2500 x\r\n", ReplyError::BadSeparator),
        (b"250\tx\r\n", ReplyError::BadSeparator),
        (b"250 x\n", ReplyError::BareLf),
        (b"250 x\ry\r\n", ReplyError::BareCr),
        (b"250 x\r\r\n", ReplyError::BareCr),
        (b"250 x\0\r\n", ReplyError::Nul),
        (b"250-x\r\n550 y\r\n", ReplyError::MixedCodes),
        (b"250-x\r\n251 y\r\n", ReplyError::MixedCodes),
    ] {
        assert_eq!(read(octets), Err(error), "{:?}", String::from_utf8_lossy(octets));
    }
}

#[test]
fn the_longest_line_is_read_and_a_longer_one_is_not() {
    let line = |octets: usize| format!("250 {}\r\n", "x".repeat(octets - 6)).into_bytes();
    assert_eq!(read(&line(2048)).unwrap().len(), 1);
    assert_eq!(read(&line(2049)), Err(ReplyError::LineTooLong));
    assert_eq!(read(&[b'2'; 2048]), Err(ReplyError::LineTooLong));
}

#[test]
fn a_reply_without_end_is_cut_off() {
    let lines = |count: usize| [b"250-x\r\n".repeat(count - 1), b"250 x\r\n".to_vec()].concat();
    assert_eq!(read(&lines(100)).unwrap().len(), 1);
    assert_eq!(read(&lines(101)), Err(ReplyError::ReplyTooLong));
    let long = format!("250-{}\r\n", "x".repeat(2000)).repeat(9);
    assert_eq!(read(long.as_bytes()), Err(ReplyError::ReplyTooLong));
}

#[test]
fn nothing_is_kept_of_a_long_line() {
    let mut reader = ReplyReader::default();
    for octet in format!("250 {}\r\n", "x".repeat(2000)).bytes() {
        reader.read(&[octet]).unwrap();
    }
    assert!(!reader.is_midway());
    assert_eq!(reader.line.capacity(), 0);
}
