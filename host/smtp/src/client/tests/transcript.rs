//! Runs a transcript and compares. It shares no code with the session but its interface.

use std::collections::VecDeque;

use crate::client::login::Login;
use crate::client::{ClientSession, ContentPhase, Event, Framing, Outcome, Settings, TlsRule, Transaction};
use crate::command::Body;
use crate::path::{ForwardPath, ReversePath};
use crate::sasl::{Mechanism, Secret};

/// A server like Gmail's or Microsoft's, up to the first message.
pub(super) const PROVIDER: &str = "
    S: 220 mx.example.org ESMTP
    C: EHLO relay.example.com
    S: 250-mx.example.org at your service
    S: 250-SIZE 1000
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-PIPELINING
    S: 250 CHUNKING
    E: identified
    A: skip login
    E: ready
";

/// The same without CHUNKING.
pub(super) const WITHOUT_CHUNKING: &str = "
    S: 220 mx.example.org ESMTP
    C: EHLO relay.example.com
    S: 250-mx.example.org
    S: 250-8BITMIME
    S: 250 PIPELINING
    E: identified
    A: skip login
    E: ready
";

/// One that knows EHLO, and nothing besides.
pub(super) const PLAIN: &str = "
    S: 220 mx.example.org
    C: EHLO relay.example.com
    S: 250 mx.example.org
    E: identified
    A: skip login
    E: ready
";

/// Runs a session behind the lines that open it.
pub(super) fn check(opening: &str, transcript: &str) {
    check_with(TlsRule::None, &format!("{opening}{transcript}"));
}

/// Runs a whole session.
pub(super) fn check_with(tls: TlsRule, transcript: &str) {
    for size in [usize::MAX, 1] {
        Run::new(tls, size).run(transcript);
    }
}

struct Run {
    session: ClientSession,
    /// What the session said and reported, and the transcript has not mentioned yet.
    said: VecDeque<String>,
    piece: usize,
    done: String,
}

impl Run {
    fn new(tls: TlsRule, piece: usize) -> Self {
        let session = ClientSession::new(Settings { hostname: "relay.example.com".into(), tls });
        Self { session, said: VecDeque::new(), piece, done: String::new() }
    }

    fn run(mut self, transcript: &str) {
        let lines: Vec<&str> = transcript.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut server = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let (who, words) = line.split_at(2);
            let words = words.strip_prefix(' ').unwrap_or(words);
            match who {
                "S:" => {
                    server.extend_from_slice(words.as_bytes());
                    server.extend_from_slice(b"\r\n");
                    if !lines.get(index + 1).is_some_and(|next| next.starts_with("S:")) {
                        self.hear(&std::mem::take(&mut server));
                    }
                }
                "A:" => {
                    self.expect_silence(line);
                    self.act(words);
                }
                _ => self.expect(line),
            }
            self.done.push_str(line);
            self.done.push('\n');
        }
        self.expect_silence("its end");
    }

    fn hear(&mut self, octets: &[u8]) {
        self.expect_silence("the server's words");
        for piece in octets.chunks(self.piece.min(octets.len())) {
            self.session.receive(piece);
            self.pump();
        }
    }

    fn expect(&mut self, line: &str) {
        let said = self.said.pop_front().unwrap_or_default();
        assert_eq!(said, line.trim_end(), "in pieces of {} octets, after\n{}", self.piece, self.done);
    }

    fn expect_silence(&self, before: &str) {
        assert_eq!(self.said, [""; 0], "before {before}, in pieces of {} octets, after\n{}", self.piece, self.done);
    }

    /// Takes the session as far as it goes.
    fn pump(&mut self) {
        loop {
            let event = self.session.advance();
            self.collect();
            let report = match event {
                Ok(Event::NeedInput) => return,
                Ok(event) => reported(&event),
                Err(error) => {
                    self.said.push_back(format!("E: error: {error}"));
                    return;
                }
            };
            let is_last = report.starts_with("answered") && !self.session.reusable();
            self.said.push_back(format!("E: {report}{}", if is_last { " (not reusable)" } else { "" }));
        }
    }

    fn collect(&mut self) {
        let output = std::mem::take(self.session.output());
        let output = String::from_utf8(output).expect("commands are text");
        assert!(output.is_empty() || output.ends_with("\r\n"), "{output:?}");
        for line in output.split_terminator("\r\n") {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            self.said.push_back(format!("C: {line}").trim_end().to_owned());
        }
    }

    fn act(&mut self, action: &str) {
        let words: Vec<&str> = action.split(' ').collect();
        let done = match words[..] {
            ["skip", "login"] => {
                self.session.skip_login();
                Ok(())
            }
            ["secured"] => {
                self.session.secured();
                Ok(())
            }
            ["login", mechanism, user, secret] => self.session.authenticate(&login(mechanism, user, secret)),
            ["send", ref envelope @ ..] => Message::read(envelope).begin(&mut self.session),
            ["probe", from, to] => self.session.begin_probe(&reverse_path(from), &forward_paths(to)),
            ["bdat", size] => {
                self.session.send_bdat(size.parse().expect("a size"));
                Ok(())
            }
            ["data"] => {
                self.session.send_data();
                Ok(())
            }
            ["content", "sent"] => {
                self.session.content_sent();
                Ok(())
            }
            ["quit"] => {
                self.session.quit();
                Ok(())
            }
            ["phase", phase] => {
                let now = self.session.content_phase();
                assert_eq!(phase, phase_name(now), "after\n{}", self.done);
                Ok(())
            }
            _ => panic!("no such action: {action}"),
        };
        match done {
            Ok(()) => self.pump_after_action(action),
            Err(error) => {
                self.collect();
                self.said.push_back(format!("E: error: {error}"));
            }
        }
    }

    /// A look at the phase is not to be followed by anything.
    fn pump_after_action(&mut self, action: &str) {
        if !action.starts_with("phase") {
            self.pump();
        }
    }
}

