//! Which provider's habits of speech a reply is read by. Hosts, ports and limits are no part of
//! it: those are data of the operator's configuration.

/// The dialect that a provider's replies are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Gmail and Google Workspace.
    Gmail,
    /// Microsoft 365 and Outlook.com.
    Outlook,
    /// Any other submission server; only what RFCs and custom agree on is read into its replies.
    Generic,
}

impl ProviderKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gmail, Self::Outlook, Self::Generic];

    /// Its word, in configuration, in the reply table and in metrics' labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gmail => "gmail",
            Self::Outlook => "outlook",
            Self::Generic => "generic",
        }
    }
}
