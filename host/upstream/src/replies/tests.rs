//! Tables: what an operator's rows change, what they cannot change, and what is wrong with them.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};

use super::unlisted::{MOST, Unlisted};
use super::{Answer, Replies, Table};
use crate::meaning::Meaning;
use crate::provider::ProviderKind::{Generic, Gmail, Outlook};
use crate::stage::Stage::{self, Auth, Connection, Content, Data, Ehlo, MailFrom, RcptTo, StartTls};
use crate::verdict::Clients;

fn reply(line: &str) -> Reply {
    let (code, rest) = line.split_once(' ').expect("a code and a text");
    let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    match first.parse::<EnhancedCode>() {
        Ok(enhanced) => Reply::new(code.parse().expect("a code"), enhanced, behind.to_owned()),
        Err(_) => Reply::new(code.parse().expect("a code"), None, rest.to_owned()),
    }
}

/// All that is wrong with a text, each with its line.
fn faults(text: &str) -> Vec<String> {
    let line = |offset: Option<usize>| text[..offset.unwrap_or(0)].matches('\n').count() + 1;
    let faults = Table::with_own(text).expect_err("something is wrong with it");
    faults.iter().map(|fault| format!("{}: {}: {}", line(fault.offset), fault.key, fault.reason)).collect()
}

fn fault(text: &str) -> String {
    let faults = faults(text);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].clone()
}

/// A row with these lines besides its name.
fn row(lines: &str) -> String {
    format!("[[row]]\nname = \"mine\"\n{lines}\n")
}

#[test]
fn the_shipped_table_is_without_a_fault() {
    assert!(Table::shipped().rows().count() > 50);
    assert_eq!(Table::with_own("").unwrap(), *Table::shipped());
}

#[test]
fn what_no_row_explains_is_judged_by_stage_and_severity() {
    let cases = [
        (Connection, "554 Go away", Some("no-service-here"), Meaning::Unwelcome),
        (Ehlo, "550 5.7.1 Access denied for your HELO", None, Meaning::Unwelcome),
        (StartTls, "501 5.5.4 No parameters", None, Meaning::Unwelcome),
        (Auth, "451 4.3.0 Directory unavailable", None, Meaning::LoginUnavailable),
        (Auth, "550 5.7.9 No", None, Meaning::LoginDisabled),
        (MailFrom, "451 4.9.9 Later", None, Meaning::Deferred),
        (RcptTo, "554 5.9.9 Never", None, Meaning::Refused),
        (Data, "451 Later", None, Meaning::Deferred),
        (Content, "354 Go on", None, Meaning::OutOfStep),
        (Content, "250 concurrent connections limit exceeded", None, Meaning::OutOfStep),
    ];
    for (stage, line, row, meaning) in cases {
        let reading = Table::shipped().read(Generic, stage, &reply(line));
        assert_eq!((reading.treatment.row.as_deref(), reading.meaning), (row, meaning), "{line}");
    }
}

#[test]
fn one_providers_rows_do_not_apply_to_another() {
    let quota = Table::shipped().read(Generic, Content, &reply("550 5.4.5 Routing loop"));
    assert_eq!(quota.meaning, Meaning::Refused);
    let blocked = Table::shipped().read(Gmail, RcptTo, &reply("550 5.1.8 Bad sender's system address"));
    assert_eq!(blocked.meaning, Meaning::Refused);
}

#[test]
fn an_operators_row_comes_before_the_shipped_ones() {
    let lines = "provider = \"gmail\"\nstage = \"content\"\ncode = 550\nenhanced = \"5.4.5\"\nmeaning = \"daily_quota\"\n\
                 client = \"451 4.7.1 come back tomorrow\"\ninteractive = \"550 5.7.1 enough for today\"\npause = \"2 h\"";
    let table = Table::with_own(&row(lines)).unwrap();
    let reading = table.read(Gmail, Content, &reply("550 5.4.5 Daily user sending quota exceeded"));
    assert_eq!(reading.treatment.row.as_deref(), Some("mine"));
    assert_eq!(reading.treatment.pause, Some(Duration::from_hours(2)));
    let heard = |clients| match reading.treatment.answer(clients) {
        Answer::Own { code, text, .. } => (*code, text.as_str()),
        Answer::Verbatim => (0, "verbatim"),
    };
    assert_eq!(heard(Clients::Queueing), (451, "come back tomorrow"));
    assert_eq!(heard(Clients::Interactive), (550, "enough for today"));
    let other = table.read(Outlook, Content, &reply("550 5.1.90 daily limit"));
    assert_eq!(other.treatment.row.as_deref(), Some("outlook-daily-recipients"));
}

#[test]
fn an_operators_word_on_a_meaning_holds_for_the_shipped_rows_of_it() {
    let table =
        Table::with_own("[meaning.organisation_quota]\npause = \"1 h\"\nclient = \"452 4.5.3 ask IT\"").unwrap();
    let reading = table.read(Outlook, RcptTo, &reply("550 5.7.233 tenant exceeded its daily limit"));
    let own = Answer::Own { code: 452, enhanced: EnhancedCode::new(4, 5, 3), text: "ask IT".to_owned() };
    assert_eq!((&reading.treatment.queueing, &reading.treatment.interactive), (&own, &own));
    assert_eq!(reading.treatment.pause, Some(Duration::from_secs(3_600)));
}

