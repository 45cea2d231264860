//! Lines as commands: nothing that is read could be more than one line, and errors have their replies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::command::{Command, MailFrom};
use posthouse_smtp::path::ReversePath;

fuzz_target!(|line: &[u8]| {
    match Command::parse(line) {
        Err(error) => {
            let reply = error.reply();
            assert!(matches!(reply.code(), 500 | 501 | 555));
            assert!(reply.enhanced().is_some_and(|code| code.class == 5));
        }
        Ok(command) => {
            assert!(!line.contains(&0) && std::str::from_utf8(line).is_ok());
            assert!(!line.iter().any(|octet| matches!(octet, b'\r' | b'\n')) || is_at_the_end(line));
            look_at(command);
        }
    }
});

/// White space at the end is nothing.
fn is_at_the_end(line: &[u8]) -> bool {
    !line.trim_ascii_end().iter().any(|octet| matches!(octet, b'\r' | b'\n'))
}

fn look_at(command: Command<'_>) {
    match command {
        Command::Helo(name) | Command::Ehlo(name) => {
            assert!((1..=255).contains(&name.len()));
            assert!(!name.contains(char::is_control) && !name.contains(char::is_whitespace));
        }
        Command::Auth { mechanism, initial_response } => {
            assert!(mechanism.bytes().all(|octet| octet.is_ascii_graphic()));
            assert!(!initial_response.unwrap_or_default().contains([' ', '\t']));
        }
        Command::Mail(mail) => is_read_back(&mail),
        Command::XClient(client) => {
            for text in [client.name, client.helo, client.protocol, client.login].into_iter().flatten() {
                assert!(!text.contains(char::is_control) && !text.contains(char::is_whitespace));
            }
        }
        _ => {}
    }
}

fn is_read_back(mail: &MailFrom) {
    let mut line = b"MAIL FROM:".to_vec();
    mail.path.write_to(&mut line);
    if let Some(size) = mail.size {
        line.extend_from_slice(format!(" SIZE={size}").as_bytes());
    }
    line.extend_from_slice(if mail.smtputf8 { b" SMTPUTF8" } else { b"" });
    let Ok(Command::Mail(again)) = Command::parse(&line) else { panic!("no MAIL") };
    assert_eq!((&again.path, again.size, again.smtputf8), (&mail.path, mail.size, mail.smtputf8));
    assert_eq!(mail.path == ReversePath::Null, line.starts_with(b"MAIL FROM:<>"));
}
