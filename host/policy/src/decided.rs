//! What a policy decided: values, checked, with nothing of WebAssembly in them.

use posthouse_mail::edit::Edits;

/// What a client hears instead of an acceptance. The code fits the verdict, the text is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The reply code.
    pub code: u16,
    /// The enhanced status code.
    pub enhanced: (u8, u16, u16),
    /// The text.
    pub text: String,
}

/// The answer of `on-recipient` and `on-message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Proceed,
    /// Never: 5yz.
    Reject(Reply),
    /// Not now: 4yz.
    Defer(Reply),
}

/// What `on-message` decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its answer.
    pub verdict: Verdict,
    /// How the message goes on, if it does.
    pub instructions: Instructions,
}

impl Decided {
    /// What becomes of a message that no policy decides on: it goes on, and nothing of it changes.
    pub fn nothing() -> Self {
        Self { verdict: Verdict::Proceed, instructions: Instructions::default() }
    }
}

/// How a message goes on. Every name in it was found in the realm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instructions {
    /// Who carries it; none leaves it to the relay.
    pub choice: Option<Choice>,
    /// What changes in its header block.
    pub edits: Edits,
    /// Fields under a DKIM signature that the edits change.
    pub signed_fields_edited: Vec<String>,
    /// Another reverse-path.
    pub sender: Option<String>,
    /// Recipients that become others, by index.
    pub replaced: Vec<(usize, String)>,
    /// Recipients on top.
    pub added: Vec<String>,
    /// What `on-outcome` is given.
    pub carried: Vec<u8>,
}

/// Who carries a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A route of the tenant.
    Route(String),
    /// Accounts of the tenant, in order of preference.
    Accounts(Vec<String>),
}

/// The answer of `on-outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more.
    Done,
    /// Try the next account.
    NextAccount,
}