#[test]
fn what_is_over_within_seconds_is_tried_again_and_an_operator_may_say_otherwise() {
    let crowded = reply("432 4.3.2 Concurrent connections limit exceeded.");
    let retry = |table: &Table| table.read(Outlook, Content, &crowded).treatment.retry;
    assert_eq!(retry(&Table::shipped()), Some(Duration::from_secs(1)));
    let own = |text: &str| Table::with_own(&format!("[meaning.too_many_sessions]\n{text}\n"));
    assert_eq!(retry(&own("retry = \"none\"").unwrap()), None);
    assert_eq!(retry(&own("retry = \"3 s\"").unwrap()), Some(Duration::from_secs(3)));
    assert!(own("retry = \"1 min\"").unwrap_err()[0].reason.contains("up to 5 s"));
}

#[test]
fn a_block_or_limit_is_no_reason_for_another_account_whatever_a_row_says() {
    let takes_it_for = |meaning: &str, stage: &str| row(&format!("stage = \"{stage}\"\nmeaning = \"{meaning}\""));
    let table = Table::with_own(&takes_it_for("mailbox_full", "content")).unwrap();
    for line in ["550 5.7.705 Access denied, tenant has exceeded threshold", "550 5.1.90 daily limit"] {
        let reading = table.read(Outlook, Content, &reply(line));
        assert_eq!((reading.meaning, reading.another_account_may_try), (Meaning::MailboxFull, false), "{line}");
    }
    // What the shipped table does not know is the operator's to say.
    assert!(table.read(Outlook, Content, &reply("554 5.9.9 no room")).another_account_may_try);
    let table = Table::with_own(&takes_it_for("blocked", "content")).unwrap();
    assert!(!table.read(Outlook, Content, &reply("554 5.2.2 mailbox full")).another_account_may_try);
}

#[test]
fn no_table_says_2yz_or_closes_or_has_good_mail_returned_before_mail() {
    let expected =
        "expected \"verbatim\", or a code of 400 to 599 (not 421), an enhanced code of the same class and some words";
    for client in ["250 2.0.0 fine", "354 4.0.0 go on", "421 4.3.2 bye", "451 5.7.1 mixed", "451 4.7.1", "nonsense"] {
        let text = row(&format!("stage = \"content\"\nmeaning = \"refused\"\nclient = \"{client}\""));
        assert_eq!(fault(&text), format!("5: row[mine].client: {expected}"), "{client}");
    }
    let auth =
        |client: &str| row(&format!("stage = \"auth\"\nmeaning = \"credentials_refused\"\nclient = \"{client}\""));
    assert_eq!(
        fault(&auth("535 5.7.8 no")),
        "1: row[mine]: client = 535 before MAIL would have clients return good mail; name a 4yz (`interactive` may be 5yz)"
    );
    assert!(fault(&auth("verbatim")).contains("`verbatim` would be the reply to another command"));
    // The unlisted ones are answered as their meaning is.
    let meaning = "[meaning.login_disabled]\nclient = \"550 5.7.1 no\"";
    assert!(
        fault(meaning).starts_with("2: meaning.login_disabled.client: client = 550 before MAIL"),
        "{}",
        fault(meaning)
    );
    let at_once = row("stage = \"auth\"\nmeaning = \"credentials_refused\"\ninteractive = \"535 5.7.8 no\"");
    Table::with_own(&at_once).unwrap();
}

#[test]
fn a_row_that_cannot_be_or_is_never_reached_is_a_fault() {
    assert!(
        fault(&row("stage = \"content\"\nmeaning = \"credentials_refused\"")).contains("cannot be said at content")
    );
    assert!(fault(&row("stage = \"auth\"\nmeaning = \"refused\"")).contains("cannot be said at AUTH"));
    let mixed = row("stage = \"mail\"\ncode = 451\nenhanced = \"5.7.1\"\nmeaning = \"refused\"");
    assert_eq!(fault(&mixed), "1: row[mine]: no reply has code 451 and an enhanced code of class 5");
    let shadowed = |first: &str, second: &str| {
        format!("[[row]]\nname = \"first\"\nmeaning = \"refused\"\n{first}\n")
            + &row(&format!("meaning = \"refused\"\n{second}"))
    };
    for (first, second) in [
        ("stage = \"content\"", "stage = \"content\""),
        ("stage = \"from_mail\"\ncode = 550", "stage = \"rcpt\"\ncode = 550\nenhanced = \"5.1.1\""),
        ("stage = \"rcpt\"\nenhanced = \"5.1.0-9\"", "stage = \"rcpt\"\nprovider = \"gmail\"\nenhanced = \"5.1.2-4\""),
        ("stage = \"rcpt\"\ntext = \"LIMIT\"", "stage = \"rcpt\"\ntext = [\"daily limit\", \"limit of\"]"),
    ] {
        let fault = fault(&shadowed(first, second));
        assert!(fault.contains("never reached: the earlier row `first`"), "{fault}");
    }
    for (first, second) in [
        ("stage = \"content\"\ncode = 550", "stage = \"content\""),
        ("stage = \"rcpt\"", "stage = \"from_mail\""),
        ("stage = \"rcpt\"\ntext = \"daily limit\"", "stage = \"rcpt\"\ntext = [\"limit\"]"),
        ("stage = \"rcpt\"\nprovider = \"gmail\"", "stage = \"rcpt\""),
    ] {
        Table::with_own(&shadowed(first, second)).unwrap();
    }
}

