//! From the greeting to a known server: EHLO, STARTTLS where it is demanded, EHLO again.

use super::core::Core;
use super::state::{State, Step};
use super::{Error, Event, Stage, TlsRule};
use crate::capability::Capabilities;
use crate::reply::{Reply, Severity};

pub(super) fn greeting(core: &mut Core) -> Step {
    match core.reply()? {
        None => Ok((State::Greeting, Some(Event::NeedInput))),
        Some(reply) if reply.code() == 220 => {
            let name = &core.settings.hostname;
            if name.is_empty() || !name.bytes().all(|octet| (0x21..=0x7e).contains(&octet)) {
                return Err(Error::Unwritable("hostname"));
            }
            Ok((say_ehlo(core), None))
        }
        Some(reply) => Err(refused(Stage::Connection, reply)),
    }
}

pub(super) fn say_ehlo(core: &mut Core) -> State {
    core.say(&format!("EHLO {}", core.settings.hostname));
    State::Ehlo
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
            core.say(&format!("HELO {}", core.settings.hostname));
            Ok((State::Helo, None))
        }
        Severity::Transient | Severity::Intermediate => Err(refused(Stage::Ehlo, reply)),
    }
}

pub(super) fn helo(core: &mut Core) -> Step {
    let Some(reply) = core.reply()? else { return Ok((State::Helo, Some(Event::NeedInput))) };
    match reply.severity() {
        Severity::Success => {
            core.capabilities = Capabilities::default();
            identified(core)
        }
        _ => Err(refused(Stage::Ehlo, reply)),
    }
}

fn identified(core: &mut Core) -> Step {
    match core.settings.tls {
        TlsRule::StartTls if core.is_secured => Ok((State::Identified, Some(Event::Identified))),
        TlsRule::StartTls if core.capabilities.starttls => {
            core.say("STARTTLS");
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
        Some(reply) if reply.code() == 220 && !core.input.is_empty() => Err(Error::BytesBehindStartTls),
        Some(reply) if reply.code() == 220 => Ok((State::Securing, Some(Event::StartTls))),
        Some(reply) => Err(refused(Stage::StartTls, reply)),
    }
}

pub(super) fn refused(stage: Stage, reply: Reply) -> Error {
    Error::Refused { stage, reply, detail: None }
}
