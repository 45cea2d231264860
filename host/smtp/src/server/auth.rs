//! AUTH (RFC 4954): the exchange of lines, then somebody verifies what came out of it.

use super::Event;
use super::core::Core;
use super::input::Line;
use super::replies::Said;
use super::state::{Answer, State, Step};
use super::waiting::Waiting;
use crate::base64;
use crate::reply::Reply;
use crate::sasl::{self, Credentials, Mechanism, Secret};

/// LOGIN's questions, to the letter: devices compare them (`Username:` and `Password:`).
const USERNAME: &str = "VXNlcm5hbWU6";
const PASSWORD: &str = "UGFzc3dvcmQ6";

/// Waiting for the client's next line.
#[derive(Debug)]
pub(super) enum Exchange {
    /// The one message of a mechanism that has one.
    Message(Mechanism),
    /// The answer to `Username:`.
    Username,
    /// The answer to `Password:`.
    Password {
        /// The answer to the first question.
        username: Secret,
    },
}

/// Credentials that somebody has to verify.
#[derive(Debug)]
pub(super) struct Verifying {
    mechanism: Mechanism,
}

/// A refused token was challenged with the reason; the client's empty answer is awaited.
#[derive(Debug)]
pub(super) struct Refused {
    reply: Reply,
}

pub(super) fn begin(waiting: Waiting, mechanism: &str, initial_response: Option<&str>, core: &mut Core) -> Step {
    let offered = core.settings.mechanisms;
    let known = Mechanism::named(mechanism.as_bytes()).filter(|mechanism| offered.contains(*mechanism));
    let refusal = if offered.is_empty() {
        Some(Said::NoAuthHere)
    } else if !core.extended {
        Some(Said::HelloFirst)
    } else if core.logged_in {
        Some(Said::LoginAgain)
    } else if waiting.envelope.is_some() {
        Some(Said::InTransaction)
    } else if !core.auth_is_allowed() {
        Some(Said::EncryptFirst)
    } else if known.is_none() {
        Some(Said::NoSuchMechanism)
    } else {
        None
    };
    match (refusal, known) {
        (None, Some(mechanism)) => exchange(mechanism, initial_response, core),
        (refusal, _) => waiting.complain(core, &refusal.unwrap_or(Said::NoSuchMechanism).reply()),
    }
}

fn exchange(mechanism: Mechanism, initial_response: Option<&str>, core: &mut Core) -> Step {
    let exchange = if mechanism == Mechanism::Login { Exchange::Username } else { Exchange::Message(mechanism) };
    match initial_response {
        // RFC 4954 4: `=` is an initial response of no octets.
        Some("=") => exchange.message(b"", core),
        Some(response) => exchange.message(response.as_bytes(), core),
        None => {
            challenge(if mechanism == Mechanism::Login { USERNAME } else { "" }, core);
            (State::Exchange(exchange), None)
        }
    }
}

fn challenge(text: &'static str, core: &mut Core) {
    core.say(&Reply::new(334, None, text));
}

impl Exchange {
    pub(super) fn advance(self, core: &mut Core) -> Step {
        let length = match core.auth_line() {
            Line::Partial => return (State::Exchange(self), Some(Event::NeedInput)),
            Line::TooLong => return Waiting::default().complain(core, &Said::LineTooLong.reply()),
            Line::BareNewline => {
                core.tell(Said::BareNewlineInCommand);
                return (State::Closing, None);
            }
            Line::Whole(length) => length,
        };
        let line = core.input.take_secret(length + 2);
        match &line.expose()[..length] {
            b"*" => Waiting::default().complain(core, &Said::LoginCancelled.reply()),
            line => self.message(line, core),
        }
    }

    fn message(self, text: &[u8], core: &mut Core) -> Step {
        let Some(message) = base64::decode(text).map(Secret::new) else {
            return Waiting::default().complain(core, &Said::BadBase64.reply());
        };
        match self {
            Self::Username => {
                challenge(PASSWORD, core);
                (State::Exchange(Self::Password { username: message }), None)
            }
            Self::Password { username } => {
                verify(Mechanism::Login, sasl::login(username.expose(), message.expose()), core)
            }
            Self::Message(mechanism) => verify(mechanism, read(mechanism, message.expose()), core),
        }
    }
}

/// What the one message of a mechanism says; LOGIN has two.
fn read(mechanism: Mechanism, message: &[u8]) -> Option<Credentials> {
    match mechanism {
        Mechanism::Plain => sasl::plain(message),
        Mechanism::XOAuth2 => sasl::xoauth2(message),
        Mechanism::OAuthBearer => sasl::oauthbearer(message),
        Mechanism::Login => None,
    }
}

fn verify(mechanism: Mechanism, credentials: Option<Credentials>, core: &mut Core) -> Step {
    match credentials {
        Some(credentials) => (State::Verifying(Verifying { mechanism }), Some(Event::Authenticate(credentials))),
        None => Waiting::default().complain(core, &Said::BadCredentials.reply()),
    }
}

impl Verifying {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        match answer {
            Answer::Accepted => {
                core.logged_in = true;
                core.tell(Said::LoggedIn);
                State::Waiting(Waiting::default())
            }
            Answer::Refused(reply) => match (self.mechanism, &core.settings.bearer_challenge) {
                // Only a token that is no good is explained; what is temporary is answered at once.
                (Mechanism::XOAuth2 | Mechanism::OAuthBearer, Some(json)) if reply.code() == 535 => {
                    let mut encoded = Vec::new();
                    base64::encode(json.as_bytes(), &mut encoded);
                    core.say(&Reply::new(334, None, String::from_utf8_lossy(&encoded).into_owned()));
                    State::RefusedBearer(Refused { reply })
                }
                _ => refused(&reply, core),
            },
        }
    }
}

impl Refused {
    pub(super) fn advance(self, core: &mut Core) -> Step {
        match core.auth_line() {
            Line::Partial => (State::RefusedBearer(self), Some(Event::NeedInput)),
            Line::Whole(length) => {
                core.input.take(length + 2);
                (refused(&self.reply, core), None)
            }
            // Whatever the line says, the refusal is what the client waits for.
            Line::TooLong => (refused(&self.reply, core), None),
            Line::BareNewline => {
                core.tell(Said::BareNewlineInCommand);
                (State::Closing, None)
            }
        }
    }
}

fn refused(reply: &Reply, core: &mut Core) -> State {
    if core.count_failure(reply) {
        core.say(reply);
        State::Waiting(Waiting::default())
    } else {
        State::Closing
    }
}
