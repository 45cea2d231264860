//! The whole simulator, asked over sockets in raw octets.

mod assertions;
mod client;
mod consents;
mod faults;
mod limits;
mod logins;
mod messages;
mod tokens;

use crate::mailbox::Mailbox;
use crate::options::{Options, Plaintext};
use crate::provider::Provider;
use crate::simulator::Simulator;

const GMAIL: &str = "sales@example.com";
const OUTLOOK: &str = "office@example.org";

/// One mailbox at each provider; AUTH without TLS.
fn options() -> Options {
    let mailboxes = vec![
        Mailbox::new(Provider::Gmail, GMAIL).password("app password"),
        Mailbox::new(Provider::Outlook, OUTLOOK).directory("contoso.test"),
    ];
    Options { plaintext: Plaintext::Allowed, ..Options::new(mailboxes) }
}

async fn started(options: Options) -> Simulator {
    Simulator::start(options).await.unwrap()
}
