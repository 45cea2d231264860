//! Trace fields, as the next host reads them.

use super::{Protocol, Received};
use crate::{date::Date, header::HeaderBlock};

fn field(helo: &str, recipient: Option<&str>) -> String {
    let received = Received {
        helo,
        peer: "192.0.2.7".parse().unwrap(),
        by: "relay.example.com",
        with: Protocol { extended: true, utf8: false, tls: true, authenticated: true },
        id: "7f3a-1",
        recipient,
        date: Date::from_unix_seconds(1_795_442_530),
    };
    let mut out = Vec::new();
    received.write_to(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_field_names_client_relay_protocol_and_time() {
    assert_eq!(
        field("printer.example.com", Some("a@example.org")),
        "Received: from printer.example.com ([192.0.2.7])\r\n\tby relay.example.com (Posthouse) with ESMTPSA id \
         7f3a-1\r\n\tfor <a@example.org>;\r\n\tMon, 23 Nov 2026 14:02:10 +0000\r\n"
    );
}

#[test]
fn a_hostile_helo_stays_inside_one_field() {
    for helo in ["x\r\nBcc: y", "a (b", "a;b", "", "\0"] {
        let content = field(helo, None) + "\r\n";
        let block = HeaderBlock::parse(content.as_bytes());
        assert_eq!(block.fields().len(), 1);
        assert_eq!(block.end() + 2, content.len());
        assert_eq!(content.matches('(').count(), 2);
    }
}
