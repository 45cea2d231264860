//! Replies, by the octets they become.

use super::{EnhancedCode, Reply, Severity};

fn written(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.write_to(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_line_bears_both_codes() {
    let reply = Reply::new(550, EnhancedCode::new(5, 1, 1), "no such user\ntry another");
    assert_eq!(written(&reply), "550-5.1.1 no such user\r\n550 5.1.1 try another\r\n");
    assert_eq!(reply.to_string(), "550 5.1.1 no such user / try another");
    assert_eq!(written(&Reply::new(220, None, "relay.example.com")), "220 relay.example.com\r\n");
    assert_eq!(written(&Reply::new(334, None, "")), "334 \r\n");
}

#[test]
fn no_text_can_forge_a_reply() {
    let reply = Reply::new(550, None, "a\r\n250 ok\r\n\u{1b}[31m\0");
    assert_eq!(written(&reply), "550-a?\r\n550-250 ok?\r\n550 ?[31m?\r\n");
}

#[test]
fn long_lines_are_broken_between_characters() {
    let reply = Reply::new(451, EnhancedCode::new(4, 700, 12), "ü".repeat(600));
    let lines: Vec<String> = written(&reply).split_inclusive("\r\n").map(str::to_owned).collect();
    assert!(lines.len() > 2 && lines.iter().all(|line| line.len() <= 512));
    assert_eq!(lines.iter().map(|line| line.matches('ü').count()).sum::<usize>(), 600);
}

#[test]
fn codes_nobody_could_read_become_451() {
    assert_eq!(Reply::new(99, None, "x").code(), 451);
    assert_eq!(Reply::new(600, None, "x").severity(), Severity::Transient);
}

#[test]
fn enhanced_codes_are_read_strictly() {
    assert_eq!("5.7.139".parse(), Ok(EnhancedCode::new(5, 7, 139)));
    for text in ["", "5", "5.7", "3.1.1", "5.7.1234", "5.7.1.1", "5.+7.1", "5..1", "55.1.1"] {
        assert!(text.parse::<EnhancedCode>().is_err(), "{text}");
    }
}
