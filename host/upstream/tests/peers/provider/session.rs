//! The provider's side of one session, by hand: lines in, lines out.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::stream::Stream;

use super::{Act, At, Moment, Plan, Seen};

pub(super) struct Session {
    pub(super) stream: Option<Stream>,
    pub(super) input: Vec<u8>,
    pub(super) seen: Arc<Seen>,
    pub(super) plan: Arc<Plan>,
    pub(super) extensions: &'static str,
    pub(super) connection: usize,
    pub(super) message: usize,
    pub(super) has_sender: bool,
    pub(super) recipients: usize,
    /// For STARTTLS.
    pub(super) acceptor: Option<Acceptor>,
    /// A content that has not been answered.
    pub(super) arrived: Option<Vec<u8>>,
}

/// The connection is over.
struct Over;

impl Session {
    pub(super) async fn serve(&mut self) {
        let seen = Arc::clone(&self.seen);
        tokio::select! {
            _over = self.converse() => {}
            () = seen.end.notified() => {}
        }
    }

    async fn converse(&mut self) -> Result<(), Over> {
        self.act(At::Greeting, "", "220 smtp.example.com ESMTP").await?;
        loop {
            let line = self.line().await?;
            self.seen.lines.lock().unwrap().push(line.clone());
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.act(At::Ehlo, &line, "").await?,
                "AUTH" => {
                    let said = self.act(At::Auth, &line, "235 2.7.0 Accepted").await?;
                    if said.starts_with("235") {
                        self.seen.logins.fetch_add(1, Ordering::SeqCst);
                    }
                    said
                }
                "MAIL" => {
                    self.recipients = 0;
                    let said = self.act(At::Mail, &line, "250 2.1.0 OK").await?;
                    self.has_sender = said.starts_with("250");
                    said
                }
                "RCPT" if !self.has_sender => self.say("503 5.5.1 No sender").await?,
                "RCPT" => {
                    let said = self.act(At::Rcpt, &line, "250 2.1.5 OK").await?;
                    self.recipients += usize::from(said.starts_with("250"));
                    said
                }
                "DATA" if self.recipients == 0 => self.say("503 5.5.1 No recipients").await?,
                "DATA" => self.data(&line).await?,
                "BDAT" => self.bdat(&line).await?,
                "RSET" => {
                    self.recipients = 0;
                    self.act(At::Rset, &line, "250 2.0.0 OK").await?
                }
                "STARTTLS" => {
                    self.say("220 2.0.0 Go ahead").await?;
                    self.secure().await?
                }
                // The client's answer to a challenge.
                "" => self.say("535 5.7.8 Username and Password not accepted").await?,
                "QUIT" => {
                    self.seen.quits.fetch_add(1, Ordering::SeqCst);
                    self.say("221 2.0.0 Bye").await?;
                    return Err(Over);
                }
                _ => self.say("502 5.5.1 What?").await?,
            };
        }
    }

    async fn secure(&mut self) -> Result<String, Over> {
        let (stream, acceptor) = (self.stream.as_mut().ok_or(Over)?, self.acceptor.take().ok_or(Over)?);
        stream.accept_tls(&acceptor).await.map_err(|_| Over)?;
        Ok(String::new())
    }

    async fn data(&mut self, line: &str) -> Result<String, Over> {
        let said = self.act(At::Data, line, "354 Go ahead").await?;
        if !said.starts_with("354") {
            return Ok(said);
        }
        let mut content = Vec::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            content.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
            content.extend_from_slice(b"\r\n");
        }
        self.content(content).await
    }

    async fn bdat(&mut self, line: &str) -> Result<String, Over> {
        let size: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
        while self.input.len() < size {
            self.read().await?;
        }
        let content: Vec<u8> = self.input.drain(..size).collect();
        if self.recipients == 0 {
            return self.say("503 5.5.1 No recipients").await;
        }
        self.content(content).await
    }

    async fn content(&mut self, content: Vec<u8>) -> Result<String, Over> {
        self.arrived = Some(content);
        let said = self.act(At::Content, "", "250 2.0.0 Taken").await?;
        self.arrived = None;
        self.recipients = 0;
        self.act(At::Afterwards, "", "").await?;
        self.message += 1;
        Ok(said)
    }

    /// Asks the plan and carries it out; what was said.
    async fn act(&mut self, at: At, line: &str, usual: &str) -> Result<String, Over> {
        let (connection, message) = (self.connection, self.message);
        match (self.plan)(&Moment { at, connection, message, line: line.to_owned() }) {
            Act::Usual => self.usual(at, usual).await,
            Act::Say(reply) => self.say(reply).await,
            Act::SayLater(reply, delay) => {
                tokio::time::sleep(delay).await;
                self.say(reply).await
            }
            Act::SayAndClose(reply) => {
                self.say(reply).await?;
                Err(Over)
            }
            Act::SayAndStall(reply) => {
                self.say(reply).await?;
                pending().await
            }
            Act::Close => Err(Over),
            Act::Reset => Err(self.reset()),
            Act::ResetAt(bell) => {
                bell.notified().await;
                Err(self.reset())
            }
            Act::SayAt(reply, bell) => {
                bell.notified().await;
                self.say(reply).await
            }
            Act::Stall => pending().await,
            Act::CloseAt(bell) => {
                bell.notified().await;
                Err(Over)
            }
            Act::SayAndCloseAt(reply, bell) => {
                bell.notified().await;
                self.say(reply).await?;
                Err(Over)
            }
            Act::UsualAt(bell) => {
                bell.notified().await;
                self.usual(at, usual).await
            }
        }
    }

    /// Makes the connection end with RST instead of FIN.
    fn reset(&mut self) -> Over {
        if let Some(stream) = self.stream.take() {
            stream.reset();
        }
        Over
    }

    async fn usual(&mut self, at: At, usual: &str) -> Result<String, Over> {
        match (at, usual) {
            (At::Ehlo, _) => {
                let reply = format!("250-smtp.example.com at your service\r\n{}", self.extensions);
                self.send(reply.as_bytes()).await?;
                Ok(reply)
            }
            (_, "") => Ok(String::new()),
            (_, usual) => self.say(usual).await,
        }
    }

    async fn say(&mut self, reply: &str) -> Result<String, Over> {
        // Accounted for before the client can know.
        if reply.starts_with("250") {
            self.seen.messages.lock().unwrap().extend(self.arrived.take());
        }
        self.send(format!("{reply}\r\n").as_bytes()).await?;
        Ok(reply.to_owned())
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), Over> {
        self.stream.as_mut().ok_or(Over)?.send(octets).await.map_err(|_| Over)
    }

    async fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(at) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Over> {
        let stream = self.stream.as_mut().ok_or(Over)?;
        let octets = stream.receive(<[u8]>::to_vec).await.map_err(|_| Over)?;
        if octets.is_empty() {
            return Err(Over);
        }
        self.seen.reads.lock().unwrap().push(octets.clone());
        self.input.extend_from_slice(&octets);
        Ok(())
    }
}
