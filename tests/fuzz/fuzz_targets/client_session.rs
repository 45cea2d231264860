//! A client's session with a server that says anything: no command is malformed, nothing secret is
//! said in the clear or repeated in an error, and no success is reported of what was not sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::client::login::Login;
use posthouse_smtp::client::{
    ClientSession, ContentPhase, Error, Event, Framing, Settings, Stage, TlsRule, Transaction,
};
use posthouse_smtp::command::Body;
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Severity;
use posthouse_smtp::sasl::{Mechanism, Secret};

const TOKEN: &str = "token-of-the-account";

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let Some((messages, said)) = rest.split_first() else { return };
    // A 0xFF ends what the server says at once.
    let pieces: Vec<&[u8]> = said.split(|octet| *octet == 0xff).collect();
    let told = run(*choice, *messages, &pieces);
    let errors = [Error::StrayInput, Error::BytesBehindStartTls];
    if !told.met_stray_input && !told.error.as_ref().is_some_and(|error| errors.contains(error)) {
        let octets: Vec<&[u8]> = pieces.iter().flat_map(|piece| piece.chunks(1)).collect();
        assert_eq!(run(*choice, *messages, &octets), told, "cut otherwise, it went otherwise");
    }
});

/// What a run made known.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: Vec<Event>,
    error: Option<Error>,
    output: Vec<u8>,
    /// The server said something unasked, which in other pieces might have been asked for.
    met_stray_input: bool,
}

/// Whoever drives the session.
struct Driver {
    session: ClientSession,
    choice: u8,
    messages: u8,
    /// Messages that may still be begun: this side's own refusals cost the server nothing.
    left: u8,
    is_secured: bool,
    /// All of the present message's content was sent.
    content_was_sent: bool,
    told: Told,
}

fn run(choice: u8, messages: u8, pieces: &[&[u8]]) -> Told {
    let tls = match choice % 3 {
        0 => TlsRule::None,
        1 => TlsRule::StartTls,
        _ => TlsRule::Implicit,
    };
    let session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls });
    let is_secured = tls != TlsRule::StartTls;
    let mut driver =
        Driver { session, choice, messages, left: 20, is_secured, content_was_sent: false, told: Told::default() };
    for piece in pieces {
        driver.session.receive(piece);
        if !driver.pump() {
            break;
        }
    }
    driver.told
}

impl Driver {
    /// Until the session needs input; `false` when it is over.
    fn pump(&mut self) -> bool {
        loop {
            let advanced = self.session.advance();
            self.look_at_output();
            let result = match advanced {
                Ok(Event::NeedInput) => return true,
                Ok(event) => {
                    self.told.met_stray_input |= self.session.has_stray_input();
                    let acted = self.act(&event);
                    self.told.events.push(event);
                    acted
                }
                Err(error) => Err(error),
            };
            self.look_at_output();
            if let Err(error) = result {
                assert!(!format!("{error:?} {error}").contains(TOKEN));
                assert!(!self.session.reusable());
                self.told.error = Some(error);
                return false;
            }
            assert!(!format!("{:?}", self.session).contains(TOKEN));
        }
    }

    fn act(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::NeedInput => {}
            Event::StartTls => {
                self.session.secured();
                self.is_secured = true;
            }
            Event::Identified if self.choice & 4 == 0 => self.session.skip_login(),
            Event::Identified => {
                return self.session.authenticate(&login(self.choice)).or_else(|error| self.no_login(error));
            }
            Event::Ready => return self.begin(),
            Event::RecipientsAccepted if self.chunks() => {
                self.session.send_bdat(5);
                assert!(self.session.output().ends_with(b"BDAT 5 LAST\r\n"));
                self.content_was_sent = true;
            }
            Event::RecipientsAccepted => self.session.send_data(),
            Event::GoAhead => {
                assert_eq!(self.session.content_phase(), ContentPhase::MayHaveBeenSent);
                if self.choice & 128 != 0 {
                    self.content_was_sent = true;
                    self.session.content_sent();
                }
            }
            Event::EarlyReply(_) => {
                assert!(!self.content_was_sent && !self.session.reusable());
            }
            Event::Answered(outcome) => {
                let success = outcome.reply.severity() == Severity::Success;
                if outcome.stage == Stage::Content && success {
                    assert!(self.content_was_sent, "a success of what was not sent");
                }
                assert_eq!(self.session.content_phase(), ContentPhase::NotBegun);
                self.content_was_sent = false;
                if self.session.reusable() && self.left > 0 {
                    self.left -= 1;
                    return self.begin();
                }
            }
        }
        Ok(())
    }

    fn no_login(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::MechanismNotOffered(_) => {
                self.session.skip_login();
                Ok(())
            }
            error => Err(error),
        }
    }

    fn chunks(&self) -> bool {
        self.choice & 8 != 0 && self.session.capabilities().chunking
    }

    fn begin(&mut self) -> Result<(), Error> {
        let message = self.messages;
        self.messages = message.rotate_left(3) ^ 0x5a;
        let mailbox = |text: &str| text.parse().expect("a mailbox");
        let reverse_path = match message & 1 {
            0 => ReversePath::Null,
            _ => ReversePath::Mailbox(mailbox("app@example.com")),
        };
        let recipients: Vec<ForwardPath> = match message & 6 {
            0 | 2 => vec![ForwardPath::Mailbox(mailbox("user@example.org"))],
            4 => vec![ForwardPath::Postmaster, ForwardPath::Mailbox(mailbox("üser@example.org"))],
            _ => (0..250).map(|_| ForwardPath::Postmaster).collect(),
        };
        if message & 8 != 0 {
            return self.session.begin_probe(&reverse_path, &recipients);
        }
        let transaction = Transaction {
            reverse_path: &reverse_path,
            recipients: &recipients,
            size: (message & 16 != 0).then_some(5),
            body: if message & 32 != 0 { Body::EightBitMime } else { Body::SevenBit },
            smtputf8: message & 64 != 0,
        };
        let framing = if self.choice & 8 != 0 { Framing::Bdat { size: 5 } } else { Framing::Data };
        self.session.begin(&transaction, framing)?;
        self.content_was_sent = self.session.content_phase() == ContentPhase::MayHaveBeenSent;
        assert_eq!(self.content_was_sent, self.session.output().ends_with(b"BDAT 5 LAST\r\n"));
        Ok(())
    }

    fn look_at_output(&mut self) {
        let output = std::mem::take(self.session.output());
        assert!(output.is_empty() || output.ends_with(b"\r\n"));
        for line in output.strip_suffix(b"\r\n").unwrap_or_default().split(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(!line.iter().any(|octet| *octet < 0x20 || *octet == 0x7f), "a control octet in a command");
            let is_said_in_the_clear = [&b"EHLO "[..], b"HELO ", b"STARTTLS"].iter().any(|verb| line.starts_with(verb));
            assert!(self.is_secured || line.is_empty() || is_said_in_the_clear, "said in the clear");
        }
        self.told.output.extend_from_slice(&output);
    }
}

fn login(choice: u8) -> Login {
    let mechanism = match choice >> 4 & 3 {
        0 => Mechanism::Plain,
        1 => Mechanism::Login,
        2 => Mechanism::XOAuth2,
        _ => Mechanism::OAuthBearer,
    };
    let server = ("smtp.example.org".into(), 587);
    Login { mechanism, user: "app@example.com".into(), secret: Secret::new(TOKEN), server }
}
