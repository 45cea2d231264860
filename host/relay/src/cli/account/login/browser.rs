//! Consent in a browser on this machine, which comes back to a port on loopback (RFC 8252 7.3).

use std::net::Ipv4Addr;
use std::time::Duration;

use posthouse_oauth::client::{Client, Issued};
use posthouse_oauth::consent::Challenge;
use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::provider::ProviderKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, timeout};

use super::Places;
use crate::cli::account::advice;
use crate::cli::terminal::{Style, say, styled};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const PROGRESS: Duration = Duration::from_secs(15);
/// How long a browser may take to say what it wants, and how much that may be.
const REQUEST: (Duration, usize) = (Duration::from_secs(5), 16 * 1024);

/// What a browser brought back.
enum Brought {
    Code(Secret),
    Refusal(String),
}

pub(super) async fn consent(client: &Client, places: &Places, page: &Endpoint, port: u16) -> Result<Issued, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}"))?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    // Microsoft takes any port of the name, Google any port of the address.
    let host = if places.kind == ProviderKind::Gmail { "127.0.0.1" } else { "localhost" };
    let redirect_uri = format!("http://{host}:{port}");
    let challenge = Challenge::new().map_err(|error| error.to_string())?;
    let link = challenge.link(page, &places.application, &redirect_uri, places.mailbox.as_deref());
    let link = link.map_err(|error| error.to_string())?;
    say(&format!("Open in a browser on this machine, and log in as the mailbox's owner:\n\n{link}\n"));
    let code = match timeout(PATIENCE, wait(&listener, challenge.state())).await {
        Ok(Brought::Code(code)) => code,
        Ok(Brought::Refusal(error)) => return Err(advice::told("login", places.kind, &error)),
        Err(_) => return Err("no browser came back in time; run the command again".to_owned()),
    };
    let issued = client.redeem_code(&places.token, &places.application, &challenge, &redirect_uri, &code).await;
    issued.map_err(|error| advice::told("login", places.kind, &error.to_string()))
}

/// The first answer that is one to what was asked. Whatever else comes to the port is answered and forgotten.
async fn wait(listener: &TcpListener, state: &str) -> Brought {
    let mut progress = interval(PROGRESS);
    let mut left = PATIENCE + PROGRESS;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((mut socket, _)) = accepted else { continue };
                let target = timeout(REQUEST.0, target(&mut socket)).await.ok().flatten();
                let brought = target.as_deref().and_then(|target| brought(target, state));
                answer(&mut socket, brought.as_ref()).await;
                if let Some(brought) = brought {
                    return brought;
                }
            }
            _ = progress.tick() => {
                left = left.saturating_sub(PROGRESS);
                let minutes = left.as_secs().div_ceil(60);
                say(&styled(Style::Faint, &format!("waiting for the browser, {minutes} min left (^C ends it)")));
            }
        }
    }
}

/// The target of a GET request.
async fn target(socket: &mut TcpStream) -> Option<String> {
    let (mut request, mut chunk) = (Vec::new(), [0; 2_048]);
    while !request.windows(4).any(|part| part == b"\r\n\r\n") {
        match socket.read(&mut chunk).await {
            Ok(count) if count > 0 && request.len() < REQUEST.1 => request.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
    let text = String::from_utf8(request).ok()?;
    text.strip_prefix("GET ")?.split(' ').next().map(str::to_owned)
}

/// The code or the error of an answer with this state (RFC 6749 4.1.2).
fn brought(target: &str, state: &str) -> Option<Brought> {
    let query = target.split_once('?')?.1;
    let field = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| decoded(value))
    };
    if field("state")? != state {
        return None;
    }
    match (field("code"), field("error")) {
        (Some(code), None) => Some(Brought::Code(Secret::new(code))),
        (None, Some(error)) => {
            let description = field("error_description").unwrap_or_default();
            let text: String = format!("{error} {description}").chars().filter(|c| !c.is_control()).take(300).collect();
            Some(Brought::Refusal(text.trim_end().to_owned()))
        }
        _ => None,
    }
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &behind[2..];
            }
            (octet, _) => {
                octets.push(if *octet == b'+' { b' ' } else { *octet });
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

async fn answer(socket: &mut TcpStream, brought: Option<&Brought>) {
    let (status, text) = match brought {
        Some(Brought::Code(_)) => ("200 OK", "Consent was given. You can close this window."),
        Some(Brought::Refusal(_)) => ("200 OK", "Consent was not given. The terminal says more."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that went away has brought what it had.
    let _ = socket.write_all(answer.as_bytes()).await;
    let _ = socket.shutdown().await;
}

#[cfg(test)]
mod tests {
    //! What is taken for an answer.

    use super::{Brought, brought};

    #[test]
    fn only_an_answer_to_what_was_asked_is_one() {
        let code = |target| match brought(target, "s/1") {
            Some(Brought::Code(code)) => Some(code.expose().to_owned()),
            _ => None,
        };
        assert_eq!(code("/?code=4%2F0a-b+c&state=s%2F1&scope=x"), Some("4/0a-b c".to_owned()));
        for other in
            ["/favicon.ico", "/?code=x", "/?code=x&state=other", "/?state=s%2F1", "/?code=x&error=y&state=s%2F1"]
        {
            assert_eq!(code(other), None, "{other}");
        }
        let refusal = brought("/?error=access_denied&error_description=The+user%0Asaid%zz+no&state=s%2F1", "s/1");
        assert!(matches!(refusal, Some(Brought::Refusal(text)) if text == "access_denied The usersaid%zz no"));
    }
}
