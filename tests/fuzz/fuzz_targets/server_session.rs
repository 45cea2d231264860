//! A session with a client that says anything: every cut gives the same replies, events and contents;
//! nobody sends without a login; nothing secret is told; no content holds a bare CR or LF.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use posthouse_smtp::reply::Reply;
use posthouse_smtp::sasl::{Credentials, Mechanism, Mechanisms};
use posthouse_smtp::server::settings::{AuthRule, LoginRule, Settings};
use posthouse_smtp::server::{Channel, Event, ServerSession};

fuzz_target!(|input: &[u8]| {
    let Some((choice, said)) = input.split_first() else { return };
    // A 0xFF is where the client's octets are cut.
    let pieces: Vec<&[u8]> = said.split(|octet| *octet == 0xff).collect();
    let told = run(*choice, &pieces);
    // What comes behind STARTTLS in the same piece is refused: there the cut does matter.
    if choice & 1 == 0 {
        let whole = pieces.concat();
        assert_eq!(run(*choice, &[&whole]), told, "whole, it went otherwise");
        let octets: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(run(*choice, &octets), told, "octet by octet, it went otherwise");
    }
});

fn settings(choice: u8) -> Settings {
    let mut settings = Settings::new("relay.test");
    settings.extensions.starttls = choice & 1 != 0;
    settings.extensions.xclient = choice & 2 != 0;
    settings.extensions.chunking = choice & 4 == 0;
    settings.login = if choice & 8 == 0 { LoginRule::Optional } else { LoginRule::Required };
    settings.auth = if choice & 16 == 0 { AuthRule::AnyChannel } else { AuthRule::TlsOnly };
    settings.bearer_challenge = (choice & 32 != 0).then(|| "{\"status\":\"401\"}".to_owned());
    if choice & 64 != 0 {
        (settings.limits.message_size, settings.limits.recipients) = (50, 2);
        (settings.limits.command_line, settings.limits.auth_line) = (40, 60);
        (settings.limits.errors, settings.limits.commands) = (5, 9);
    }
    if choice & 128 != 0 {
        settings.mechanisms = Mechanisms::of(&Mechanism::ALL);
    }
    settings
}

/// What a run made known.
#[derive(Debug, Default, PartialEq)]
struct Told {
    output: Vec<u8>,
    events: Vec<Event>,
    messages: Vec<Vec<u8>>,
}

/// Whoever drives the session.
struct Driver {
    session: ServerSession,
    may_send: bool,
    in_transaction: bool,
    content: Vec<u8>,
    told: Told,
}

fn run(choice: u8, pieces: &[&[u8]]) -> Told {
    let session = ServerSession::new(Arc::new(settings(choice)), Channel::Plaintext);
    let may_send = choice & 8 == 0;
    let mut driver = Driver { session, may_send, in_transaction: false, content: Vec::new(), told: Told::default() };
    driver.pump();
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
            let event = self.session.advance(&mut self.content);
            match self.look_at_output_before(&event) {
                Some(goes_on) => return goes_on,
                None => self.act(&event),
            }
            if event != Event::Content {
                self.told.events.push(event);
            }
        }
    }

    /// Whether octets are waited for, where nothing else is to be done.
    fn look_at_output_before(&mut self, event: &Event) -> Option<bool> {
        let output = std::mem::take(self.session.output());
        assert!(output.is_empty() || output.ends_with(b"\r\n"));
        for line in output.split_inclusive(|octet| *octet == b'\n') {
            assert!(line.len() <= 512 && line.len() >= 6 && line[..3].iter().all(u8::is_ascii_digit));
            assert!(matches!(line[3], b' ' | b'-'));
            assert!(!line[..line.len() - 2].iter().any(u8::is_ascii_control));
        }
        self.told.output.extend_from_slice(&output);
        match event {
            Event::NeedInput => Some(true),
            Event::Closed => Some(false),
            _ => None,
        }
    }

    fn act(&mut self, event: &Event) {
        match event {
            Event::NeedInput | Event::Closed => {}
            Event::Content => assert!(self.in_transaction),
            Event::StartTls => {
                self.session.secured();
                assert!(self.session.helo().is_none() && !self.in_transaction);
                self.may_send = self.session.is_authenticated();
            }
            Event::Authenticate(credentials) => self.verify(credentials),
            Event::ClientIdentity(client) => {
                self.answer(client.name.as_deref().unwrap_or_default());
                self.may_send = self.session.is_authenticated();
            }
            Event::Mail(mail) => {
                assert!(self.may_send && self.session.is_authenticated() && !self.in_transaction);
                self.in_transaction = self.answer(&mail.path.to_string());
            }
            Event::Recipient(to) => {
                assert!(self.in_transaction);
                self.answer(&to.path.to_string());
            }
            Event::ContentStarts { .. } => {
                assert!(self.in_transaction && self.content.is_empty());
                let wants = self.told.events.len() % 5 != 4;
                if wants { self.session.accept() } else { self.session.refuse(Reply::new(452, None, "no")) }
            }
            Event::ContentEnds => self.take_message(),
            Event::Spoiled(_) | Event::Abandoned => {
                assert!(std::mem::take(&mut self.in_transaction));
                self.content.clear();
            }
        }
    }

    fn take_message(&mut self) {
        assert!(std::mem::take(&mut self.in_transaction));
        let content = std::mem::take(&mut self.content);
        let newlines = content.windows(2).filter(|pair| pair == b"\r\n").count();
        assert_eq!(content.iter().filter(|octet| **octet == b'\r').count(), newlines);
        assert_eq!(content.iter().filter(|octet| **octet == b'\n').count(), newlines);
        self.session.finish(Reply::new(if content.len() % 3 == 2 { 451 } else { 250 }, None, "so"));
        self.told.messages.push(content);
    }

    /// By the first letter; whether it was a yes.
    fn answer(&mut self, word: &str) -> bool {
        match word.as_bytes().first() {
            Some(b'n') => self.session.refuse(Reply::new(550, None, "no")),
            Some(b'q') => self.session.refuse(Reply::new(421, None, "go away")),
            _ => {
                self.session.accept();
                return true;
            }
        }
        false
    }

    fn verify(&mut self, credentials: &Credentials) {
        let (name, proof) = match credentials {
            Credentials::Password { login, password, .. } => (login, password),
            Credentials::Bearer { user, token } => (user, token),
        };
        assert!(!self.in_transaction && !name.contains(char::is_control));
        match (name.as_str(), proof.expose()) {
            ("app", b"secret") => {
                self.session.accept_login();
                self.may_send = true;
            }
            ("later", _) => self.session.refuse(Reply::new(454, None, "later")),
            _ => self.session.refuse(Reply::new(535, None, "no")),
        }
        let shown = format!("{credentials:?}{:?}", self.session);
        assert!(shown.contains("[redacted]") && !self.told.output.windows(6).any(|six| six == b"secret"));
    }
}
