//! Asking a provider about recipients without sending anything: MAIL and RCPT in one round trip on
//! a borrowed session, then RSET.

use posthouse_smtp::client::{self, Event};
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::{Reply, Severity};
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::deliver::http;
use crate::error::Error;
use crate::login::LoginSource;
use crate::pool::Pool;
use crate::pool::opening::Wanted;
use crate::replies::{Dialect, Replies};
use crate::session::{Line, Wire};
use crate::stage::Stage;

/// The provider's answer to each recipient, in their order; where it reads recipients from the message alone, it has
/// none, and nothing is asked. A refusal has its verdict like every
/// other [`Error`].
///
/// # Errors
/// The provider could not be asked, or refuses the sender.
pub async fn verify_recipients(
    pool: &Pool,
    logins: &dyn LoginSource,
    replies: &Replies,
    reverse_path: &ReversePath,
    recipients: &[ForwardPath],
    deadline: Instant,
) -> Result<Vec<Result<(), Error>>, Error> {
    if pool.target().transport.reads_header() {
        // There is nobody to ask: recipients are first heard of with the message.
        return Ok(recipients.iter().map(|_| Ok(())).collect());
    }
    let asked = Instant::now();
    let mut alarm = Alarm::new(asked, deadline);
    let mut wanted = Wanted::Any;
    loop {
        let mut lease = pool.acquire(wanted, (logins, replies), asked, deadline).await?;
        let Line::Smtp(wire) = &mut lease.session.line else { return Ok(recipients.iter().map(|_| Ok(())).collect()) };
        match probe(wire, reverse_path, recipients, &mut alarm).await {
            Ok(outcome) => {
                lease.give_back();
                let dialect = Dialect { provider: pool.target().provider, replies };
                let answers = answers(dialect, outcome, recipients.len());
                let each = answers.iter().flatten().filter_map(|answer| answer.as_ref().err());
                each.chain(answers.as_ref().err()).for_each(|error| pool.learn(error));
                return answers;
            }
            Err(Error::ConnectionLost { .. }) if lease.reused => {
                pool.count_retry();
                wanted = Wanted::Fresh(lease.discard());
            }
            Err(error) => return Err(error),
        }
    }
}

/// Opens a session and has the provider look at its credentials. Nothing is sent: where they go with each request, that
/// is one with an empty message, which no provider takes; its refusal for that is the reply.
///
/// # Errors
/// The provider cannot be reached, or refuses the credentials.
pub async fn verify_login(
    pool: &Pool,
    logins: &dyn LoginSource,
    replies: &Replies,
    deadline: Instant,
) -> Result<Reply, Error> {
    let asked = Instant::now();
    let mut alarm = Alarm::new(asked, deadline);
    let mut lease = pool.acquire(Wanted::Any, (logins, replies), asked, deadline).await?;
    let dialect = Dialect { provider: pool.target().provider, replies };
    let Line::Http(wire) = &mut lease.session.line else {
        lease.give_back();
        return Ok(Reply::new(235, None, "logged in"));
    };
    let reply = http::knock(wire, (pool.target(), dialect), &mut alarm).await?;
    lease.proved();
    lease.give_back();
    Ok(reply)
}

async fn probe(
    wire: &mut Wire,
    reverse_path: &ReversePath,
    recipients: &[ForwardPath],
    alarm: &mut Alarm,
) -> Result<client::Outcome, Error> {
    let stage = Stage::RcptTo;
    wire.client.begin_probe(reverse_path, recipients).map_err(|source| Error::Protocol { stage, source })?;
    loop {
        match wire.next(alarm).await {
            Ok(Event::Answered(outcome)) => return Ok(outcome),
            Ok(_) => {}
            Err(interruption) => return Err(interruption.at(stage, wire.state())),
        }
    }
}

fn answers(dialect: Dialect<'_>, outcome: client::Outcome, recipients: usize) -> Result<Vec<Result<(), Error>>, Error> {
    if outcome.recipients.len() < recipients {
        let stage = outcome.stage.into();
        return Err(refusal(dialect, stage, outcome.reply));
    }
    let answer = |reply: Reply| match reply.severity() {
        Severity::Success => Ok(()),
        _ => Err(refusal(dialect, Stage::RcptTo, reply)),
    };
    Ok(outcome.recipients.into_iter().map(answer).collect())
}

fn refusal(dialect: Dialect<'_>, stage: Stage, reply: Reply) -> Error {
    let reading = dialect.read(stage, &reply);
    Error::Refused { stage, reading, reply, recipients: Vec::new() }
}