#[test]
fn each_fault_names_line_key_and_what_was_expected() {
    let text = "[[row]]\nname = \"a\"\nstage = \"quit\"\nmeaning = \"refused\"\n\n[[row]]\nstage = \"mail\"\ncode = 250\n\
                meaning = \"reffused\"\nprovder = \"gmail\"\n\n[meaning.blocked]\npause = \"soon\"\n";
    let faults = faults(text);
    let expected = [
        "3: row[a].stage: expected one of connection, ehlo, starttls, auth, mail, rcpt, data, content, request, before_mail",
        "6: row[2].name: missing: a name of its own",
        "8: row[2].code: expected a code from 400 to 599: rows explain refusals",
        "9: row[2].meaning: expected one of credentials_refused, login_disabled",
        "10: row[2].provder: unknown key; the keys here are name, provider",
        "13: meaning.blocked.pause: expected \"none\" or a duration up to a day",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}");
    }
    assert!(fault("[[row]\n").starts_with("1: : "), "{}", fault("[[row]\n"));
    let twice = row("stage = \"mail\"\nmeaning = \"refused\"") + &row("stage = \"rcpt\"\nmeaning = \"refused\"");
    assert_eq!(fault(&twice), "5: row[mine]: an earlier row has this name; choose another");
}

fn noting() -> (Replies, std::sync::Arc<Unlisted>) {
    let unlisted = std::sync::Arc::new(Unlisted::telling(|_| {}));
    (Replies::new(Table::shipped(), std::sync::Arc::clone(&unlisted)), unlisted)
}

fn note(replies: &Replies, stage: Stage, line: &str) {
    replies.read(Gmail, stage, &reply(line));
}

#[test]
fn unlisted_replies_are_counted_by_shape_and_listed_ones_are_not() {
    let (replies, unlisted) = noting();
    note(&replies, Content, "554 5.9.1 Mail for ann@example.org refused (id 4711-ab12)");
    note(&replies, Content, "554 5.9.1 Mail for <bob@example.net> refused (id 0815-cd34)");
    note(&replies, Content, "554 5.9.1 Mail for bob@example.net refused (id 0815-cd34)");
    note(&replies, Content, "550 5.7.1 listed");
    let shapes: Vec<_> = unlisted.shapes().iter().map(|(shape, count)| format!("{count} {shape}")).collect();
    assert_eq!(
        shapes,
        [
            "2 gmail at content: 554 5.9.1 Mail for ADDRESS refused (id ID",
            "1 gmail at content: 554 5.9.1 Mail for * refused (id ID"
        ]
    );
    assert_eq!(unlisted.counts(), [((Gmail, Content, 554), 3)]);
}

#[test]
fn no_address_host_or_id_is_in_a_shape_and_what_the_reply_is_about_is() {
    let (replies, unlisted) = noting();
    let line = "551 5.9.9 User ann.lee@example.org (=?x?=) at mx1.example.org, \"secret words\" [192.0.2.1] host EXAMPLE.ORG \
                ünder 198.51.100.7 see https://support.example.com/help?p=Ab12&user=ann token \
                eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9 STOREDRV.Submission.Exception:NewException;";
    note(&replies, MailFrom, line);
    let shape = unlisted.shapes()[0].0.text.clone();
    let expected = "User ADDRESS (=?x?=) at ID * * host HOST ?nder N see https://support.example.com/help token ID \
                    STOREDRV.Submission.Exception:NewException;";
    assert_eq!(shape, expected);
}

#[test]
fn the_memory_of_shapes_is_bounded_and_each_new_one_is_told_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let unlisted = std::sync::Arc::new(Unlisted::telling(|_| {
        TOLD.fetch_add(1, Ordering::SeqCst);
    }));
    let replies = Replies::new(Table::shipped(), std::sync::Arc::clone(&unlisted));
    for number in 0..2 * (MOST + 10) {
        // Words, since numbers do not make a shape.
        let word: String = (number / 2).to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        note(&replies, MailFrom, &format!("551 5.9.9 no {word}"));
    }
    assert_eq!((unlisted.shapes().len(), unlisted.unkept()), (MOST, 20));
    assert_eq!(TOLD.load(Ordering::SeqCst), MOST);
    assert_eq!(unlisted.counts(), [((Gmail, MailFrom, 551), 2 * (MOST as u64 + 10))]);
}
