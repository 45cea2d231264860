//! What a server offers and bounds.

use crate::sasl::Mechanisms;

/// When AUTH is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthRule {
    /// On an encrypted channel only.
    TlsOnly,
    /// On any channel.
    AnyChannel,
}

/// Whether MAIL needs a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginRule {
    /// It does.
    Required,
    /// It does not.
    Optional,
}

/// Which extensions are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "a set of switches, each with its name in the protocol")]
pub struct Extensions {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 1870.
    pub size: bool,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
    /// RFC 3207; offered until the channel is encrypted.
    pub starttls: bool,
    /// Postfix' XCLIENT: for named networks only.
    pub xclient: bool,
}

impl Default for Extensions {
    /// All but STARTTLS, which needs a certificate, and XCLIENT, which needs trust.
    fn default() -> Self {
        Self {
            pipelining: true,
            chunking: true,
            smtputf8: true,
            eight_bit_mime: true,
            size: true,
            enhanced_status_codes: true,
            starttls: false,
            xclient: false,
        }
    }
}

/// The bounds of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message's content.
    pub message_size: u64,
    /// Recipients of a message (RFC 5321 4.5.3.1.8: at least 100).
    pub recipients: usize,
    /// Octets of a command line with its line end. RFC 5321 4.5.3.1.4: at least 512, and what the
    /// extensions add: 26 SIZE, 17 BODY, 10 SMTPUTF8 and its addresses, 500 AUTH.
    pub command_line: usize,
    /// Octets of a line of AUTH (RFC 4954 4: at least 12,288).
    pub auth_line: usize,
    /// Errors of a client's making until the session is ended.
    pub errors: u32,
    /// Commands without a message among them until the session is ended. Refused MAIL and RCPT and
    /// empty chunks count, those that lead to a message do not.
    pub commands: u32,
    /// Failed logins until the session is ended.
    pub auth_failures: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 35_882_577,
            recipients: 100,
            command_line: 2_048,
            auth_line: 12_288,
            errors: 20,
            commands: 100,
            auth_failures: 3,
        }
    }
}

/// What a server offers and bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The server's own name.
    pub hostname: String,
    /// What follows the name in the greeting.
    pub greeting: String,
    /// The extensions.
    pub extensions: Extensions,
    /// The mechanisms of AUTH.
    pub mechanisms: Mechanisms,
    /// When AUTH is allowed.
    pub auth: AuthRule,
    /// Whether MAIL needs a login.
    pub login: LoginRule,
    /// The JSON that a refused bearer token is challenged with before its refusal, if any (Gmail's way).
    pub bearer_challenge: Option<String>,
    /// The bounds.
    pub limits: Limits,
}

impl Settings {
    /// A server of this name that needs a login, and offers no mechanism for it yet.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            greeting: "ESMTP".to_owned(),
            extensions: Extensions::default(),
            mechanisms: Mechanisms::default(),
            auth: AuthRule::TlsOnly,
            login: LoginRule::Required,
            bearer_challenge: None,
            limits: Limits::default(),
        }
    }
}
