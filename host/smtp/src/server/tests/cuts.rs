//! Sessions that nobody thought of: pieces of protocol in any order, cut anywhere, are answered alike.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config as ProptestConfig;
use proptest::{collection, prop_assert_eq, sample};

use super::transcript::{open, run_octets, with_auth};
use crate::server::settings::Settings;

const PIECES: [&str; 30] = [
    "EHLO x\r\n",
    "HELO x\r\n",
    "MAIL FROM:<a@b.c>\r\n",
    "MAIL FROM:<a@b.c> SIZE=30 BODY=8BITMIME\r\n",
    "RCPT TO:<b@b.c>\r\n",
    "RCPT TO:<refused-550@b.c>\r\n",
    "RCPT TO:<unwanted-452@b.c>\r\n",
    "RCPT TO:<undelivered-451@b.c>\r\n",
    "DATA\r\n",
    "BDAT 3\r\n",
    "BDAT 9 LAST\r\n",
    "BDAT 0 LAST\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "AUTH PLAIN AGFwcABzZWNyZXQ=\r\n",
    "AUTH PLAIN AGFwcAB3cm9uZw==\r\n",
    "AUTH LOGIN\r\n",
    "YXBw\r\n",
    "c2VjcmV0\r\n",
    "*\r\n",
    "XCLIENT ADDR=192.0.2.9\r\n",
    "Subject: x\r\n",
    "\r\n",
    ".\r\n",
    ".",
    "\r",
    "\n",
    "..a",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "QUIT\r\n",
];

fn settings() -> impl Strategy<Value = Settings> {
    let narrow = |mut settings: Settings| {
        settings.limits.command_line = 60;
        settings.limits.auth_line = 80;
        settings.limits.message_size = 40;
        settings.limits.errors = 5;
        settings.extensions.xclient = true;
        settings
    };
    prop_oneof![Just(open()), Just(narrow(open())), Just(with_auth()), Just(narrow(with_auth()))]
}

/// A session that is likely to get somewhere.
fn session() -> impl Strategy<Value = Vec<u8>> {
    let opening = prop_oneof![
        Just(""),
        Just("EHLO x\r\n"),
        Just("EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\n"),
        Just("EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\n"),
    ];
    (opening, collection::vec(sample::select(&PIECES[..]), 0..25))
        .prop_map(|(opening, pieces)| format!("{opening}{}", pieces.concat()).into_bytes())
}

proptest! {
    // A failing session is printed, and becomes a transcript; nothing is kept beside it.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_session_is_answered_alike_however_it_is_cut(
        settings in settings(),
        octets in session(),
        cuts in collection::vec(any::<sample::Index>(), 0..6),
    ) {
        let whole = run_octets(&settings, &[&octets]);
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        let by_octet = run_octets(&settings, &single);
        prop_assert_eq!(by_octet.of_the_server(), whole.of_the_server());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &octets[pair[0]..pair[1]]).collect();
        let cut = run_octets(&settings, &pieces);
        prop_assert_eq!(cut.of_the_server(), whole.of_the_server());
    }
}
