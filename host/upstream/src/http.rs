//! One HTTP/1.1 connection to a provider's interface, which is a session like any other: kept alive, watched while
//! idle, used for one message at a time.
//!
//! The connection is driven by whoever uses it and by nobody else: dropped in the middle of a request, it is closed,
//! and the provider never sees the request's end. What is asked, and what the answers mean, is not here.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use posthouse_net::stream::Stream;
use tokio::task::coop::unconstrained;
use tokio::time::timeout;

use crate::alarm::Alarm;
use crate::login::SessionLogin;
use crate::session::Interruption;
use body::Outgoing;
use progress::{Came, Counting, Progress};

pub(crate) mod body;
pub(crate) mod progress;

/// How long a provider may think about a whole message: as long as it may after the final dot of SMTP (RFC 5321
/// 4.5.3.2.6).
const ANSWER: Duration = Duration::from_mins(10);
/// How long a connection may take to be ready for the next request after an answer.
const SETTLING: Duration = Duration::from_secs(1);

/// A connection and what it is used with.
pub(crate) struct HttpWire {
    sender: SendRequest<Outgoing>,
    connection: Connection<TokioIo<Counting>, Outgoing>,
    /// The connection has ended, and is not looked at any more.
    has_ended: bool,
    progress: Arc<Progress>,
    /// What every request bears.
    pub(crate) login: SessionLogin,
}

impl HttpWire {
    /// A connection over a stream on which nothing was said yet.
    ///
    /// # Errors
    /// The connection is gone already.
    pub(crate) async fn open(stream: Stream, login: SessionLogin) -> io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let octets = Counting::new(stream.into_octets(), Arc::clone(&progress));
        let (sender, connection) = handshake(TokioIo::new(octets)).await.map_err(io::Error::other)?;
        Ok(Self { sender, connection, has_ended: false, progress, login })
    }

    /// How far the present request has come.
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Sends a request while `feeding` brings its body, and gives the alarm back when it has. The answer's head, and
    /// whether it came before the body's end: then no more is fed, and the connection is to be left behind the answer.
    ///
    /// # Errors
    /// The connection ended, or the feeding did, or no answer came.
    pub(crate) async fn ask<'a, E: From<Interruption>>(
        &mut self,
        request: Request<Outgoing>,
        feeding: impl Future<Output = Result<&'a mut Alarm, E>>,
    ) -> Result<(Answer, Came), E> {
        let Self { sender, connection, has_ended, progress, .. } = self;
        let work = async {
            let mut answer = pin!(sender.send_request(request));
            let lost = |error: hyper::Error| E::from(Interruption::Lost(io::Error::other(error)));
            let alarm = tokio::select! {
                biased;
                // The connection may have sent the body's end and read the answer in one go.
                answer = &mut answer => return Ok((answer.map_err(lost)?, progress.came())),
                fed = feeding => fed?,
            };
            match alarm.within(ANSWER, answer).await {
                Some(answer) => Ok((answer.map_err(lost)?, progress.came())),
                None => Err(Interruption::TimedOut.into()),
            }
        };
        driven(connection, has_ended, work).await.map_err(Interruption::Lost)?
    }

    /// Does work that the connection has to go on for, such as reading an answer's body.
    ///
    /// # Errors
    /// The connection ended before.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        driven(&mut self.connection, &mut self.has_ended, work).await
    }

    /// Waits a moment until another request could be sent.
    pub(crate) async fn settle(&mut self) {
        let Self { sender, connection, has_ended, .. } = self;
        let ready = driven(connection, has_ended, poll_fn(|context| sender.poll_ready(context)));
        let is_ready = matches!(timeout(SETTLING, ready).await, Ok(Ok(Ok(()))));
        self.has_ended |= !is_ready;
    }

    /// Leaves it where it is, in the middle of a request or an answer, or with somebody who is not the provider.
    pub(crate) fn leave(&mut self) {
        self.has_ended = true;
    }

    /// Whether it stands between two requests.
    pub(crate) fn is_usable(&self) -> bool {
        !self.has_ended && self.sender.is_ready()
    }

    /// Whether the server has ended the connection, or has said something unasked. If not, the waker is called when
    /// it does.
    pub(crate) fn is_noisy(&mut self, context: &mut Context<'_>) -> bool {
        let Self { connection, has_ended, .. } = self;
        if !*has_ended {
            // A task that has used up its turn would be told "nothing" without a look.
            let looked = unconstrained(poll_fn(|context| Poll::Ready(step(connection, has_ended, context))));
            let _quiet = pin!(looked).poll(context);
        }
        self.has_ended
    }

    /// Ends the connection politely. The caller bounds the time.
    pub(crate) async fn quit(self) {
        if !self.has_ended {
            self.connection.into_parts().io.into_inner().into_stream().close().await;
        }
    }
}

/// An answer, its body still to come.
pub(crate) type Answer = Response<hyper::body::Incoming>;

/// The result of `work`, for which the connection goes on.
async fn driven<T>(
    connection: &mut Connection<TokioIo<Counting>, Outgoing>,
    has_ended: &mut bool,
    work: impl Future<Output = T>,
) -> io::Result<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let end = step(connection, has_ended, context);
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            // What the connection's end has to say was said to the work.
            Poll::Pending if *has_ended => Poll::Ready(Err(end.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// One step of the connection; why it broke, if it did.
fn step(
    connection: &mut Connection<TokioIo<Counting>, Outgoing>,
    has_ended: &mut bool,
    context: &mut Context<'_>,
) -> Option<io::Error> {
    if *has_ended {
        return None;
    }
    match Pin::new(connection).poll(context) {
        Poll::Ready(end) => {
            *has_ended = true;
            end.err().map(io::Error::other)
        }
        Poll::Pending => None,
    }
}

impl fmt::Debug for HttpWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWire").field("has_ended", &self.has_ended).finish_non_exhaustive()
    }
}
