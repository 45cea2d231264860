//! Messages per minute, to the letter: no more than the allowance in any sixty seconds, as the provider counts them.
//!
//! When the provider counts a message nobody can know: at some moment between its leaving and its answer. A place is
//! therefore taken before the first and counts until a minute after the second. Whoever waits does so in the order of
//! asking, and only where the place will come within its patience. Where the provider says that it is too much, the
//! allowance is halved; quiet minutes bring it back (`learned`). The one invariant: places that are under way and those of
//! the last minute are never more than the allowance, but where that has only just become less.

mod learned;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use learned::Learned;
pub(crate) use learned::Slower;

const MINUTE: Duration = Duration::from_secs(60);
/// Ends are counted together by this grain, as of its end, so that memory does not grow with the allowance.
const GRAIN: Duration = Duration::from_millis(50);
/// What waits in a process that drains goes out within about this time (`timeouts.session_wait`, by default).
const DRAINING: Duration = Duration::from_secs(30);

/// The messages of a mailbox, or of a tenant.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<State>,
    /// The one who waits for the next place; all others wait for their turn.
    turn: Semaphore,
    /// A place may be free earlier than the first one waiting believes.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    configured: Option<u32>,
    learned: Learned,
    under_way: u32,
    waiting: u32,
    /// Places that were ever taken.
    taken: u64,
    /// What counts although it has ended: until when, and how many.
    ended: BTreeMap<Instant, u32>,
    counted: u32,
    /// What grains are measured from.
    began: Instant,
}

/// Messages that count for so long still; told to a process that goes on with the mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    left_ms: u64,
    count: u32,
}

/// No place within the patience; there will be one after this time, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverPace {
    /// How long.
    pub wait: Duration,
}

/// A message's place. Dropped, it counts for another minute.
#[derive(Debug)]
pub struct Place {
    pace: Arc<Pace>,
    is_unused: bool,
}

impl Pace {
    /// This many messages in each minute; none is no limit.
    pub fn per_minute(configured: Option<u32>) -> Arc<Self> {
        let state = State {
            configured,
            learned: Learned::default(),
            under_way: 0,
            waiting: 0,
            taken: 0,
            ended: BTreeMap::new(),
            counted: 0,
            began: Instant::now(),
        };
        Arc::new(Self { state: Mutex::new(state), turn: Semaphore::new(1), changed: Notify::new() })
    }

    /// Allows another number from now on; what was sent before still counts, and what was learned where it is less.
    pub fn allow(&self, per_minute: Option<u32>) {
        let mut state = self.state();
        state.configured = per_minute;
        state.learned.configure(per_minute);
        drop(state);
        self.changed.notify_one();
    }

    /// The provider says that it was too much. The messages per minute from now on, where that is news.
    pub fn slow_down(&self, now: Instant) -> Option<u32> {
        let mut state = self.state();
        let configured = state.configured;
        let slower = state.learned.slow_down(configured, now)?;
        // What was sent so far has used this minute up.
        let unused = slower.saturating_sub(state.used());
        state.count_until(now + MINUTE, unused);
        Some(slower)
    }

    /// What counts of the mailbox's minute, for a process that goes on with it: what has ended, and what this one will
    /// still send. By the second, so that it is little. With the number of messages so far, for [`Self::told_since`].
    pub(crate) fn told(&self, now: Instant) -> (Vec<Sent>, u64) {
        let mut state = self.state();
        state.forget(now);
        let mut told: Vec<Sent> = Vec::new();
        for (until, count) in &state.ended {
            let left_ms = until.saturating_duration_since(now).as_secs().saturating_add(1) * 1000;
            match told.last_mut().filter(|last| last.left_ms == left_ms) {
                Some(last) => last.count = last.count.saturating_add(*count),
                None => told.push(Sent { left_ms, count: *count }),
            }
        }
        let owed = state.under_way.saturating_add(state.waiting);
        if owed > 0 {
            told.push(Sent::later(owed));
        }
        (told, state.begun())
    }

    /// The messages that have come since it was told of so many.
    pub(crate) fn told_since(&self, before: &mut u64) -> Option<Sent> {
        let begun = self.state().begun();
        let more = begun.saturating_sub(*before);
        *before = begun.max(*before);
        (more > 0).then(|| Sent::later(u32::try_from(more).unwrap_or(u32::MAX)))
    }

    /// Counts what another process has sent: two that follow each other send as one.
    pub(crate) fn take_over(&self, now: Instant, sent: &[Sent]) {
        let mut state = self.state();
        for Sent { left_ms, count } in sent {
            state.count_until(now + Duration::from_millis(*left_ms), *count);
        }
    }

    /// The rate that was learned, for such a process.
    pub(crate) fn slower(&self, now: Instant) -> Option<Slower> {
        let mut state = self.state();
        let configured = state.configured;
        state.learned.slower(configured, now)
    }

