//! Replies as servers send them, and what is none.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::{ReplyError, read};
use crate::reply::EnhancedCode;

#[test]
fn a_reply_is_read_when_its_last_line_is_there() {
    let octets = b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  see help - gsmtp\r\n250 next\r\n";
    for cut in 0..octets.len() - 10 {
        assert_eq!(read(&octets[..cut]), Ok(None));
    }
    let (reply, taken) = read(octets).unwrap().unwrap();
    assert_eq!(taken, octets.len() - 10);
    assert_eq!((reply.code(), reply.enhanced()), (535, Some(EnhancedCode::new(5, 7, 8))));
    assert_eq!(reply.text(), "Username and Password not accepted.\n see help - gsmtp");
}

#[test]
fn a_code_alone_is_a_reply_and_a_foreign_enhanced_code_is_text() {
    assert_eq!(read(b"354\r\n").unwrap().unwrap().0.code(), 354);
    let (reply, _) = read(b"250 5.1.1 odd\r\n").unwrap().unwrap();
    assert_eq!((reply.enhanced(), reply.text()), (None, "5.1.1 odd"));
    assert_eq!(read(b"250 2.0.0\r\n").unwrap().unwrap().0.text(), "");
}

#[test]
fn nonsense_is_an_error_at_once() {
    for (octets, error) in [
        (&b"hello\r\n"[..], ReplyError::Syntax),
        (b"25\r\n", ReplyError::Syntax),
        (b"250x\r\n", ReplyError::Syntax),
        (b"150 x\r\n", ReplyError::Syntax),
        (b"650 x\r\n", ReplyError::Syntax),
        (b"+50 x\r\n", ReplyError::Syntax),
        (b"\r\n", ReplyError::Syntax),
        (b"250 x\n", ReplyError::Octets),
        (b"250 x\ry\r\n", ReplyError::Octets),
        (b"250 x\0\r\n", ReplyError::Octets),
        (b"250-x\r\n550 y\r\n", ReplyError::MixedCodes),
    ] {
        assert_eq!(read(octets), Err(error), "{:?}", String::from_utf8_lossy(octets));
    }
}

#[test]
fn endless_replies_are_cut_off() {
    assert_eq!(read(&[b'2'; 5_000]), Err(ReplyError::TooLong));
    assert_eq!(read(&b"250-x\r\n".repeat(101)), Err(ReplyError::TooLong));
    let long = format!("250-{}\r\n", "x".repeat(4_000)).repeat(5);
    assert_eq!(read(long.as_bytes()), Err(ReplyError::TooLong));
}
