//! What EHLO offers.

use super::{Offer, last_reply, position, write};
use crate::options::ProviderOptions;
use crate::provider::Provider;

#[test]
fn the_last_reply_is_found_behind_others() {
    assert_eq!(last_reply(b"250 one\r\n250-two\r\n250-more\r\n250 end\r\n"), 9);
    assert_eq!(last_reply(b"250-two\r\n250 end\r\n"), 0);
    assert_eq!(last_reply(b""), 0);
    assert_eq!(position(b"250 2.0.0 flushed\r\n250-host.test\r\n250 SIZE\r\n", "host.test"), Some(19));
    assert_eq!(position(b"250 host.test\r\n", "host.test"), Some(0));
    assert_eq!(position(b"250 2.0.0 ok host.test\r\n", "host.test"), None);
}

#[test]
fn outlook_says_what_outlook_was_observed_to_say() {
    let mut out = Vec::new();
    let offer = Offer { starttls: false, auth: true };
    write(Provider::Outlook, &ProviderOptions::of(Provider::Outlook), offer, &mut out);
    let expected = "250-smtp.office365.test at your service\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n\
                    250-ENHANCEDSTATUSCODES\r\n250-AUTH LOGIN XOAUTH2\r\n250-8BITMIME\r\n250-BINARYMIME\r\n\
                    250-CHUNKING\r\n250 SMTPUTF8\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
