//! Replies to EHLO as the providers send them.

use super::Capabilities;
use crate::reply::Reply;
use crate::sasl::{Mechanism, Mechanisms};

fn read(text: &'static str) -> Capabilities {
    Capabilities::read(&Reply::new(250, None, text))
}

#[test]
fn gmails_offers_are_read() {
    let offered = read(
        "smtp.gmail.com at your service, [192.0.2.1]\nSIZE 35882577\n8BITMIME\nAUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN \
         OAUTHBEARER XOAUTH\nENHANCEDSTATUSCODES\nPIPELINING\nCHUNKING\nSMTPUTF8",
    );
    assert_eq!(offered.size, Some(35_882_577));
    assert!(offered.pipelining && offered.chunking && offered.smtputf8 && offered.eight_bit_mime && !offered.starttls);
    assert_eq!(offered.auth, Mechanisms::of(&Mechanism::ALL));
}

#[test]
fn the_first_line_is_a_greeting_and_offers_nothing() {
    assert_eq!(read("CHUNKING"), Capabilities::default());
    assert_eq!(read("x\nunknown 1 2\n\nSIZE\nauth=LOGIN").auth, Mechanisms::of(&[Mechanism::Login]));
}