fn reported(event: &Event) -> String {
    match event {
        Event::NeedInput => unreachable!("it is not reported"),
        Event::StartTls => "start tls".into(),
        Event::Identified => "identified".into(),
        Event::Ready => "ready".into(),
        Event::RecipientsAccepted => "recipients accepted".into(),
        Event::GoAhead => "go ahead".into(),
        Event::EarlyReply(reply) => format!("early reply {reply}"),
        Event::Answered(Outcome { stage, reply, recipients, origin }) => {
            let codes: Vec<String> = recipients.iter().map(|reply| reply.code().to_string()).collect();
            format!("answered {stage:?} {reply} [{}] by {origin:?}", codes.join(" "))
        }
    }
}

fn phase_name(phase: ContentPhase) -> &'static str {
    match phase {
        ContentPhase::NotBegun => "none",
        ContentPhase::MayHaveBeenSent => "some",
        ContentPhase::FinalDotSent => "all",
    }
}

/// `FROM TO,TO bdat=N|data [size=N] [8bit] [utf8]`
struct Message {
    from: ReversePath,
    to: Vec<ForwardPath>,
    framing: Framing,
    size: Option<u64>,
    body: Body,
    smtputf8: bool,
}

impl Message {
    fn read(words: &[&str]) -> Self {
        let [from, to, parameters @ ..] = words else { panic!("no envelope: {words:?}") };
        let number = |name: &str| parameters.iter().find_map(|word| word.strip_prefix(name)?.parse().ok());
        let framing = number("bdat=").map_or(Framing::Data, |size| Framing::Bdat { size });
        Self {
            from: reverse_path(from),
            to: forward_paths(to),
            framing,
            size: number("size="),
            body: if parameters.contains(&"8bit") { Body::EightBitMime } else { Body::SevenBit },
            smtputf8: parameters.contains(&"utf8"),
        }
    }

    fn begin(&self, session: &mut ClientSession) -> Result<(), crate::client::Error> {
        let Self { from, to, framing, size, body, smtputf8 } = self;
        let transaction =
            Transaction { reverse_path: from, recipients: to, size: *size, body: *body, smtputf8: *smtputf8 };
        session.begin(&transaction, *framing)
    }
}

fn reverse_path(text: &str) -> ReversePath {
    match text {
        "<>" => ReversePath::Null,
        text => ReversePath::Mailbox(text.parse().expect("a mailbox")),
    }
}

fn forward_paths(text: &str) -> Vec<ForwardPath> {
    let texts = text.split(',').filter(|text| *text != "nobody");
    texts.map(|text| ForwardPath::Mailbox(text.parse().expect("a mailbox"))).collect()
}

/// `\0` and the like stand for octets, `-` for none.
fn login(mechanism: &str, user: &str, secret: &str) -> Login {
    let octets = |text: &str| match text {
        "-" => String::new(),
        text => text.replace("\\0", "\0").replace("\\r", "\r").replace("\\n", "\n").replace("\\1", "\x01"),
    };
    Login {
        mechanism: Mechanism::named(mechanism.as_bytes()).expect("a mechanism"),
        user: octets(user),
        secret: Secret::new(octets(secret)),
        server: ("smtp.example.org".into(), 587),
    }
}
