//! Digests, by what they tell apart.

use std::collections::HashSet;

use super::{BodyDigest, Digest, body_digest, digest};

#[test]
fn contents_that_differ_in_one_bit_have_digests_that_differ_in_about_half() {
    let content: Vec<u8> = (0..100_u8).collect();
    let mut seen = HashSet::from([digest(&content)]);
    for at in 0..800 {
        let mut other = content.clone();
        other[at / 8] ^= 1 << (at % 8);
        let changed = (digest(&content) ^ digest(&other)).count_ones();
        assert!((30..98).contains(&changed), "bit {at} changes {changed} bits");
        assert!(seen.insert(digest(&other)));
    }
}

#[test]
fn zeros_at_the_end_count() {
    let zeros = [0; 64];
    let digests: HashSet<u128> = (0..64).map(|length| digest(&zeros[..length])).collect();
    assert_eq!(digests.len(), 64);
}

#[test]
fn the_body_is_what_follows_the_first_empty_line() {
    assert_eq!(body_digest(b"A: b\r\nC: d\r\n\r\ntext\r\n\r\nmore\r\n"), digest(b"text\r\n\r\nmore\r\n"));
    assert_eq!(body_digest(b"\r\ntext\r\n"), digest(b"text\r\n"));
    assert_eq!(body_digest(b"A: b\r\n"), digest(b""));
}

#[test]
fn it_does_not_matter_how_a_content_is_cut() {
    let content: Vec<u8> =
        b"A: b\r\nC: d\r\n\r\n".iter().copied().chain((0..200).map(|n: u8| n.wrapping_mul(37))).collect();
    for size in 1..50 {
        let (mut whole, mut body) = (Digest::default(), BodyDigest::default());
        for piece in content.chunks(size) {
            whole.update(piece);
            body.update(piece);
        }
        assert_eq!(whole.finish(), digest(&content), "pieces of {size}");
        assert_eq!(body.finish(), digest(&content[14..]), "pieces of {size}");
    }
}
