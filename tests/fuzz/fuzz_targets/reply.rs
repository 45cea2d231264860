//! Replies of any server: every cut of the same octets is read alike, within the limits, and what was
//! read can be written so that others read it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::reply::Reply;
use posthouse_smtp::reply_reader::{ReplyError, ReplyReader};

fuzz_target!(|input: &[u8]| {
    let Some((size, octets)) = input.split_first() else { return };
    let whole = read(octets, octets.len().max(1));
    assert_eq!(read(octets, usize::from(*size).max(1)), whole);
    assert_eq!(read(octets, 1), whole);
    for reply in &whole.0 {
        assert!((200..600).contains(&reply.code()));
        assert!(!reply.text().chars().any(|character| character.is_control() && character != '\n'));
        let mut written = Vec::new();
        reply.write_to(&mut written);
        // A challenge is one base64 text, which cannot be broken.
        let longest = if reply.code() == 334 { 12_288 } else { 512 };
        assert!(written.split_inclusive(|octet| *octet == b'\n').all(|line| line.len() <= longest));
        match read(&written, written.len()) {
            (again, None) => assert_eq!(again.iter().map(Reply::code).collect::<Vec<_>>(), [reply.code()]),
            // Long lines are broken, so that there may be more of them; or bear one code more.
            (_, Some(ReplyError::LineTooLong)) if reply.code() == 334 => {}
            (_, error) => assert_eq!(error, Some(ReplyError::ReplyTooLong)),
        }
    }
});

/// The replies up to the first error, in pieces of this size.
fn read(octets: &[u8], size: usize) -> (Vec<Reply>, Option<ReplyError>) {
    let (mut reader, mut replies) = (ReplyReader::default(), Vec::new());
    for piece in octets.chunks(size) {
        let mut at = 0;
        while at < piece.len() {
            match reader.read(&piece[at..]) {
                Ok((taken, reply)) => {
                    assert!(taken > 0 && (reply.is_some() || at + taken == piece.len()));
                    at += taken;
                    replies.extend(reply);
                }
                Err(error) => return (replies, Some(error)),
            }
        }
    }
    (replies, None)
}
