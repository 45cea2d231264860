//! From the greeting to a known server: EHLO, STARTTLS where it is demanded, EHLO again.

use super::core::Core;
use super::state::{EHLO, GREETING, STARTTLS, State, Step};
use super::{Error, Event, Stage, TlsRule, Wait};
use crate::capability::Capabilities;
use crate::reply::{Reply, Severity};

pub(super) fn greeting(core: &mut Core) -> Step {
    match core.reply()? {
        None => Ok((State::Greeting, Some(Event::NeedInput))),
        Some(reply) if reply.code() == 220 => Ok((say_ehlo(core)?, None)),
        Some(reply) => Err(refused(Stage::Connection, &GREETING, reply)),
    }
}

pub(super) fn say_ehlo(core: &mut Core) -> Result<State, Error> {
    say_hello("EHLO ", core)?;
    Ok(State::Ehlo)
}

/// One writer of the name: what could end the line is refused before anything is written.
fn say_hello(verb: &str, core: &mut Core) -> Result<(), Error> {
    core.quiet()?;
    let name = &core.settings.hostname;
    if name.is_empty() || !name.bytes().all(|octet| (0x21..=0x7e).contains(&octet)) {
        return Err(Error::Unwritable("hostname"));
    }
    core.output.extend_from_slice(verb.as_bytes());
    core.output.extend_from_slice(name.as_bytes());
    core.output.extend_from_slice(b"\r\n");
    Ok(())
}

pub(super) fn ehlo(core: &mut Core) -> Step {
    let Some(reply) = core.reply()? else { return Ok((State::Ehlo, Some(Event::NeedInput))) };
    match reply.severity() {
        Severity::Success => {
            core.capabilities = Capabilities::read(&reply);
            identified(core)
        }
        // RFC 5321 3.2: a server that does not know EHLO may know HELO.
        Severity::Permanent => {
            say_hello("HELO ", core)?;
            Ok((State::Helo, None))
        }
        Severity::Transient | Severity::Intermediate => Err(refused(Stage::Ehlo, &EHLO, reply)),
    }
}

pub(super) fn helo(core: &mut Core) -> Step {
    let Some(reply) = core.reply()? else { return Ok((State::Helo, Some(Event::NeedInput))) };
    match reply.severity() {
        Severity::Success => {
            core.capabilities = Capabilities::default();
            identified(core)
        }
        _ => Err(refused(Stage::Ehlo, &EHLO, reply)),
    }
}

fn identified(core: &mut Core) -> Step {
    core.quiet()?;
    match core.settings.tls {
        TlsRule::StartTls if core.is_secured => Ok((State::Identified, Some(Event::Identified))),
        TlsRule::StartTls if core.capabilities.starttls => {
            core.say(&["STARTTLS"]);
            Ok((State::StartTls, None))
        }
        TlsRule::StartTls => Err(Error::TlsNotOffered),
        TlsRule::Implicit | TlsRule::None => Ok((State::Identified, Some(Event::Identified))),
    }
}

pub(super) fn start_tls(core: &mut Core) -> Step {
    match core.reply()? {
        None => Ok((State::StartTls, Some(Event::NeedInput))),
        // What came in the clear behind the 220 must not be taken for what comes encrypted.
        Some(reply) if reply.code() == 220 && core.has_unread() => Err(Error::BytesBehindStartTls),
        Some(reply) if reply.code() == 220 => Ok((State::Securing, Some(Event::StartTls))),
        Some(reply) => Err(refused(Stage::StartTls, &STARTTLS, reply)),
    }
}

/// What the server said on the open channel is forgotten (RFC 3207 4.2).
pub(super) fn secured(core: &mut Core) -> Result<State, Error> {
    if core.has_unread() {
        return Err(Error::BytesBehindStartTls);
    }
    core.is_secured = true;
    core.capabilities = Capabilities::default();
    say_ehlo(core)
}

/// The error behind a reply that is not the one that was hoped for.
pub(super) fn refused(stage: Stage, wait: &'static Wait, reply: Reply) -> Error {
    match reply.severity() {
        Severity::Transient | Severity::Permanent => Error::Refused { stage, reply, detail: None },
        Severity::Success | Severity::Intermediate => Error::UnexpectedReply { state: wait.name, reply },
    }
}
