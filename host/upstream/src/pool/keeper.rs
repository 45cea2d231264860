//! The task that watches one account's idle sessions.
//!
//! It sleeps until an idle connection has something to say or the first idle session's time is
//! over; deliveries do not wake it. It holds no pool alive: it ends when the pool is gone.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::time::{Instant, sleep_until};

use super::shelf::Swept;
use super::{Sessions, retire};

pub(super) async fn keep(pool: Weak<Sessions>) {
    let mut timer = pin!(sleep_until(Instant::now()));
    poll_fn(|context| {
        loop {
            let Some(pool) = pool.upgrade() else { return Poll::Ready(()) };
            let Some(next) = sweep(&pool, context) else { return Poll::Pending };
            if timer.deadline() != next {
                timer.as_mut().reset(next);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// Ends what is to end; when to look again.
fn sweep(pool: &Arc<Sessions>, context: &mut Context<'_>) -> Option<Instant> {
    let Swept { ended, expired, next } = pool.shelf.sweep(context, Instant::now());
    for session in ended {
        pool.count_ended_by_provider();
        drop(session);
    }
    for session in expired {
        // Its goodbye takes a moment in which it is still a session to the provider: with a place
        // it gets that moment, without one it is closed at once.
        if let Some(place) = pool.mailbox.places.at_once() {
            retire(session, place);
        }
    }
    next
}
