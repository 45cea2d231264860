//! The requests that send a message: Microsoft Graph's `sendMail` with MIME content
//! (<https://learn.microsoft.com/graph/api/user-sendmail>), and the Gmail API's `messages.send` by simple upload
//! (<https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send>).

use std::fmt::Write as _;

use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};

use crate::http::body::Outgoing;
use crate::login::SessionLogin;
use crate::target::Target;
use crate::transport::Transport;

/// Why no request can be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unaskable {
    /// There is no token: the account's grant is none.
    #[error("it takes access tokens, and the account has none; give it another grant")]
    NoToken,
    /// The token or the host cannot stand in a header.
    #[error("a request cannot be written: {0}")]
    Http(#[from] hyper::http::Error),
}

/// The request with this body.
pub(super) fn request(target: &Target, login: &SessionLogin, body: Outgoing) -> Result<Request<Outgoing>, Unaskable> {
    let login = login.login.as_ref().ok_or(Unaskable::NoToken)?;
    let bearer = [b"Bearer ", login.secret.expose()].concat();
    let mut bearer = HeaderValue::from_bytes(&bearer).map_err(hyper::http::Error::from)?;
    bearer.set_sensitive(true);
    let host = if target.port == 443 { target.host.clone() } else { target.to_string() };
    let request = Request::post(path(target.transport, &login.user))
        .header(HOST, host)
        .header(USER_AGENT, "posthouse")
        .header(AUTHORIZATION, bearer)
        .header(CONTENT_TYPE, content_type(target.transport))
        .body(body)?;
    Ok(request)
}

fn path(transport: Transport, user: &str) -> String {
    let user = encoded(user);
    match transport {
        Transport::GmailApi => format!("/upload/gmail/v1/users/{user}/messages/send?uploadType=media"),
        Transport::Graph | Transport::Smtp => format!("/v1.0/users/{user}/sendMail"),
    }
}

fn content_type(transport: Transport) -> &'static str {
    match transport {
        Transport::GmailApi => "message/rfc822",
        Transport::Graph | Transport::Smtp => "text/plain",
    }
}

/// A mailbox as one segment of a path (RFC 3986 3.3): whatever it holds, it ends no segment and begins no query.
fn encoded(user: &str) -> String {
    let mut segment = String::with_capacity(user.len());
    for octet in user.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => segment.push(octet.into()),
            _ => {
                let _infallible = write!(segment, "%{octet:02X}");
            }
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::path;
    use crate::transport::Transport;

    #[test]
    fn a_mailbox_is_one_segment_of_the_path() {
        assert_eq!(path(Transport::Graph, "ann@example.org"), "/v1.0/users/ann@example.org/sendMail");
        let strange = path(Transport::GmailApi, "a/b?c#%ä@example.org");
        let expected = "/upload/gmail/v1/users/a%2Fb%3Fc%23%25%C3%A4@example.org/messages/send?uploadType=media";
        assert_eq!(strange, expected);
    }
}
