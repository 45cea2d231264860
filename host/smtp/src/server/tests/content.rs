//! DATA.

use super::transcript::{check, open, run_octets};
use crate::server::{Event, Fault};

const HEAD: &str = "
    S: 220 ..
    C: EHLO x
    S: 250-..
    C: MAIL FROM:<a@example.com>
    S: 250 ..
    C: RCPT TO:<b@example.com>
    S: 250 ..
    C: DATA
    S: 354 end with <CRLF>.<CRLF>
";

#[test]
fn a_message_is_taken_without_its_dots_and_the_next_one_may_come() {
    check(
        &open(),
        &format!(
            "{HEAD}
             C: Subject: x
             C:
             C: ..stuffed
             C: .not stuffed
             C: ..
             C: dots. within...
             C: .
             - message \"Subject: x\\r\\n\\r\\n.stuffed\\r\\nnot stuffed\\r\\n.\\r\\ndots. within...\\r\\n\"
             S: 250 2.0.0 delivered
             C: DATA
             S: 503 5.5.1 MAIL first
             C: MAIL FROM:<>
             S: 250 2.1.0 .."
        ),
    );
}

#[test]
fn an_empty_message_is_one() {
    check(&open(), &format!("{HEAD}\nC: .\n- message \"\"\nS: 250 2.0.0 delivered\nC: NOOP\nS: 250 .."));
}

#[test]
fn whatever_becomes_of_a_message_is_said_behind_it() {
    for code in [250, 451, 550] {
        check(
            &open(),
            &format!(
                "S: 220 ..
                 C: EHLO x
                 S: 250-..
                 C: MAIL FROM:<a@example.com>
                 S: 250 ..
                 C: RCPT TO:<undelivered-{code}@example.com>
                 S: 250 ..
                 C: DATA
                 S: 354 ..
                 C: x
                 C: .
                 - message \"x\\r\\n\"
                 S: {code} no
                 C: MAIL FROM:<a@example.com>
                 S: 250 .."
            ),
        );
    }
}

#[test]
fn content_may_be_refused_before_it_comes() {
    check(
        &open(),
        "S: 220 ..
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: RCPT TO:<unwanted-452@example.com>
         S: 250 ..
         C: DATA
         S: 452 no
         C: RCPT TO:<b@example.com>
         S: 250 ..
         C: DATA
         S: 354 ..",
    );
}

#[test]
fn commands_within_a_message_are_content() {
    check(
        &open(),
        &format!(
            "{HEAD}
             C: QUIT
             C: RSET
             C: .QUIT
             C: .
             - message \"QUIT\\r\\nRSET\\r\\nQUIT\\r\\n\"
             S: 250 2.0.0 delivered
             C: QUIT
             S: 221 ..
             - closed"
        ),
    );
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_a_message() {
    for (soup, newline) in [
        (r"a\n.\n", "Lf"),
        (r"a\n.\r\n", "Lf"),
        (r"a\r\n.\n", "Lf"),
        (r"a\r.\r", "Cr"),
        (r"a\r\n.\r", "Cr"),
        (r"a\r.\r\n", "Cr"),
        (r"a\r\n.\r\r\n", "Cr"),
        (r"\n", "Lf"),
        (r"\r", "Cr"),
        (r".\n", "Lf"),
        (r".\r.\r\n", "Cr"),
    ] {
        let upper = newline.to_uppercase();
        check(
            &open(),
            &format!(
                "{HEAD}
                 C: {soup}MAIL FROM:<smuggled@example.com>
                 - spoiled by Bare{newline}
                 C: RCPT TO:<smuggled@example.com>
                 C: DATA
                 C: .
                 S: 550 5.6.11 bare {upper} in the message
                 C: NOOP
                 S: 250 2.0.0 ok"
            ),
        );
    }
}

#[test]
fn every_octet_but_bare_newlines_is_kept() {
    let octets: Vec<u8> = (0..=255).filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    let content = [&octets[..], b"\r\n", &[b'x'; 3000], b"\r\n"].concat();
    let head = b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\n";
    let sent = [&head[..], &content, b".\r\n"].concat();
    for size in [1, 3, 100, sent.len()] {
        let pieces: Vec<&[u8]> = sent.chunks(size).collect();
        assert_eq!(run_octets(&open(), &pieces).messages, [&content[..]]);
    }
}

#[test]
fn sizes_are_counted_and_not_believed() {
    let mut settings = open();
    settings.limits.message_size = 10;
    let head = "
        S: 220 ..
        C: EHLO x
        S: 250-..
        C: MAIL FROM:<a@example.com> SIZE=11
        S: 552 5.3.4 message too big
        C: MAIL FROM:<a@example.com> SIZE=1
        S: 250 ..
        C: RCPT TO:<b@example.com>
        S: 250 ..
        C: DATA
        S: 354 ..
    ";
    check(&settings, &format!("{head}\nC: ..1234567\nC: .\n- message \".1234567\\r\\n\"\nS: 250 2.0.0 delivered"));
    check(
        &settings,
        &format!(
            "{head}
             C: 123456789
             - spoiled by TooBig
             C: and more, with a bare \\n one
             C: .
             S: 552 5.3.4 message too big
             C: MAIL FROM:<a@example.com>
             S: 250 .."
        ),
    );
}

#[test]
fn the_first_fault_is_the_one_that_is_said() {
    let head = "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\n";
    let told = run_octets(&open(), &[format!("{head}a\nb\rc\r\n.\r\n").as_bytes()]);
    assert!(told.events.ends_with(&[Event::Spoiled(Fault::BareLf)]));
    assert_eq!(told.replies().last(), Some(&"550 5.6.11 bare LF in the message"));
}
