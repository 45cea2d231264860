//! Paths: what is taken holds nothing that could end it, and is read back as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::command::Command;
use posthouse_smtp::path::{ForwardPath, Mailbox, ReversePath};

fuzz_target!(|text: &str| {
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        assert_eq!(mailbox.as_str(), text);
        assert_eq!(format!("{}@{}", mailbox.local(), mailbox.domain()), text);
        assert!(mailbox.local().len() <= 64 && mailbox.domain().len() <= 255 && text.len() <= 254);
        assert!(!mailbox.domain().contains(['@', '<', '>', ' ', '"', '\\']));
        is_harmless(text);
        let mut written = b"MAIL FROM:".to_vec();
        ReversePath::Mailbox(mailbox.clone()).write_to(&mut written);
        let Ok(Command::Mail(mail)) = Command::parse(&written) else { panic!("no MAIL: {text}") };
        assert_eq!(mail.path, ReversePath::Mailbox(mailbox));
    }
    let line = format!("RCPT TO:{text}");
    if let Ok(Command::Rcpt(rcpt)) = Command::parse(line.as_bytes()) {
        is_harmless(rcpt.path.as_str());
        let mut written = b"RCPT TO:".to_vec();
        rcpt.path.write_to(&mut written);
        assert_eq!(Command::parse(&written), Ok(Command::Rcpt(rcpt)));
    }
    let line = format!("RCPT TO:<{text}>");
    if let Ok(Command::Rcpt(rcpt)) = Command::parse(line.as_bytes()) {
        let is_routed = text.starts_with('@');
        assert!(is_routed || rcpt.path == ForwardPath::Postmaster || rcpt.path.as_str() == text);
    }
});

fn is_harmless(text: &str) {
    assert!(!text.contains(char::is_control));
    let has_space = text.contains(char::is_whitespace);
    assert!(!has_space || text.starts_with('"'), "white space outside quotes");
}
