//! BDAT (RFC 3030).

use super::transcript::{check, open, run_octets};

const HEAD: &str = "
    S: 220 ..
    C: EHLO x
    S: 250-..
    C: MAIL FROM:<a@example.com>
    S: 250 ..
    C: RCPT TO:<b@example.com>
    S: 250 ..
";

#[test]
fn chunks_make_a_message_wherever_their_edges_are() {
    check(
        &open(),
        &format!(
            r#"{HEAD}
             C: BDAT 3
             C+ a\r\n
             S: 250 2.0.0 chunk taken
             C: BDAT 0
             S: 250 2.0.0 chunk taken
             C: BDAT 4
             C+ .\r\n\r
             S: 250 2.0.0 chunk taken
             C: BDAT 5 LAST
             C+ \nRSET
             - message "a\r\n.\r\n\r\nRSET"
             S: 250 2.0.0 delivered
             C: BDAT 4 LAST
             C+ RSET
             S: 503 5.5.1 MAIL first
             C: MAIL FROM:<a@example.com>
             S: 250 .."#
        ),
    );
}

#[test]
fn a_last_chunk_of_nothing_ends_a_message() {
    check(
        &open(),
        &format!(
            "{HEAD}
             C: BDAT 1
             C+ x
             S: 250 ..
             C: BDAT 0 LAST
             - message \"x\"
             S: 250 2.0.0 delivered"
        ),
    );
    check(&open(), &format!("{HEAD}\nC: BDAT 0 LAST\n- message \"\"\nS: 250 2.0.0 delivered"));
}

#[test]
fn chunks_at_the_wrong_time_are_skipped_and_never_run() {
    check(
        &open(),
        r"S: 220 ..
         C: BDAT 6
         C+ QUIT\r\n
         S: 503 5.5.1 MAIL first
         C: EHLO x
         S: 250-..
         C: MAIL FROM:<a@example.com>
         S: 250 ..
         C: BDAT 6 LAST
         C+ QUIT\r\n
         S: 503 5.5.1 RCPT first
         C: RCPT TO:<refused-550@example.com>
         S: 550 no
         C: BDAT 6 LAST
         C+ QUIT\r\n
         S: 554 5.5.1 no valid recipients
         C: RSET
         S: 250 ..
         - abandoned",
    );
}

#[test]
fn only_chunks_and_rset_follow_a_chunk() {
    check(
        &open(),
        &format!(
            "{HEAD}
             C: BDAT 1
             C+ x
             S: 250 ..
             C: DATA
             S: 503 5.5.1 only BDAT or RSET may follow BDAT
             C: RCPT TO:<c@example.com>
             S: 503 5.5.1 only BDAT or RSET may follow BDAT
             C: MAIL FROM:<c@example.com>
             S: 503 5.5.1 a transaction is open already
             C: BDAT one
             S: 501 5.5.4 chunk size expected
             C: RSET
             S: 250 ..
             - abandoned
             C: BDAT 1 LAST
             C+ x
             S: 503 5.5.1 MAIL first"
        ),
    );
}

#[test]
fn bare_newlines_spoil_a_message_even_over_the_edges_of_chunks() {
    for (chunks, newline) in [
        (&[("3", "a\\nb", true)][..], "Lf"),
        (&[("1", "\\n", true)], "Lf"),
        (&[("2", "a\\r", false), ("1", "b", true)], "Cr"),
        (&[("3", "a\\r\\n", false), ("1", "\\n", true)], "Lf"),
    ] {
        let mut transcript = HEAD.to_owned();
        for (size, octets, spoils) in chunks {
            transcript.push_str(&format!("C: BDAT {size}\nC+ {octets}\n"));
            let told = if *spoils {
                format!("- spoiled by Bare{newline}\nS: 550 5.6.11 bare {} in the message\n", newline.to_uppercase())
            } else {
                "S: 250 2.0.0 chunk taken\n".to_owned()
            };
            transcript.push_str(&told);
        }
        transcript.push_str(
            "C: BDAT 4 LAST
             C+ RSET
             S: 503 5.5.1 an earlier chunk was refused; RSET first
             C: RSET
             S: 250 2.0.0 flushed
             C: MAIL FROM:<a@example.com>
             S: 250 ..",
        );
        check(&open(), &transcript);
    }
}

#[test]
fn a_cr_at_the_very_end_is_bare() {
    check(
        &open(),
        &format!(
            "{HEAD}
             C: BDAT 2 LAST
             C+ a\\r
             - spoiled by BareCr
             S: 550 5.6.11 bare CR in the message
             C: MAIL FROM:<a@example.com>
             S: 250 .."
        ),
    );
}

#[test]
fn no_chunk_is_taken_behind_a_refused_first_one() {
    let head = HEAD.replace("<b@", "<unwanted-452@");
    check(
        &open(),
        &format!(
            "{head}
             C: BDAT 4
             C+ QUIT
             S: 452 no
             - abandoned
             C: BDAT 4 LAST
             C+ QUIT
             S: 503 5.5.1 an earlier chunk was refused; RSET first
             C: RSET
             S: 250 2.0.0 flushed"
        ),
    );
    check(
        &open(),
        &format!("{head}\nC: BDAT 4 LAST\nC+ QUIT\nS: 452 no\n- abandoned\nC: MAIL FROM:<a@example.com>\nS: 250 .."),
    );
}

#[test]
fn chunks_are_bounded_one_by_one_and_together() {
    let mut settings = open();
    settings.limits.message_size = 10;
    check(
        &settings,
        &format!(
            "{HEAD}
             C: BDAT 9
             C+ 123456789
             S: 250 ..
             C: BDAT 2
             - spoiled by TooBig
             C+ ab
             S: 552 5.3.4 message too big
             C: BDAT 1 LAST
             C+ x
             S: 503 5.5.1 an earlier chunk was refused; RSET first
             C: RSET
             S: 250 .."
        ),
    );
    for absurd in ["11", "18446744073709551615"] {
        check(&settings, &format!("{HEAD}\nC: BDAT {absurd}\nS: 552 5.3.4 message too big\n- abandoned\n- closed"));
    }
}

#[test]
fn many_chunks_are_no_idle_talk_but_empty_ones_are() {
    let head = "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\n";
    let told = run_octets(&open(), &[format!("{head}{}BDAT 0 LAST\r\n", "BDAT 1\r\nx".repeat(300)).as_bytes()]);
    assert_eq!(told.messages, [[b'x'; 300]]);
    let told = run_octets(&open(), &[format!("{head}{}", "BDAT 0\r\n".repeat(300)).as_bytes()]);
    assert_eq!(told.replies().last(), Some(&"421 4.7.0 too many commands without a message; closing"));
}
