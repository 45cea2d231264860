//! AUTH (RFC 4954): the login's messages, one for each 334, and the verdict.

use super::core::Core;
use super::login::Login;
use super::opening::refused;
use super::state::{State, Step};
use super::{Error, Event, Stage};
use crate::base64;
use crate::reply::Reply;
use crate::sasl::Mechanism;

/// The longest command line with an initial response, its end included: RFC 4954 4 subjects the AUTH
/// command to the limit on command lines; only the lines that follow have 12,288 octets. Postfix cuts
/// at 2,048 and takes the rest for a malformed token.
const COMMAND: usize = 512;

/// A login under way.
#[derive(Debug)]
pub(super) struct Authenticating {
    mechanism: Mechanism,
    /// Messages that are still to be sent, in base64, the next one last.
    left: Vec<Vec<u8>>,
    /// What the server said of the refused token.
    detail: Option<String>,
}

pub(super) fn begin(login: &Login, core: &mut Core) -> Result<State, Error> {
    if !core.capabilities.auth.contains(login.mechanism) {
        return Err(Error::MechanismNotOffered(login.mechanism));
    }
    let mut left: Vec<Vec<u8>> = login.messages()?.iter().rev().map(|message| encoded(message)).collect();
    let name = login.mechanism.name();
    let fits = |response: &Vec<u8>| "AUTH ".len() + name.len() + 1 + response.len() + 2 <= COMMAND;
    core.output.extend_from_slice(b"AUTH ");
    core.output.extend_from_slice(name.as_bytes());
    // LOGIN has no initial response that all servers know.
    if login.mechanism != Mechanism::Login && left.last().is_some_and(fits) {
        core.output.push(b' ');
        core.output.extend_from_slice(&left.pop().unwrap_or_default());
    }
    core.output.extend_from_slice(b"\r\n");
    Ok(State::Authenticating(Authenticating { mechanism: login.mechanism, left, detail: None }))
}

impl Authenticating {
    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Authenticating(self), Some(Event::NeedInput))) };
        match (reply.code(), self.left.pop()) {
            (235, _) if self.detail.is_none() => Ok((State::Ready, Some(Event::Ready))),
            (334, Some(message)) => {
                core.output.extend_from_slice(&message);
                core.output.extend_from_slice(b"\r\n");
                Ok((State::Authenticating(self), None))
            }
            (334, None) if self.detail.is_none() => {
                self.detail = Some(decoded(&reply));
                // The refusal is the next reply; it comes only after this line (RFC 7628 3.2.3, XOAUTH2).
                core.say(if self.mechanism == Mechanism::OAuthBearer { "AQ==" } else { "" });
                Ok((State::Authenticating(self), None))
            }
            (400..=599, _) => match refused(Stage::Auth, reply) {
                Error::Refused { stage, reply, .. } => Err(Error::Refused { stage, reply, detail: self.detail }),
                other => Err(other),
            },
            _ => Err(Error::UnexpectedReply { state: "waiting for the reply to AUTH", reply }),
        }
    }
}

fn encoded(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    base64::encode(message, &mut out);
    out
}

/// The JSON of a challenge, as far as it is text; control characters become spaces.
fn decoded(reply: &Reply) -> String {
    let octets = base64::decode(reply.text().trim().as_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&octets);
    text.chars().take(500).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