    /// Goes on with the rate that another process has learned, where it is less.
    pub(crate) fn relearn(&self, slower: Slower, now: Instant) {
        let mut state = self.state();
        let configured = state.configured;
        state.learned.relearn(slower, configured, now);
    }

    /// Takes a place, waiting for it at most until `deadline`.
    ///
    /// # Errors
    /// It will not come by then: said at once where that is known, and none is taken.
    pub async fn place(self: &Arc<Self>, deadline: Instant) -> Result<Place, OverPace> {
        let now = Instant::now();
        let _waiting = {
            let mut state = self.state();
            state.forget(now);
            if state.waiting == 0 && state.has_place(now) {
                return Ok(self.taken(&mut state, now));
            }
            let wait = state.wait(now);
            if now + wait > deadline {
                return Err(OverPace { wait });
            }
            state.waiting += 1;
            Waiting(self)
        };
        match timeout_at(deadline, self.in_turn()).await {
            Ok(place) => Ok(place),
            Err(_) => Err(OverPace { wait: self.state().wait(Instant::now()) }),
        }
    }

    /// What is allowed in a minute and how many messages could go at this moment; none is no limit.
    pub fn standing(&self, now: Instant) -> Option<(u32, u32)> {
        let mut state = self.state();
        state.forget(now);
        let per_minute = state.allowance(now)?;
        Some((per_minute, per_minute.saturating_sub(state.used() + state.waiting)))
    }

    async fn in_turn(self: &Arc<Self>) -> Place {
        let _turn = self.turn.acquire().await.expect("nobody closes it");
        loop {
            let next = {
                let mut state = self.state();
                let now = Instant::now();
                state.forget(now);
                if state.has_place(now) {
                    return self.taken(&mut state, now);
                }
                state.ended.keys().next().copied()
            };
            // Where all places are under way, only an end can bring the next one nearer.
            match next {
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    fn taken(self: &Arc<Self>, state: &mut State, now: Instant) -> Place {
        state.learned.count(now);
        state.under_way += 1;
        state.taken += 1;
        Place { pace: Arc::clone(self), is_unused: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The provider never saw the message: the place is another's at once.
    pub fn give_back(mut self) {
        self.is_unused = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.under_way -= 1;
        if !self.is_unused {
            state.end(Instant::now());
        }
        drop(state);
        self.pace.changed.notify_one();
    }
}

/// Counts one who waits, for as long as it does.
struct Waiting<'p>(&'p Pace);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

impl Sent {
    /// So many that a process which drains will send.
    fn later(count: u32) -> Self {
        Self { left_ms: u64::try_from((DRAINING + MINUTE).as_millis()).unwrap_or(u64::MAX), count }
    }
}

impl State {
    /// Messages that have had a place, or wait for theirs.
    fn begun(&self) -> u64 {
        self.taken + u64::from(self.waiting)
    }

    fn used(&self) -> u32 {
        self.under_way.saturating_add(self.counted)
    }

    /// The lesser of what is configured and what was learned.
    fn allowance(&mut self, now: Instant) -> Option<u32> {
        self.learned.allowance(self.configured, now)
    }

    fn has_place(&mut self, now: Instant) -> bool {
        self.allowance(now).is_none_or(|per_minute| self.used() < per_minute)
    }

    fn forget(&mut self, now: Instant) {
        while let Some(entry) = self.ended.first_entry().filter(|entry| *entry.key() <= now) {
            self.counted -= entry.remove();
        }
    }

    fn end(&mut self, now: Instant) {
        self.count_until(now + MINUTE, 1);
    }

    /// Counts so many until the end of the grain that this moment is in.
    fn count_until(&mut self, until: Instant, count: u32) {
        let grains = (until - self.began).as_nanos().div_ceil(GRAIN.as_nanos());
        let until = self.began + GRAIN * u32::try_from(grains).unwrap_or(u32::MAX);
        let counted = self.ended.entry(until).or_default();
        let before = *counted;
        *counted = counted.saturating_add(count);
        self.counted = self.counted.saturating_add(*counted - before);
    }

    /// How long whoever asks now would wait, behind those who wait already. What is under way is taken to end now.
    fn wait(&mut self, now: Instant) -> Duration {
        let Some(per_minute) = self.allowance(now) else { return Duration::ZERO };
        let wanted = (self.waiting + 1).saturating_sub(per_minute.saturating_sub(self.used()));
        let surplus = self.used().saturating_sub(per_minute);
        let mut needed = wanted.saturating_add(surplus);
        if needed == 0 {
            return Duration::ZERO;
        }
        for (until, count) in &self.ended {
            if needed <= *count {
                return until.saturating_duration_since(now);
            }
            needed -= count;
        }
        // Behind the places of this minute come those that are taken in the next ones.
        MINUTE * (1 + (needed - 1) / per_minute.max(1))
    }
}

#[cfg(test)]
mod tests;
