//! Commands, by what is read from a line.

use super::{Body, Command, CommandError, XClient};

fn mail(line: &str) -> super::MailFrom {
    match Command::parse(line.as_bytes()) {
        Ok(Command::Mail(mail)) => mail,
        other => panic!("{line}: {other:?}"),
    }
}

fn error(line: &str) -> CommandError {
    Command::parse(line.as_bytes()).unwrap_err()
}

#[test]
fn mail_takes_the_parameters_that_are_offered() {
    let mail = mail("mail from:<a@example.com> SIZE=1000 body=8bitmime SMTPUTF8 AUTH=<>");
    assert_eq!(mail.path.to_string(), "a@example.com");
    assert_eq!((mail.size, mail.body, mail.smtputf8), (Some(1000), Body::EightBitMime, true));
}

#[test]
fn a_space_before_the_path_is_what_devices_send() {
    assert_eq!(mail("MAIL FROM: <a@example.com>").path.to_string(), "a@example.com");
    assert_eq!(mail("MAIL FROM:<>").path.to_string(), "");
    assert!(matches!(Command::parse(b"RCPT TO: <a@example.com>"), Ok(Command::Rcpt(_))));
}

#[test]
fn other_parameters_are_refused_by_name() {
    for line in [
        "MAIL FROM:<a@b.c> RET=HDRS",
        "MAIL FROM:<a@b.c> BODY=BINARYMIME",
        "RCPT TO:<a@b.c> NOTIFY=NEVER",
        "RCPT TO:<a@b.c> X",
    ] {
        assert_eq!(error(line), CommandError::Parameter, "{line}");
    }
    for line in [
        "MAIL FROM:<a@b.c> SIZE=",
        "MAIL FROM:<a@b.c> SIZE=+1",
        "MAIL FROM:<a@b.c> SIZE=123456789012345678901",
        "MAIL FROM:<a@b.c> SIZE=1 SIZE=2",
        "MAIL FROM:<a@b.c> SMTPUTF8=1",
        "MAIL FROM:<a@b.c> AUTH=a b=",
        "MAIL",
        "MAIL FROM",
        "MAIL TO:<a@b.c>",
        "DATA now",
        "QUIT please",
        "EHLO",
        "EHLO a b",
        "AUTH",
        "AUTH a b c",
        "AUTH PL@IN",
        "RSET x",
        "STARTTLS x",
    ] {
        assert!(matches!(error(line), CommandError::Arguments | CommandError::Parameter), "{line}");
    }
    for line in ["MAIL FROM:a@b.c", "MAIL FROM:<a@b.c>SIZE=1", "RCPT TO:<>", "RCPT TO:<a>"] {
        assert_eq!(error(line), CommandError::Address, "{line}");
    }
}

#[test]
fn control_octets_and_bad_utf8_are_no_command() {
    for line in [&b"NOOP \0"[..], b"MAIL FROM:<a\x01@b.c>", b"EHLO a\rb", b"EHLO \xff", b"\x1b[31m"] {
        assert!(Command::parse(line).is_err());
    }
}

#[test]
fn verbs_have_no_case_and_unknown_ones_are_said_so() {
    assert_eq!(Command::parse(b"qUiT"), Ok(Command::Quit));
    assert_eq!(error("MAILS FROM:<a@b.c>"), CommandError::Unknown);
    assert_eq!(error(""), CommandError::Unknown);
    assert_eq!(error("ETRN x"), CommandError::Unknown);
}

#[test]
fn chunks_have_a_size_and_may_be_the_last() {
    assert_eq!(Command::parse(b"BDAT 0 LAST"), Ok(Command::Bdat { size: 0, last: true }));
    assert_eq!(Command::parse(b"bdat 86"), Ok(Command::Bdat { size: 86, last: false }));
    for line in ["BDAT", "BDAT -1", "BDAT 99999999999999999999", "BDAT x", "BDAT 0x10"] {
        assert_eq!(error(line), CommandError::ChunkSize, "{line}");
    }
    assert_eq!(error("BDAT 1 LAST x"), CommandError::Arguments);
}

#[test]
fn xclient_names_a_client() {
    let parsed =
        Command::parse(b"XCLIENT ADDR=192.0.2.9 PORT=[UNAVAILABLE] NAME=host+2Eexample HELO=x LOGIN=[TEMPUNAVAIL]");
    let expected = XClient {
        address: Some("192.0.2.9".parse().unwrap()),
        name: Some("host.example".to_owned()),
        helo: Some("x".to_owned()),
        ..XClient::default()
    };
    assert_eq!(parsed, Ok(Command::XClient(expected)));
    for line in
        ["XCLIENT", "XCLIENT ADDR", "XCLIENT ADDR=x", "XCLIENT HELO=a+0D+0Ab", "XCLIENT HELO=a+2", "XCLIENT FOO=1"]
    {
        assert!(Command::parse(line.as_bytes()).is_err(), "{line}");
    }
}
