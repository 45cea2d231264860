//! One message to one provider: a session, the envelope, the content, the answer.
//!
//! A session is held only while bytes flow. A delivery is begun anew at most once, on a new
//! session, and only where a session that was at hand failed before the provider can have had an
//! octet of content, or where it has refused MAIL itself. A message that the provider has refused, for reasons that pass
//! within seconds, is put to it again (`again`). Invariant: after the last octet of the
//! content has left, only the provider's own reply says what became of the message; where that is
//! lost, the outcome is [`Error::Ambiguous`] and nothing is sent again.

use std::time::Duration;

use posthouse_smtp::client::Transaction;
use posthouse_smtp::reply::Reply;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::alarm::Alarm;
use crate::dial;
use crate::error::Error;
use crate::login::{LoginError, LoginSource};
use crate::meaning::Meaning;
use crate::pool::Pool;
use crate::pool::opening::Wanted;
use crate::replies::{Dialect, Replies};
use crate::session::Line;
use exchange::{Afterwards, exchange};

mod again;
mod content;
mod exchange;
pub(crate) mod http;

/// Of a message that has gone by meanwhile.
const RENEWED: &str = "the provider refused the access token; it was renewed for the next message";

/// A message's content.
#[derive(Debug)]
pub enum Content<'a> {
    /// All of it, in slices.
    Whole(&'a [&'a [u8]]),
    /// More than is kept in memory.
    Streamed(Streamed<'a>),
}

/// Content that is still on its way from the client.
#[derive(Debug)]
pub struct Streamed<'a> {
    /// The header block and whatever of the body is at hand.
    pub header: &'a [u8],
    /// The rest, as it comes. Reading stops while the provider does not take what was read.
    pub body: &'a mut mpsc::Receiver<Piece>,
    /// The longest time that a session is held for the next piece.
    pub stall: Duration,
}

/// A piece of content.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// The next octets, in any sizes.
    Octets(Vec<u8>),
    /// The content is whole. A channel that ends without this means that it is not: the connection
    /// is closed without the final dot, and nobody gets the message.
    End,
}

/// A message that the provider has taken.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The provider's reply to the content.
    pub reply: Reply,
    /// The number of the session among its account's.
    pub session: u64,
    /// Whether the session was at hand.
    pub reused: bool,
    /// Whether it was the session's last message: [`Pool::open_ahead`] may spare the next one an opening.
    pub was_last: bool,
    /// Where the time went.
    pub timings: Timings,
}

/// Where a delivery's time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until one of the account's sessions, or the place for one, was free.
    pub waited: Duration,
    /// Opening a session: connection, TLS and login.
    pub connect: Duration,
    /// From MAIL to the reply to the content.
    pub transfer: Duration,
}

/// Delivers one message, or says by whose doing it was not delivered.
///
/// # Errors
/// Every error has its [`verdict`](Error::verdict); none but [`Error::Ambiguous`] leaves open
/// whether somebody got the message.
pub async fn deliver(
    pool: &Pool,
    logins: &dyn LoginSource,
    replies: &Replies,
    transaction: &Transaction<'_>,
    mut content: Content<'_>,
    deadline: Instant,
) -> Result<Delivered, Error> {
    let mut tried = 0;
    loop {
        let error = match attempt(pool, (logins, replies), transaction, &mut content, deadline).await {
            Ok(delivered) => return Ok(delivered),
            Err(error) => error,
        };
        tried += 1;
        let Some(pause) = again::after(&error, &content, tried, deadline) else { return Err(error) };
        pool.count_retry();
        sleep(pause).await;
    }
}

/// One delivery, begun anew where that is provably the first.
async fn attempt(
    pool: &Pool,
    (logins, replies): (&dyn LoginSource, &Replies),
    transaction: &Transaction<'_>,
    content: &mut Content<'_>,
    deadline: Instant,
) -> Result<Delivered, Error> {
    let asked = Instant::now();
    let mut alarm = Alarm::new(asked, deadline);
    let (mut wanted, mut renewed) = (Wanted::Any, false);
    loop {
        let mut lease = pool.acquire(wanted, (logins, replies), asked, deadline).await?;
        let begun = Instant::now();
        let dialect = Dialect { provider: pool.target().provider, replies };
        lease.session.begin_message();
        let outcome = match &mut lease.session.line {
            Line::Smtp(wire) => exchange(wire, dialect, transaction, content, &mut alarm).await,
            Line::Http(wire) => {
                let asked = http::exchange(wire, (pool.target(), dialect), transaction, content, &mut alarm);
                Box::pin(asked).await
            }
        };
        let failed = match outcome {
            Ok(reply) => {
                lease.proved();
                let timings = Timings { waited: lease.waited, connect: lease.opening, transfer: begun.elapsed() };
                let (session, was_last) = (lease.session.number(), lease.session.is_spent(pool.limits()));
                let delivered = Delivered { reply, session, reused: lease.reused, was_last, timings };
                lease.give_back();
                return Ok(delivered);
            }
            Err(failed) => failed,
        };
        if failed.never_begun && lease.reused {
            pool.count_retry();
            wanted = Wanted::Fresh(lease.discard());
            continue;
        }
        if let (Line::Http(wire), Some(meaning)) = (&lease.session.line, failed.error.meaning()) {
            match meaning {
                Meaning::CredentialsRefused if !renewed => {
                    renewed = true;
                    let refused = wire.login.clone();
                    match dial::renewed(logins, &refused, &mut alarm, failed.error).await {
                        Ok(()) if failed.is_repeatable => {
                            wanted = Wanted::Fresh(lease.discard());
                            continue;
                        }
                        Ok(()) => return Err(Error::NoLogin(LoginError::Unavailable(RENEWED.to_owned()))),
                        Err(failed) => return Err(lease.refused(failed)),
                    }
                }
                Meaning::CredentialsRefused | Meaning::LoginDisabled => {
                    return Err(lease.refused(dial::Failed::new(failed.error)));
                }
                // Who defers may not have looked at them; and what was cut short may have been about them.
                Meaning::Deferred => {}
                _ => lease.proved(),
            }
        }
        pool.learn(&failed.error);
        match failed.session {
            Afterwards::Whole => lease.give_back(),
            Afterwards::Broken => drop(lease),
        }
        return Err(failed.error);
    }
}
