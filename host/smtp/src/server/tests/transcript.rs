//! Transcripts of sessions: `C: ` is a line that the client sends (`C+ ` the same without its CRLF;
//! `\r`, `\n`, `\0`, `\t` and `\xNN` are octets), `S: ` a reply (the lines of one reply joined by ` / `, a
//! trailing `..` stands for anything), `- ` what whoever drives the session learned.
//!
//! A transcript is run line by line and must come out as it is written. The same octets in one write,
//! octet by octet and in every cut in two must give the same replies, events and contents.

use std::sync::Arc;

use crate::reply::{EnhancedCode, Reply};
use crate::sasl::{Credentials, Mechanism, Mechanisms};
use crate::server::settings::{AuthRule, LoginRule, Settings};
use crate::server::{Channel, Event, ServerSession};

/// A server that needs no login.
pub(super) fn open() -> Settings {
    Settings { login: LoginRule::Optional, ..Settings::new("relay.test") }
}

/// A server that needs a login, on any channel.
pub(super) fn with_auth() -> Settings {
    Settings { mechanisms: Mechanisms::of(&Mechanism::ALL), auth: AuthRule::AnyChannel, ..Settings::new("relay.test") }
}

/// Runs a transcript in every way.
pub(super) fn check(settings: &Settings, transcript: &str) {
    let expected = Transcript::read(transcript);
    let by_line = run(settings, &expected.sent);
    let told: Vec<&str> = by_line.log.iter().map(String::as_str).collect();
    let lines = told.iter().zip(&expected.lines).all(|(told, line)| fits(told, line));
    assert!(
        lines && told.len() == expected.lines.len(),
        "told:\n{}\n\nexpected:\n{}\n",
        told.join("\n"),
        expected.lines.join("\n")
    );
    let segments: Vec<Vec<u8>> = expected.sent.split(|sent| matches!(sent, Sent::Handshake)).map(joined).collect();
    for cut in cuts(&segments) {
        assert_eq!(run(settings, &cut).of_the_server(), by_line.of_the_server(), "cut otherwise: {cut:?}");
    }
}

/// Runs octets that need no transcript.
pub(super) fn run_octets(settings: &Settings, pieces: &[&[u8]]) -> Told {
    let sent: Vec<Sent> = pieces.iter().map(|piece| Sent::piece(piece)).collect();
    run(settings, &sent)
}

/// All together, one by one, and in every cut in two.
fn cuts(segments: &[Vec<u8>]) -> Vec<Vec<Sent>> {
    let in_pieces = |pieces: &dyn Fn(usize, &[u8]) -> Vec<Sent>| {
        let mut sent = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                sent.push(Sent::Handshake);
            }
            sent.extend(pieces(index, segment));
        }
        sent
    };
    let mut all = vec![
        in_pieces(&|_, octets| vec![Sent::piece(octets)]),
        in_pieces(&|_, octets| octets.chunks(1).map(Sent::piece).collect()),
    ];
    for (which, segment) in segments.iter().enumerate() {
        for at in 1..segment.len() {
            all.push(in_pieces(&|index, octets| match index == which {
                true => vec![Sent::piece(&octets[..at]), Sent::piece(&octets[at..])],
                false => vec![Sent::piece(octets)],
            }));
        }
    }
    all
}

/// What the client does.
#[derive(Debug, Clone)]
enum Sent {
    Octets {
        octets: Vec<u8>,
        /// As the transcript has them.
        line: String,
    },
    /// It shakes hands, having read the reply to STARTTLS.
    Handshake,
}

impl Sent {
    fn piece(octets: &[u8]) -> Self {
        Self::Octets { octets: octets.to_vec(), line: "C".to_owned() }
    }
}

fn joined(lines: &[Sent]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| match line {
            Sent::Octets { octets, .. } => octets.clone(),
            Sent::Handshake => Vec::new(),
        })
        .collect()
}

struct Transcript {
    lines: Vec<String>,
    sent: Vec<Sent>,
}

impl Transcript {
    fn read(text: &str) -> Self {
        let lines: Vec<String> =
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        let sent = lines
            .iter()
            .filter_map(|line| {
                let (octets, end): (_, &[u8]) = match (line.get(..2)?, &line[2..]) {
                    ("C:", text) => (unescaped(text), b"\r\n"),
                    ("C+", text) => (unescaped(text), b""),
                    ("- ", "tls") => return Some(Sent::Handshake),
                    _ => return None,
                };
                Some(Sent::Octets { octets: [&octets, end].concat(), line: line.clone() })
            })
            .collect();
        Self { lines, sent }
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut characters = text.strip_prefix(' ').unwrap_or(text).chars();
    while let Some(character) = characters.next() {
        let escaped = match character {
            '\\' => characters.next().expect("an escape"),
            other => {
                octets.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        octets.push(match escaped {
            'r' => b'\r',
            'n' => b'\n',
            't' => b'\t',
            '0' => 0,
            'x' => {
                let digits: String = characters.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).unwrap()
            }
            other => panic!("no escape: {other}"),
        });
    }
    octets
}

fn fits(told: &str, expected: &str) -> bool {
    match expected.strip_suffix("..") {
        Some(beginning) => told.starts_with(beginning.trim_end()),
        None => told == expected,
    }
}

/// What came of a session.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// As a transcript has it.
    pub(super) log: Vec<String>,
    /// All events but those that only say that octets came, or are wanted.
    pub(super) events: Vec<Event>,
    /// The whole contents.
    pub(super) messages: Vec<Vec<u8>>,
}

impl Told {
    /// All but what the client said, which is told as it was cut.
    pub(super) fn of_the_server(&self) -> (Vec<&String>, &[Event], &[Vec<u8>]) {
        let log = self.log.iter().filter(|line| !line.starts_with('C')).collect();
        (log, &self.events, &self.messages)
    }

