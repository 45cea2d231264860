//! By which protocol a provider takes mail: SMTP, or its own interface over HTTP.
//!
//! The whole difference to everybody else stands here. What the interfaces are and answer is in `http`.

/// A way of handing mail over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Submission (RFC 6409).
    Smtp,
    /// Microsoft Graph's `sendMail` with a MIME message.
    Graph,
    /// The Gmail API's `messages.send` with an uploaded message.
    GmailApi,
}

/// Graph takes requests up to 4 MB, and the message is in base64 there.
const GRAPH_MOST: u64 = 4_000_000 / 4 * 3;
/// The `maxSize` in Google's description of the method: 35 MiB.
const GMAIL_MOST: u64 = 36_700_160;

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Smtp, Self::Graph, Self::GmailApi];

    /// Its word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Graph => "graph",
            Self::GmailApi => "gmail-api",
        }
    }

    /// The most octets that a message may have, where that is not the server's to say.
    pub const fn most_octets(self) -> Option<u64> {
        match self {
            Self::Smtp => None,
            Self::Graph => Some(GRAPH_MOST),
            Self::GmailApi => Some(GMAIL_MOST),
        }
    }

    /// Whether recipients are what the message's header says, since there is no envelope.
    pub const fn reads_header(self) -> bool {
        match self {
            Self::Smtp => false,
            Self::Graph | Self::GmailApi => true,
        }
    }
}
