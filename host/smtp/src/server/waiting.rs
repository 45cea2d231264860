//! Waiting for a command: is it legal now? What it does stands with the state it leads to.

use super::auth;
use super::chunk;
use super::core::Core;
use super::data;
use super::envelope::{self, Envelope};
use super::input::Line;
use super::replies::Said;
use super::settings::Settings;
use super::state::{Answer, State, Step};
use super::{Channel, Event};
use crate::command::{Command, XClient};
use crate::reply::Reply;

/// Between commands, in a transaction or not.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) envelope: Option<Envelope>,
}

/// A command whose strings are its own, so that the input can be let go of.
enum Greeting {
    Helo(String),
    Ehlo(String),
}

impl Waiting {
    pub(super) fn name(&self) -> &'static str {
        match &self.envelope {
            None => "waiting for a command",
            Some(envelope) if envelope.is_chunked() => "waiting for the next chunk",
            Some(_) => "waiting for a recipient or the content",
        }
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        let length = match core.command_line() {
            Line::Partial => return (State::Waiting(self), Some(Event::NeedInput)),
            Line::TooLong => return self.complain(core, &Said::LineTooLong.reply()),
            Line::BareNewline => {
                core.tell(Said::BareNewlineInCommand);
                return (State::Closing, self.abandoned());
            }
            Line::Whole(length) => length,
        };
        let line = core.input.take_secret(length + 2);
        match Command::parse(&line.expose()[..length]) {
            Ok(command) => self.command(command, core),
            Err(error) => self.complain(core, &error.reply()),
        }
    }

    fn command(self, command: Command<'_>, core: &mut Core) -> Step {
        if !brings_a_message(&command) && !core.count_command() {
            return (State::Closing, self.abandoned());
        }
        match command {
            Command::Helo(name) => self.hello(Greeting::Helo(name.to_owned()), core),
            Command::Ehlo(name) => self.hello(Greeting::Ehlo(name.to_owned()), core),
            Command::StartTls => self.start_tls(core),
            Command::Auth { mechanism, initial_response } => auth::begin(self, mechanism, initial_response, core),
            Command::Mail(mail) => envelope::mail(self, mail, core),
            Command::Rcpt(recipient) => envelope::recipient(self, recipient, core),
            Command::Data => data::begin(self, core),
            Command::Bdat { size, last } => chunk::begin(self, size, last, core),
            Command::Rset => self.reset(core),
            Command::Noop => self.say(Said::Ok, core),
            Command::Vrfy => self.say(Said::CannotVerify, core),
            Command::Expn => self.complain(core, &Said::WillNotExpand.reply()),
            Command::Help => self.say(Said::Help, core),
            Command::Quit => self.quit(core),
            Command::XClient(client) => self.identify(client, core),
        }
    }

    fn hello(self, greeting: Greeting, core: &mut Core) -> Step {
        let abandoned = self.abandoned();
        match greeting {
            Greeting::Helo(name) => {
                core.say(&Reply::new(250, None, core.settings.hostname.clone()));
                (core.extended, core.helo) = (false, Some(name));
            }
            Greeting::Ehlo(name) => {
                core.say(&Reply::new(250, None, offers(core)));
                (core.extended, core.helo) = (true, Some(name));
            }
        }
        (State::Waiting(Self::default()), abandoned)
    }

    fn start_tls(self, core: &mut Core) -> Step {
        if !core.settings.extensions.starttls || core.channel == Channel::Tls {
            return self.complain(core, &Said::NotOffered.reply());
        }
        if self.envelope.is_some() {
            return self.complain(core, &Said::InTransaction.reply());
        }
        if !core.input.is_empty() {
            // What was sent behind STARTTLS in the clear must not be taken for what comes encrypted.
            core.tell(Said::BytesBehindStartTls);
            return (State::Closing, None);
        }
        core.tell(Said::GoAheadTls);
        (State::Securing, Some(Event::StartTls))
    }

    fn reset(self, core: &mut Core) -> Step {
        core.tell(Said::Reset);
        (State::Waiting(Self::default()), self.abandoned())
    }

    fn quit(self, core: &mut Core) -> Step {
        core.tell(Said::Bye);
        (State::Closing, self.abandoned())
    }

    fn identify(self, client: XClient, core: &mut Core) -> Step {
        if !core.settings.extensions.xclient {
            return self.complain(core, &Said::NotOffered.reply());
        }
        if self.envelope.is_some() {
            return self.complain(core, &Said::InTransaction.reply());
        }
        (State::Identified(Identified), Some(Event::ClientIdentity(client)))
    }

    fn say(self, said: Said, core: &mut Core) -> Step {
        core.tell(said);
        (State::Waiting(self), None)
    }

    /// Refuses a command; the transaction stays as it is.
    pub(super) fn complain(self, core: &mut Core, reply: &Reply) -> Step {
        if core.complain(reply) { (State::Waiting(self), None) } else { (State::Closing, self.abandoned()) }
    }

    /// What is to be said of a transaction that ends here, if one was open.
    pub(super) fn abandoned(&self) -> Option<Event> {
        self.envelope.as_ref().filter(|envelope| !envelope.is_over()).map(|_| Event::Abandoned)
    }
}

/// A proxy has named its client; whoever drives the session looks whether it may.
#[derive(Debug)]
pub(super) struct Identified;

impl Identified {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        match answer {
            // Postfix XCLIENT_README: the session starts anew, with a greeting.
            Answer::Accepted => {
                core.named_anew();
                core.greet();
            }
            Answer::Refused(reply) => core.say(&reply),
        }
        State::Waiting(Waiting::default())
    }
}

/// Whether it leads to a message. An empty chunk leads nowhere: nobody needs a hundred of them.
fn brings_a_message(command: &Command<'_>) -> bool {
    match command {
        Command::Mail(_) | Command::Rcpt(_) | Command::Data => true,
        Command::Bdat { size, last } => *size > 0 || *last,
        _ => false,
    }
}

/// The lines of the reply to EHLO.
fn offers(core: &Core) -> String {
    let Settings { hostname, extensions, mechanisms, limits, .. } = &*core.settings;
    let mut lines = hostname.clone();
    let mut offer = |offered: bool, line: &str| {
        if offered {
            lines.push('\n');
            lines.push_str(line);
        }
    };
    offer(extensions.pipelining, "PIPELINING");
    offer(extensions.size, &format!("SIZE {}", limits.message_size));
    offer(extensions.eight_bit_mime, "8BITMIME");
    offer(extensions.smtputf8, "SMTPUTF8");
    offer(extensions.enhanced_status_codes, "ENHANCEDSTATUSCODES");
    offer(extensions.chunking, "CHUNKING");
    offer(extensions.starttls && core.channel == Channel::Plaintext, "STARTTLS");
    if core.auth_is_allowed() && !mechanisms.is_empty() {
        let names: Vec<&str> = mechanisms.iter().map(crate::sasl::Mechanism::name).collect();
        offer(true, &format!("AUTH {}", names.join(" ")));
    }
    offer(extensions.xclient, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN");
    lines
}
