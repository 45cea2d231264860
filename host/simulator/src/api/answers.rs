//! What the interfaces answer, each in its own words: codes at Graph, reasons at Google.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::provider::Provider;
use crate::token_endpoint::body::Whole;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no such thing here.
    NotFound,
    /// The token is none, or its time is over.
    Token,
    /// The token does not open this mailbox.
    NotAllowed,
    /// There is no such mailbox.
    NoMailbox,
    /// The message is none.
    Malformed,
    /// Nobody is to have it.
    NoRecipients,
    /// Too many are.
    TooManyRecipients,
    /// It is too large.
    TooLarge,
    /// Too many requests at a time.
    Concurrency,
    /// Too many messages in a minute.
    Rate,
    /// Too many recipients in a day.
    Daily,
    /// Another sender than the mailbox.
    SendAs,
    /// What a fault says.
    Fault { status: u16, code: String, retry_after: Option<u64> },
}

impl Refused {
    /// A reply of SMTP, where a fault or a recipient has one.
    pub(super) fn of_reply(text: &str) -> Self {
        let status = if text.starts_with('5') { 400 } else { 503 };
        Self::Fault { status, code: text.to_owned(), retry_after: None }
    }

    fn graph(&self) -> (u16, &str, &str) {
        match self {
            Self::NotFound => (404, "ResourceNotFound", "Resource could not be discovered."),
            Self::Token => (401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
            Self::NotAllowed => (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."),
            Self::NoMailbox => (404, "ErrorInvalidUser", "The requested user is invalid."),
            Self::Malformed => (400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content."),
            Self::NoRecipients => (400, "ErrorInvalidRecipients", "At least one recipient is not valid."),
            Self::TooManyRecipients => (400, "ErrorInvalidRecipients", "The message has too many recipients."),
            Self::TooLarge => (413, "RequestEntityTooLarge", "The request is larger than 4 MB."),
            Self::Concurrency => (429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
            Self::Rate => (429, "ErrorExceededMessageLimit", "The message submission rate was exceeded."),
            Self::Daily => (429, "ErrorExceededMessageLimit", "The daily message limit was exceeded."),
            Self::SendAs => (
                403,
                "ErrorSendAsDenied",
                "The user account which was used to submit this request does not have the \
                 right to send mail on behalf of the specified sending account.",
            ),
            Self::Fault { status, code, .. } => (*status, code, "as a fault has it"),
        }
    }

    fn gmail(&self) -> (u16, &str, &str) {
        match self {
            Self::NotFound => (404, "notFound", "Not Found"),
            Self::Token => (401, "authError", "Invalid Credentials"),
            Self::NotAllowed => (403, "forbidden", "Delegation denied for this user"),
            Self::NoMailbox => (404, "notFound", "Requested entity was not found."),
            Self::Malformed | Self::NoRecipients => (400, "invalidArgument", "Recipient address required"),
            Self::TooManyRecipients => (400, "invalidArgument", "Too many recipients"),
            Self::TooLarge => (413, "uploadTooLarge", "Request Too Large"),
            Self::Concurrency => (429, "rateLimitExceeded", "Too many concurrent requests for user"),
            Self::Rate => (429, "userRateLimitExceeded", "User-rate limit exceeded."),
            Self::Daily => (429, "dailyLimitExceeded", "User-rate limit exceeded (Mail sending)"),
            Self::SendAs => (403, "forbidden", "Delegation denied"),
            Self::Fault { status, code, .. } => (*status, code, "as a fault has it"),
        }
    }

    /// The answer that says so.
    pub(super) fn response(&self, provider: Provider) -> Response<Whole> {
        let (status, body) = match provider {
            Provider::Outlook => {
                let (status, code, message) = self.graph();
                (status, json!({ "error": { "code": code, "message": message } }))
            }
            Provider::Gmail => {
                let (status, reason, message) = self.gmail();
                let errors = [json!({ "domain": "global", "reason": reason, "message": message })];
                (status, json!({ "error": { "code": status, "message": message, "errors": errors } }))
            }
        };
        let mut response = with_body(status, body.to_string());
        if let Self::Fault { retry_after: Some(seconds), .. } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        response
    }
}

/// The answer to a message that was taken.
pub(super) fn taken(provider: Provider, number: u64) -> Response<Whole> {
    match provider {
        Provider::Outlook => {
            let mut response = with_body(202, String::new());
            let id = format!("00000000-0000-0000-0000-{number:012x}");
            if let Ok(id) = HeaderValue::try_from(id) {
                response.headers_mut().insert(HeaderName::from_static("request-id"), id);
            }
            response
        }
        Provider::Gmail => {
            let id = format!("{number:016x}");
            with_body(200, json!({ "id": id, "threadId": id, "labelIds": ["SENT"] }).to_string())
        }
    }
}

fn with_body(status: u16, body: String) -> Response<Whole> {
    let mut response = Response::new(Whole::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
