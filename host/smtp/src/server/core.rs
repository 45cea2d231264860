//! What all states of a session share: its settings, its octets, and what is known of the client.

use std::fmt;
use std::sync::Arc;

use super::Channel;
use super::input::{Input, Line};
use super::replies::Said;
use super::settings::{AuthRule, LoginRule, Settings};
use crate::reply::{Reply, Severity};

pub(super) struct Core {
    pub(super) settings: Arc<Settings>,
    pub(super) channel: Channel,
    pub(super) input: Input,
    pub(super) output: Vec<u8>,
    pub(super) helo: Option<String>,
    pub(super) extended: bool,
    /// By AUTH.
    pub(super) logged_in: bool,
    /// By its network.
    presumed: bool,
    errors: u32,
    commands: u32,
    failures: u32,
}

/// What the client sends and hears may hold passwords, and is not shown.
impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("channel", &self.channel).field("helo", &self.helo).finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        Self {
            settings,
            channel,
            input: Input::default(),
            output: Vec::new(),
            helo: None,
            extended: false,
            logged_in: false,
            presumed: false,
            errors: 0,
            commands: 0,
            failures: 0,
        }
    }

    pub(super) fn greet(&mut self) {
        let text = format!("{} {}", self.settings.hostname, self.settings.greeting);
        self.say(&Reply::new(220, None, text));
    }

    pub(super) fn presume_login(&mut self) {
        self.presumed = true;
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.logged_in || self.presumed || self.settings.login == LoginRule::Optional
    }

    /// Nothing that was said on the open channel holds on the encrypted one.
    pub(super) fn secured(&mut self) {
        self.channel = Channel::Tls;
        self.input = Input::default();
        self.forget_client();
    }

    /// A proxy named another client: what was known of the one before does not hold.
    pub(super) fn named_anew(&mut self) {
        self.presumed = false;
        self.forget_client();
    }

    fn forget_client(&mut self) {
        self.helo = None;
        self.extended = false;
        self.logged_in = false;
    }

    pub(super) fn auth_is_allowed(&self) -> bool {
        self.channel == Channel::Tls || self.settings.auth == AuthRule::AnyChannel
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        if self.settings.extensions.enhanced_status_codes || reply.enhanced().is_none() {
            reply.write_to(&mut self.output);
        } else {
            Reply::new(reply.code(), None, reply.text().to_owned()).write_to(&mut self.output);
        }
    }

    pub(super) fn tell(&mut self, said: Said) {
        self.say(&said.reply());
    }

    /// A reply to a client's error. `false` when it was one too many, and the session is to end.
    #[must_use]
    pub(super) fn complain(&mut self, reply: &Reply) -> bool {
        self.errors += 1;
        if self.errors > self.settings.limits.errors {
            self.tell(Said::TooManyErrors);
            return false;
        }
        self.say(reply);
        true
    }

    /// Counts a command that brings no message. `false` when it was one too many.
    #[must_use]
    pub(super) fn count_command(&mut self) -> bool {
        self.commands += 1;
        if self.commands > self.settings.limits.commands {
            self.tell(Said::TooManyCommands);
            return false;
        }
        true
    }

    /// The refusal of a command that brings no message. `false` when it was one too many.
    #[must_use]
    pub(super) fn decline(&mut self, reply: &Reply) -> bool {
        if !self.count_command() {
            return false;
        }
        self.say(reply);
        true
    }

    /// Counts a failed login; one that could not be verified is none. `false` when it was one too many.
    #[must_use]
    pub(super) fn count_failure(&mut self, reply: &Reply) -> bool {
        if reply.severity() != Severity::Permanent {
            return true;
        }
        self.failures += 1;
        if self.failures >= self.settings.limits.auth_failures {
            self.tell(Said::TooManyFailures);
            return false;
        }
        true
    }

    /// A message went its way: the client is one that works.
    pub(super) fn forgive(&mut self) {
        self.errors = 0;
        self.commands = 0;
    }

    /// The next line of a command. AUTH's may be longer (RFC 4954 4).
    pub(super) fn command_line(&mut self) -> Line {
        let (usual, auth) = (self.settings.limits.command_line, self.settings.limits.auth_line);
        let is_auth = |line: &[u8]| line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        self.input.line(|line| if is_auth(line) { auth } else { usual })
    }

    /// The next line of a SASL exchange.
    pub(super) fn auth_line(&mut self) -> Line {
        let limit = self.settings.limits.auth_line;
        self.input.line(|_| limit)
    }
}
