//! AUTH (RFC 4954): the login's messages, one for each 334, and the verdict.
//!
//! The invariant: no error that leaves here holds the secret, not even if the server repeats it.

use memchr::memmem;

use super::core::Core;
use super::login::Login;
use super::opening::refused;
use super::ready::Ready;
use super::state::{AUTH, State, Step};
use super::{Error, Event, Stage};
use crate::base64;
use crate::reply::Reply;
use crate::sasl::{Mechanism, Secret};

/// The longest command line with an initial response, its end included: RFC 4954 4 subjects the AUTH
/// command to the limit on command lines; only the lines that follow have 12,288 octets. Postfix cuts
/// at 2,048 and takes the rest for a malformed token.
const COMMAND: usize = 512;
/// The longest line that answers a challenge, its end included (RFC 4954 4).
const RESPONSE: usize = 12_288;
/// Characters that are kept of what a server says of a refused token.
const DETAIL: usize = 500;

/// A login under way.
#[derive(Debug)]
pub(super) struct Authenticating {
    mechanism: Mechanism,
    /// Messages in base64, in their order.
    messages: Vec<Secret>,
    /// So many of them were sent.
    sent: usize,
    /// The secret itself.
    secret: Secret,
    /// What the server said of the refused token.
    detail: Option<String>,
}

pub(super) fn begin(login: &Login, core: &mut Core) -> Result<State, Error> {
    core.quiet()?;
    if !core.capabilities.auth.contains(login.mechanism) {
        return Err(Error::MechanismNotOffered(login.mechanism));
    }
    let messages: Vec<Secret> = login.messages()?.iter().map(encoded).collect();
    if messages.iter().any(|message| message.expose().len() + 2 > RESPONSE) {
        return Err(Error::LoginTooLong);
    }
    let name = login.mechanism.name();
    let first = messages[0].expose();
    let fits = "AUTH ".len() + name.len() + 1 + first.len() + 2 <= COMMAND;
    // LOGIN has no initial response that all servers know.
    let goes_along = login.mechanism != Mechanism::Login && fits;
    core.output.extend_from_slice(b"AUTH ");
    core.output.extend_from_slice(name.as_bytes());
    if goes_along {
        core.output.push(b' ');
        core.output.extend_from_slice(first);
    }
    core.output.extend_from_slice(b"\r\n");
    let (mechanism, sent, secret) = (login.mechanism, usize::from(goes_along), login.secret.clone());
    Ok(State::Authenticating(Authenticating { mechanism, messages, sent, secret, detail: None }))
}

impl Authenticating {
    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Authenticating(self), Some(Event::NeedInput))) };
        let all_sent = self.sent == self.messages.len();
        match reply.code() {
            235 if all_sent && self.detail.is_none() => {
                core.quiet()?;
                Ok((State::Ready(Ready::default()), Some(Event::Ready)))
            }
            334 if !all_sent => {
                core.quiet()?;
                core.output.extend_from_slice(self.messages[self.sent].expose());
                core.say(&[]);
                self.sent += 1;
                Ok((State::Authenticating(self), None))
            }
            334 if self.detail.is_none() && self.is_dismissed_by_a_challenge() => {
                core.quiet()?;
                self.detail = Some(self.detail(&reply));
                // The refusal comes only after this line (RFC 7628 3.2.3, and Google's XOAUTH2).
                core.say(&[if self.mechanism == Mechanism::OAuthBearer { "AQ==" } else { "" }]);
                Ok((State::Authenticating(self), None))
            }
            _ => Err(self.refused(reply)),
        }
    }

    /// Whether a server says why it refuses in one more 334.
    fn is_dismissed_by_a_challenge(&self) -> bool {
        match self.mechanism {
            Mechanism::XOAuth2 | Mechanism::OAuthBearer => true,
            Mechanism::Plain | Mechanism::Login => false,
        }
    }

    fn refused(self, reply: Reply) -> Error {
        let reply = match self.is_repeated_in(reply.text()) {
            true => Reply::new(reply.code(), reply.enhanced(), REDACTED),
            false => reply,
        };
        match refused(Stage::Auth, &AUTH, reply) {
            Error::Refused { stage, reply, .. } => Error::Refused { stage, reply, detail: self.detail },
            other => other,
        }
    }

    /// The JSON of a challenge, as far as it is text.
    fn detail(&self, challenge: &Reply) -> String {
        let octets = base64::decode(challenge.text().trim().as_bytes()).unwrap_or_default();
        let text = String::from_utf8_lossy(&octets);
        if self.is_repeated_in(&text) {
            return REDACTED.to_owned();
        }
        text.chars().take(DETAIL).map(|character| if character.is_control() { ' ' } else { character }).collect()
    }

    fn is_repeated_in(&self, text: &str) -> bool {
        let told = self.messages.iter().chain([&self.secret]);
        told.map(Secret::expose).any(|octets| memmem::find(text.as_bytes(), octets).is_some())
    }
}

/// What stands for a text that holds the secret.
const REDACTED: &str = "[redacted]";

fn encoded(message: &Secret) -> Secret {
    // Of the right size at once, so that no copy is left behind.
    let mut out = Vec::with_capacity(message.expose().len().div_ceil(3) * 4);
    base64::encode(message.expose(), &mut out);
    Secret::new(out)
}
