//! A tenant for guests to harm: two accounts, a route, a sender's domain.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use posthouse_policy::call::{Attempt, Envelope, Inquiry, Mail, Moment, Outcome};
use posthouse_policy::realm::{Account, Realm};
use tokio::time::Instant;

#[derive(Debug)]
struct Acme;

impl Realm for Acme {
    fn accounts(&self) -> Vec<Account> {
        let account = |id: &str, provider| Account {
            id: id.to_owned(),
            address: format!("{id}@acme.example"),
            provider,
            is_ready: true,
            in_use: 0,
            allowed: 8,
            waiting: 0,
        };
        vec![account("gmail", "gmail"), account("outlook", "outlook")]
    }

    fn has_account(&self, id: &str) -> bool {
        ["gmail", "outlook"].contains(&id)
    }

    fn routes(&self) -> Vec<String> {
        vec!["bulk".to_owned()]
    }

    fn check_sender(&self, address: &str) -> Result<(), String> {
        let is_ours = address.ends_with("@acme.example") && self.check_recipient(address).is_ok();
        if is_ours { Ok(()) } else { Err("it is not the tenant's".to_owned()) }
    }

    fn check_recipient(&self, address: &str) -> Result<(), String> {
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"@.-".contains(&octet);
        let is_address = address.bytes().all(fits) && address.matches('@').count() == 1;
        if is_address { Ok(()) } else { Err("it is no address".to_owned()) }
    }
}

pub(crate) fn inquiry() -> Inquiry {
    Inquiry {
        realm: Arc::new(Acme),
        envelope: Envelope {
            transaction: "t-1".to_owned(),
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            helo: "client.example.com".to_owned(),
            is_encrypted: true,
            login: "app".to_owned(),
            sender: "app@acme.example".to_owned(),
            recipients: vec!["ann@example.org".to_owned()],
            declared_size: None,
            smtputf8: false,
            carried: Vec::new(),
        },
        moment: Moment { unix_milliseconds: 1_790_000_000_000, seed: 7, now: Instant::now() },
    }
}

pub(crate) fn mail() -> Mail {
    let body = "0123456789abcdef\r\n".repeat(64 * 1024);
    Mail::new(format!("Subject: hello\r\nFrom: app@acme.example\r\n\r\n{body}").into_bytes(), true)
}

pub(crate) fn attempt() -> Attempt {
    Attempt {
        number: 1,
        account: "gmail".to_owned(),
        outcome: Outcome::Deferred,
        code: 451,
        text: "later".to_owned(),
        took: std::time::Duration::from_millis(20),
        can_go_on: true,
    }
}
