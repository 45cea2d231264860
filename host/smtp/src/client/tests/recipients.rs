//! Several recipients: all of them, or nobody; and questions about recipients.

use super::transcript::{PLAIN, PROVIDER, WITHOUT_CHUNKING, check};

const THREE: &str = "
    A: send app@example.com one@example.org,two@example.org,three@example.org bdat=25
    C: MAIL FROM:<app@example.com>
    C: RCPT TO:<one@example.org>
    C: RCPT TO:<two@example.org>
    C: RCPT TO:<three@example.org>
    ";

#[test]
fn content_waits_until_all_are_accepted() {
    check(
        PROVIDER,
        &format!(
            "{THREE}
            A: phase none
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 251 2.1.5 Will forward
            S: 252 2.1.5 Will try
            E: recipients accepted
            A: phase none
            A: bdat 25
            C: BDAT 25 LAST
            A: phase some
            S: 250 2.0.0 Delivered
            E: answered Content 250 2.0.0 Delivered [250 251 252] by Server
            "
        ),
    );
}

#[test]
fn content_may_be_sent_with_data_all_the_same() {
    check(
        WITHOUT_CHUNKING,
        &format!(
            "{THREE}
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 250 2.1.5 OK
            S: 250 2.1.5 OK
            E: recipients accepted
            A: data
            C: DATA
            S: 354 Go ahead
            E: go ahead
            A: content sent
            S: 250 2.0.0 Delivered
            E: answered Content 250 2.0.0 Delivered [250 250 250] by Server
            "
        ),
    );
}

#[test]
fn when_one_is_refused_nobody_gets_it_and_the_session_goes_on() {
    check(
        PROVIDER,
        &format!(
            "{THREE}
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 550 5.1.1 No such user
            S: 450 4.2.1 Too quick
            E: answered RcptTo 550 5.1.1 No such user [250 550 450] by Server
            A: send app@example.com one@example.org bdat=25
            C: RSET
            C: MAIL FROM:<app@example.com>
            C: RCPT TO:<one@example.org>
            S: 250 2.0.0 Reset
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            E: recipients accepted
            A: bdat 25
            C: BDAT 25 LAST
            S: 250 2.0.0 Delivered
            E: answered Content 250 2.0.0 Delivered [250] by Server
            A: send app@example.com one@example.org bdat=25
            C: MAIL FROM:<app@example.com>
            C: RCPT TO:<one@example.org>
            C: BDAT 25 LAST
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 250 2.0.0 Delivered
            E: answered Content 250 2.0.0 Delivered [250] by Server
            "
        ),
    );
}

#[test]
fn when_the_sender_is_refused_what_is_said_of_the_recipients_is_nothing() {
    check(
        PROVIDER,
        &format!(
            "{THREE}
            S: 451 4.3.0 Later
            S: 503 5.5.1 MAIL first
            S: 503 5.5.1 MAIL first
            S: 503 5.5.1 MAIL first
            E: answered MailFrom 451 4.3.0 Later [] by Server
            "
        ),
    );
}

#[test]
fn a_server_that_closes_among_the_recipients_leaves_the_others_unanswered() {
    check(
        PROVIDER,
        &format!(
            "{THREE}
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 421 4.7.0 Closing
            E: answered RcptTo 421 4.7.0 Closing [250 421] by Server (not reusable)
            "
        ),
    );
}

#[test]
fn a_server_that_closes_instead_of_hearing_the_content_is_heard() {
    check(
        PROVIDER,
        &format!(
            "{THREE}
            S: 250 2.1.0 OK
            S: 250 2.1.5 OK
            S: 250 2.1.5 OK
            S: 250 2.1.5 OK
            E: recipients accepted
            S: 421 4.4.2 Too slow
            E: answered Data 421 4.4.2 Too slow [250 250 250] by Server (not reusable)
            "
        ),
    );
}

#[test]
fn without_pipelining_all_recipients_are_still_asked() {
    check(
        PLAIN,
        "
        A: send app@example.com one@example.org,two@example.org
        C: MAIL FROM:<app@example.com>
        S: 250 OK
        C: RCPT TO:<one@example.org>
        S: 550 5.1.1 No such user
        C: RCPT TO:<two@example.org>
        S: 250 OK
        E: answered RcptTo 550 5.1.1 No such user [550 250] by Server
        ",
    );
}

#[test]
fn recipients_are_asked_about_in_one_round_trip() {
    check(
        PROVIDER,
        "
        A: probe app@example.com one@example.org,two@example.org
        C: MAIL FROM:<app@example.com>
        C: RCPT TO:<one@example.org>
        C: RCPT TO:<two@example.org>
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        S: 550 5.1.1 No such user
        E: answered RcptTo 550 5.1.1 No such user [250 550] by Server
        A: probe <> one@example.org
        C: RSET
        C: MAIL FROM:<>
        C: RCPT TO:<one@example.org>
        S: 250 2.0.0 Reset
        S: 250 2.1.0 OK
        S: 250 2.1.5 Known
        E: answered RcptTo 250 2.1.5 Known [250] by Server
        ",
    );
}

#[test]
fn a_refused_sender_is_the_answer_to_a_question() {
    check(
        PROVIDER,
        "
        A: probe app@example.com one@example.org
        C: MAIL FROM:<app@example.com>
        C: RCPT TO:<one@example.org>
        S: 550 5.7.60 Not you
        S: 503 5.5.1 MAIL first
        E: answered MailFrom 550 5.7.60 Not you [] by Server
        ",
    );
}

/// A transcript of so many recipients, sent in batches of this size at first.
fn crowd(recipients: usize, window: usize) -> String {
    let names: Vec<String> = (0..recipients).map(|number| format!("r{number}@example.org")).collect();
    let mut lines = vec![format!("A: send app@example.com {} bdat=5", names.join(","))];
    let mut commands = vec!["C: MAIL FROM:<app@example.com>".to_owned()];
    commands.extend(names.iter().map(|name| format!("C: RCPT TO:<{name}>")));
    lines.extend_from_slice(&commands[..window.min(commands.len())]);
    for index in 0..commands.len() {
        lines.push("S: 250 2.1.5 OK".to_owned());
        lines.extend(commands.get(index + window).cloned());
    }
    lines.push("E: recipients accepted".to_owned());
    lines.join("\n")
}

#[test]
fn a_crowd_of_recipients_is_not_sent_faster_than_it_is_answered() {
    check(PROVIDER, &crowd(199, 200));
    check(PROVIDER, &crowd(500, 200));
    check(PLAIN, &crowd(20, 1));
}

#[test]
fn a_crowd_is_not_introduced_after_its_sender_was_refused() {
    let crowd = crowd(300, 200);
    let asked = &crowd[..crowd.find("S:").expect("an answer")];
    let replies = "S: 503 5.5.1 MAIL first\n".repeat(199);
    check(
        PROVIDER,
        &format!(
            "{asked}
            S: 550 5.1.0 Not you
            {replies}
            E: answered MailFrom 550 5.1.0 Not you [] by Server
            "
        ),
    );
}
