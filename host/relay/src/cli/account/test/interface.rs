//! A provider's interface over HTTP: the same way that mail goes, and a request that sends nothing.

use std::time::SystemTime;

use posthouse_mail::date::Date;
use posthouse_smtp::client::login::Login;
use posthouse_smtp::sasl::{Mechanism, Secret};
use posthouse_upstream::deliver::{Content, deliver};
use posthouse_upstream::error::Error;
use posthouse_upstream::login::{LoginError, LoginFuture, LoginSource, SessionLogin};
use posthouse_upstream::pool::Pool;
use posthouse_upstream::probe::verify_login;
use posthouse_upstream::replies::{Replies, Table};
use tokio::time::Instant;

use super::message;
use super::network;
use super::steps::Steps;
use super::token::{self, Credentials};
use crate::account::{Surroundings, pool};
use crate::config::account::Account;
use crate::replies::unlisted;

/// Whether a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Nothing,
    Message,
}

pub(super) async fn tested(account: &Account, around: &Surroundings<'_>, sending: Sending, steps: &mut Steps) {
    let reached = network::reached(account, around, steps).await;
    let secret = token::obtained(account, around, steps).await;
    let (Some((connector, _stream)), Some(Credentials::Secret(secret))) = (reached, secret) else {
        steps.skipped("AUTH", "not tried");
        if sending == Sending::Message {
            steps.skipped("message", "not tried");
        }
        return;
    };
    let login = Login {
        mechanism: Mechanism::XOAuth2, // not said: the token goes with each request
        user: account.user.clone(),
        secret: Secret::new(secret.expose()),
        server: (account.provider.host.clone(), account.provider.port),
    };
    let logins = ThisToken(SessionLogin { login: Some(login), valid_until: None });
    let replies = Replies::new(Table::shipped(), unlisted());
    let pool = pool(account, connector, around);
    match verify_login(&pool, &logins, &replies, Instant::now() + around.connect).await {
        // The refusal is of the empty message that was in the request.
        Ok(_refusal) => steps.ok("AUTH", &format!("logged in as {}", account.user)),
        Err(error) => {
            steps.fail("AUTH", &told(&error));
            if sending == Sending::Message {
                steps.skipped("message", "not tried");
            }
            return;
        }
    }
    if sending == Sending::Message {
        match sent(account, around, &pool, &logins, &replies).await {
            Ok(reply) => steps.ok("message", &format!("taken: {reply}")),
            Err(error) => steps.fail("message", &told(&error)),
        }
    }
    pool.close_idle().await;
}

/// One message to the mailbox itself; the answer.
async fn sent(
    account: &Account,
    around: &Surroundings<'_>,
    pool: &Pool,
    logins: &ThisToken,
    replies: &Replies,
) -> Result<String, Error> {
    let address = account.address.to_string();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let content = message::content(&address, around.hostname, Date::from_unix_seconds(now.as_secs()), now.as_nanos());
    let itself = message::ToItself::of(account);
    let deadline = Instant::now() + around.connect;
    let slices = [content.as_bytes()];
    let delivered = deliver(pool, logins, replies, &itself.envelope(), Content::Whole(&slices), deadline).await?;
    Ok(delivered.reply.to_string())
}

fn told(error: &Error) -> String {
    match error {
        Error::Refused { reply, .. } => reply.to_string(),
        error => error.to_string(),
    }
}

/// The token that the step before was given, and no other.
struct ThisToken(SessionLogin);

impl LoginSource for ThisToken {
    fn login(&self) -> LoginFuture<'_> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn refused<'a>(&'a self, _refused: &'a SessionLogin) -> LoginFuture<'a> {
        Box::pin(async { Err(LoginError::NothingNewer) })
    }
}
