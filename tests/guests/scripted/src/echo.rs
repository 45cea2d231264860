//! What a policy can learn, as text: for a header, a log line or a condition.

use posthouse_policy::{Attempt, Message, accounts, environment, key_value};

use crate::step::{Subject, calls, number};

/// The value of one thing; `argument` is what it is asked with, such as a field's name.
pub(crate) fn value(subject: &Subject, what: &str, argument: &str) -> String {
    let envelope = subject.envelope;
    match what {
        "transaction" => envelope.transaction(),
        "client" => envelope.client_address(),
        "helo" => envelope.helo(),
        "tls" => envelope.is_encrypted().to_string(),
        "login" => envelope.login(),
        "sender" => envelope.sender(),
        "recipients" => envelope.recipients().join(" "),
        "size" => optional(envelope.declared_size()),
        "smtputf8" => envelope.needs_smtputf8().to_string(),
        "carried" => String::from_utf8_lossy(&envelope.carried()).into_owned(),
        "recipient" => subject.recipient.unwrap_or("none").to_owned(),
        "now" => environment::now().to_string(),
        "seed" => environment::seed().to_string(),
        "has" => environment::has(argument).to_string(),
        "accounts" => accounts::all().iter().map(described).collect::<Vec<_>>().join(" "),
        "least-loaded" => accounts::least_loaded().join(" "),
        "routes" => accounts::routes().join(" "),
        "ready" => accounts::is_ready(argument).to_string(),
        "load" => {
            optional(accounts::load(argument).map(|load| format!("{}/{}+{}", load.in_use, load.allowed, load.waiting)))
        }
        "calls" => calls(argument).to_string(),
        "remembered" => optional(key_value::get(argument).map(|octets| String::from_utf8_lossy(&octets).into_owned())),
        _ => match (subject.message, subject.attempt) {
            (Some(message), _) => of_message(message, what, argument),
            (_, Some(attempt)) => of_attempt(attempt, what),
            _ => panic!("{what}: nothing that a recipient has"),
        },
    }
}

fn of_message(message: &Message, what: &str, argument: &str) -> String {
    match what {
        "subject" => optional(message.header("Subject")),
        "header" => optional(message.header(argument)),
        "headers" => message.headers(argument).join("|"),
        "header-at" => optional(message.header_at(number(argument)).map(|(name, body)| format!("{name}={body}"))),
        "raw-header" => optional(message.raw_header(argument).map(|octets| octets.escape_ascii().to_string())),
        "header-count" => message.header_count().to_string(),
        "is-signed" => message.is_signed(argument).to_string(),
        "body-size" => message.body_size().to_string(),
        "has-whole-body" => message.has_whole_body().to_string(),
        "read-body" => match message.read_body(0, number(argument)) {
            Ok(octets) => octets.escape_ascii().to_string(),
            Err(error) => format!("{error}"),
        },
        _ => panic!("{what}: nothing that a message has"),
    }
}

fn of_attempt(attempt: &Attempt, what: &str) -> String {
    match what {
        "number" => attempt.number().to_string(),
        "account" => attempt.account(),
        "outcome" => format!("{:?}", attempt.outcome()),
        "code" => attempt.code().to_string(),
        "text" => attempt.text(),
        "milliseconds" => attempt.milliseconds().to_string(),
        "can-go-on" => attempt.can_go_on().to_string(),
        _ => panic!("{what}: nothing that an attempt has"),
    }
}

fn described(account: &accounts::Account) -> String {
    format!("{}={}={}", account.id, account.address, account.provider)
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
