//! One client connection of the load: SMTP as raw octets, as few system calls as it can.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How a client says who it is.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// AUTH PLAIN with this login and password: to the relay.
    Plain { login: String, password: String },
    /// AUTH XOAUTH2 with this token: through a pass-through, to the provider itself.
    Token { mailbox: String, token: String },
}

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// MAIL, RCPT, DATA, content, each after the reply to the one before.
    Lockstep,
    /// MAIL, RCPT and DATA at once.
    Pipelined,
}

/// One message to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Message<'a> {
    pub(crate) sender: &'a str,
    pub(crate) number: u64,
    pub(crate) content: &'a [u8],
}

/// A connection that has logged in.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    read: usize,
    out: Vec<u8>,
    manner: Manner,
}

impl Client {
    pub(crate) async fn log_in(address: SocketAddr, proof: &Proof, manner: Manner) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (unread, out) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
        let mut client = Self { stream, unread, read: 0, out, manner };
        client.expect(220).await?;
        client.command(b"EHLO load.example.com\r\n", 250).await?;
        let line = match proof {
            Proof::Plain { login, password } => format!("AUTH PLAIN {}\r\n", base64(&format!("\0{login}\0{password}"))),
            Proof::Token { mailbox, token } => {
                format!("AUTH XOAUTH2 {}\r\n", base64(&format!("user={mailbox}\x01auth=Bearer {token}\x01\x01")))
            }
        };
        client.command(line.as_bytes(), 235).await?;
        Ok(client)
    }

    /// Sends one message and gives the reply that it came to, whichever command that answers.
    pub(crate) async fn send_for_reply(&mut self, message: &Message<'_>) -> io::Result<String> {
        let Message { sender, number, content } = message;
        let mut said = String::new();
        let lines =
            [format!("MAIL FROM:<{sender}>\r\n"), format!("RCPT TO:<r{number}@example.org>\r\n"), "DATA\r\n".into()];
        for line in lines {
            self.write(line.as_bytes()).await?;
            said = self.line().await?;
            if !said.starts_with("250") && !said.starts_with("354") {
                self.ask(b"RSET\r\n").await?;
                return Ok(said);
            }
        }
        if said.starts_with("354") {
            self.write(&[content, &b"\r\n.\r\n"[..]].concat()).await?;
            said = self.line().await?;
        }
        Ok(said)
    }

    /// Sends one message; `true` when it was accepted, `false` when it was answered otherwise.
    pub(crate) async fn send(&mut self, message: &Message<'_>) -> io::Result<bool> {
        let Message { sender, number, content } = message;
        let mail = format!("MAIL FROM:<{sender}>\r\n");
        let rcpt = format!("RCPT TO:<r{number}@example.org>\r\n");
        match self.manner {
            Manner::Lockstep => {
                for line in [mail.as_bytes(), rcpt.as_bytes()] {
                    if self.ask(line).await? != 250 {
                        return self.give_up().await;
                    }
                }
                if self.ask(b"DATA\r\n").await? != 354 {
                    return self.give_up().await;
                }
            }
            Manner::Pipelined => {
                self.write(&[mail.as_bytes(), rcpt.as_bytes(), b"DATA\r\n"].concat()).await?;
                let codes = [self.reply().await?, self.reply().await?, self.reply().await?];
                if codes != [250, 250, 354] {
                    return self.give_up().await;
                }
            }
        }
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        out.extend_from_slice(format!("X-Load: {number}\r\n").as_bytes());
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n.\r\n");
        let written = self.write(&out).await;
        self.out = out;
        written?;
        Ok(self.reply().await? == 250)
    }

    pub(crate) async fn quit(mut self) {
        let _ = self.ask(b"QUIT\r\n").await;
    }

    async fn give_up(&mut self) -> io::Result<bool> {
        self.ask(b"RSET\r\n").await?;
        Ok(false)
    }

    async fn ask(&mut self, line: &[u8]) -> io::Result<u16> {
        self.write(line).await?;
        self.reply().await
    }

    async fn command(&mut self, line: &[u8], code: u16) -> io::Result<()> {
        self.write(line).await?;
        self.expect(code).await
    }

    async fn expect(&mut self, code: u16) -> io::Result<()> {
        match self.reply().await? {
            got if got == code => Ok(()),
            got => Err(io::Error::other(format!("expected {code}, got {got}"))),
        }
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }

    /// The code of the next reply.
    async fn reply(&mut self) -> io::Result<u16> {
        let line = self.last_line().await?;
        let code = self.unread[line].get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        code.ok_or_else(|| io::Error::other("a line that is no reply"))
    }

    /// The last line of the next reply, as text.
    async fn line(&mut self) -> io::Result<String> {
        let line = self.last_line().await?;
        Ok(String::from_utf8_lossy(&self.unread[line]).into_owned())
    }

    /// Where the last line of the next reply is.
    async fn last_line(&mut self) -> io::Result<Range<usize>> {
        loop {
            while let Some(length) = self.unread[self.read..].windows(2).position(|pair| pair == b"\r\n") {
                let line = self.read..self.read + length;
                self.read = line.end + 2;
                if self.unread[line.clone()].get(3) != Some(&b'-') {
                    return Ok(line);
                }
            }
            self.unread.drain(..self.read);
            self.read = 0;
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Base64 with padding (RFC 4648 4).
pub(crate) fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextets = |group: &[u8]| {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        (0..4).map(move |index| (bits >> (18 - 6 * index) & 63) as usize)
    };
    text.as_bytes()
        .chunks(3)
        .flat_map(|group| {
            sextets(group)
                .enumerate()
                .map(|(index, sextet)| if index <= group.len() { ALPHABET[sextet] as char } else { '=' })
        })
        .collect()
}
