//! What a mailbox may do, and what the providers are known to allow.
//!
//! The numbers stand here and nowhere else; who counts is `mailbox`, who answers is `connection`.

use std::time::Duration;

use crate::provider::Provider;

/// What becomes of a message beyond the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Excess {
    /// Its reply waits until the rate allows it, as Exchange does ("carried over").
    Delay,
    /// It is refused.
    Refuse,
}

/// Messages in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// So many in any sixty seconds.
    pub messages: u32,
    /// What becomes of those beyond.
    pub excess: Excess,
}

/// Who may stand in MAIL FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendAs {
    /// Anybody.
    Anybody,
    /// The mailbox' own address; another one is refused at the content's end.
    OwnAddress,
}

/// The limits of each mailbox at one provider. `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are logged in at a time. Beyond it Gmail ends the connection at AUTH with 421; Outlook lets it
    /// in and answers its messages with 432.
    pub connections: Option<usize>,
    /// Messages in submission at a time (from DATA or BDAT to the last reply). Beyond it: 432 or 421.
    pub submissions: Option<usize>,
    /// Messages in a minute.
    pub rate: Option<Rate>,
    /// Recipients in 24 hours, counted from the first one.
    pub recipients_per_day: Option<u64>,
    /// Recipients of a message.
    pub recipients_per_message: usize,
    /// Logins in any sixty seconds, the failed ones among them.
    pub logins_per_minute: Option<u32>,
    /// Messages on one connection. The next MAIL is answered with 421.
    pub messages_per_connection: Option<u32>,
    /// Octets of a message.
    pub message_size: u64,
    /// Requests at a time where HTTP is spoken. Beyond it: 429.
    pub requests: Option<usize>,
    /// Octets of a request there. Beyond it: 413.
    pub request_size: u64,
    /// How long nothing may be heard on a connection.
    pub idle: Duration,
    /// Who may stand in MAIL FROM.
    pub send_as: SendAs,
}

impl Limits {
    /// What the provider itself is known to enforce.
    pub const fn of(provider: Provider) -> Self {
        match provider {
            Provider::Gmail => Self {
                connections: Some(15),
                submissions: None,
                rate: None,
                recipients_per_day: Some(10_000),
                recipients_per_message: 100,
                logins_per_minute: None,
                messages_per_connection: None,
                message_size: 35_882_577,
                requests: None,
                request_size: 36_700_160,
                idle: Duration::from_secs(300),
                send_as: SendAs::Anybody,
            },
            Provider::Outlook => Self {
                connections: Some(3),
                submissions: Some(3),
                rate: Some(Rate { messages: 30, excess: Excess::Delay }),
                recipients_per_day: Some(10_000),
                recipients_per_message: 500,
                logins_per_minute: None,
                messages_per_connection: None,
                message_size: 157_286_400,
                requests: Some(4),
                request_size: 4_000_000,
                idle: Duration::from_secs(300),
                send_as: SendAs::Anybody,
            },
        }
    }

    /// The concurrency of [`Limits::of`] and the size, and nothing that counts over time: for tests and measurements.
    pub const fn without_quotas(provider: Provider) -> Self {
        Self { rate: None, recipients_per_day: None, logins_per_minute: None, ..Self::of(provider) }
    }
}