    /// The replies, each as one line.
    pub(super) fn replies(&self) -> Vec<&str> {
        self.log.iter().filter_map(|line| line.strip_prefix("S: ")).collect()
    }
}

/// Who drives the session: what it answers depends on the words in the addresses.
struct Driver {
    session: ServerSession,
    content: Vec<u8>,
    /// The last recipient, which says what becomes of the content.
    recipient: String,
    told: Told,
}

fn run(settings: &Settings, sent: &[Sent]) -> Told {
    let session = ServerSession::new(Arc::new(settings.clone()), Channel::Plaintext);
    let mut driver = Driver { session, content: Vec::new(), recipient: String::new(), told: Told::default() };
    driver.drive();
    for piece in sent {
        match piece {
            Sent::Octets { octets, line } => {
                driver.told.log.push(line.clone());
                driver.session.receive(octets);
            }
            Sent::Handshake => driver.session.secured(),
        }
        if !driver.drive() {
            break;
        }
    }
    driver.told
}

impl Driver {
    /// `false` when the session waits for no more.
    fn drive(&mut self) -> bool {
        loop {
            let event = self.session.advance(&mut self.content);
            self.hear();
            let goes_on = self.answer(&event);
            if !matches!(event, Event::Content | Event::NeedInput) {
                self.told.events.push(event);
            }
            if let Some(waits) = goes_on {
                return waits;
            }
        }
    }

    fn hear(&mut self) {
        let output = std::mem::take(self.session.output());
        let text = String::from_utf8(output).unwrap();
        let mut reply = Vec::new();
        for line in text.split_inclusive("\r\n") {
            assert!(line.len() <= 512 || line.starts_with("334"), "{line}");
            let line = line.strip_suffix("\r\n").expect("a whole line");
            reply.push(line);
            if line.as_bytes()[3] != b'-' {
                self.told.log.push(format!("S: {}", reply.join(" / ").trim_end()));
                reply.clear();
            }
        }
        assert!(reply.is_empty(), "a reply ends");
    }

    fn note(&mut self, what: &str) {
        self.told.log.push(format!("- {what}"));
    }

    /// Whether octets are waited for, where nothing more is to be had.
    fn answer(&mut self, event: &Event) -> Option<bool> {
        match event {
            Event::NeedInput => return Some(true),
            Event::StartTls => {
                self.note("tls");
                return Some(true);
            }
            Event::Closed => {
                self.note("closed");
                return Some(false);
            }
            Event::Content => {}
            Event::Mail(mail) => self.decide(&mail.path.to_string()),
            Event::Recipient(to) => {
                self.recipient = to.path.to_string();
                self.decide(&to.path.to_string());
            }
            Event::ClientIdentity(client) => match client.address {
                Some(address) => {
                    self.note(&format!("client {address}"));
                    self.session.accept();
                }
                None => self.session.refuse(no(550)),
            },
            Event::ContentStarts { .. } => {
                self.content.clear();
                match self.recipient.strip_prefix("unwanted-").and_then(code) {
                    Some(code) => self.session.refuse(no(code)),
                    None => self.session.accept(),
                }
            }
            Event::ContentEnds => self.take_message(),
            Event::Authenticate(credentials) => self.verify(credentials),
            Event::Spoiled(fault) => {
                self.content.clear();
                self.note(&format!("spoiled by {fault:?}"));
            }
            Event::Abandoned => self.note("abandoned"),
        }
        None
    }

    fn take_message(&mut self) {
        let content = std::mem::take(&mut self.content);
        self.note(&format!("message {:?}", String::from_utf8_lossy(&content)));
        self.told.messages.push(content);
        let code = self.recipient.strip_prefix("undelivered-").and_then(code);
        self.session.finish(code.map_or(Reply::new(250, EnhancedCode::new(2, 0, 0), "delivered"), no));
    }

    /// `refused-550@..` is refused so.
    fn decide(&mut self, address: &str) {
        match address.strip_prefix("refused-").and_then(code) {
            Some(code) => self.session.refuse(no(code)),
            None => self.session.accept(),
        }
    }

    /// `app` with `secret` is let in; `later` and `never` are answered 454 and 421.
    fn verify(&mut self, credentials: &Credentials) {
        let (name, proof) = match credentials {
            Credentials::Password { login, password, .. } => (login, password),
            Credentials::Bearer { user, token } => (user, token),
        };
        match (name.as_str(), proof.expose()) {
            ("app", b"secret") => self.session.accept_login(),
            ("later", _) => self.session.refuse(no(454)),
            ("never", _) => self.session.refuse(no(421)),
            _ => self.session.refuse(no(535)),
        }
    }
}

fn code(text: &str) -> Option<u16> {
    text.get(..3)?.parse().ok()
}

fn no(code: u16) -> Reply {
    Reply::new(code, None, "no")
}
