//! AUTH.

use posthouse_smtp::client::Event;
use posthouse_smtp::client::login::Login;
use posthouse_smtp::sasl::Secret;

use super::network::Session;
use super::steps::Steps;
use super::token::Credentials;
use crate::config::account::{Account, Grant};

/// A session that is logged in, where there is a connection and something to log in with.
pub(super) async fn made(
    account: &Account,
    connection: Option<Session>,
    credentials: Option<Credentials>,
    steps: &mut Steps,
) -> Option<Session> {
    let (Some(mut session), Some(credentials)) = (connection, credentials) else {
        steps.skipped("AUTH", "not tried");
        return None;
    };
    match login(account, &credentials) {
        None => session.client.skip_login(),
        Some(login) => {
            if let Err(error) = session.client.authenticate(&login) {
                steps.fail("AUTH", &error.to_string());
                return None;
            }
        }
    }
    loop {
        match session.next().await {
            Ok(Event::Ready) => {
                match account.grant {
                    Grant::None => steps.skipped("AUTH", "none, as configured"),
                    _ => steps.ok("AUTH", &format!("logged in as {}", account.user)),
                }
                return Some(session);
            }
            Ok(_) => {}
            Err(ended) => {
                steps.fail("AUTH", &ended.to_string());
                return None;
            }
        }
    }
}

fn login(account: &Account, credentials: &Credentials) -> Option<Login> {
    let Credentials::Secret(secret) = credentials else { return None };
    let (Grant::Token { mechanism, .. } | Grant::Password { mechanism, .. }) = &account.grant else { return None };
    Some(Login {
        mechanism: *mechanism,
        user: account.user.clone(),
        secret: Secret::new(secret.expose()),
        server: (account.provider.host.clone(), account.provider.port),
    })
}
