//! One account's access token: at hand, renewed ahead, asked for once however many want it.
//!
//! A request runs in a task of its own, so that whoever gives up waiting strands nobody. While a
//! token is valid it is served, whatever happens to requests. The invariants: a refresh token that
//! took another's place was kept before the access token that came with it is used, and none is asked
//! for where nobody could keep it.

mod schedule;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::client::{Client, Issued};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::grant::Grant;
use crate::pace::Urgency;
use crate::secret::Secret;

/// An access token and its end.
#[derive(Debug)]
pub struct AccessToken {
    secret: Secret,
    expires_at: Instant,
}

impl AccessToken {
    /// The token.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// When it ends.
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}

/// What a request may begin with.
#[derive(Default)]
pub struct Begun {
    /// The newest refresh token that was kept, if one was.
    pub newest: Option<Secret>,
    /// Dropped when all that came of the request is kept.
    pub until_kept: Option<Box<dyn Send>>,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("newest", &self.newest).finish_non_exhaustive()
    }
}

/// Where a rotated refresh token is kept.
pub trait Rotation: Send + Sync {
    /// A request is to be made: none where its refresh token is another process's now.
    fn begin(&self) -> Option<Begun>;

    /// Keeps it, durably, before returning.
    ///
    /// # Errors
    /// It could not be kept. The token is used all the same, since the old one may be dead already;
    /// [`TokenCache::state`] tells.
    fn keep(&self, refresh_token: &Secret) -> io::Result<()>;
}

/// For grants that nobody can keep: the rotated one lives as long as the process.
#[derive(Debug, Clone, Copy)]
pub struct NoRotation;

impl Rotation for NoRotation {
    fn begin(&self) -> Option<Begun> {
        Some(Begun::default())
    }

    fn keep(&self, _refresh_token: &Secret) -> io::Result<()> {
        Ok(())
    }
}

/// What an operator can know of an account's token.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// Nobody has asked for it yet.
    Unused,
    /// There is a valid one.
    Ready {
        /// When it ends.
        expires_at: Instant,
        /// Why its refresh token could not be kept, if so.
        unkept: Option<String>,
    },
    /// There is none, and here is why.
    Failing {
        /// The last error.
        error: Arc<Error>,
        /// Since when it has been failing.
        since: Instant,
    },
}

type Answer = Result<Arc<AccessToken>, Arc<Error>>;
/// A request under way.
type Flight = watch::Receiver<Option<Answer>>;

/// One account's token; a clone is another handle on the same.
#[derive(Clone)]
pub struct TokenCache {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    endpoint: Endpoint,
    rotation: Arc<dyn Rotation>,
    seed: u64,
    current: RwLock<Option<Arc<AccessToken>>>,
    /// Whether somebody has had this token, be it whoever waited for it: an unused one is left to lapse.
    used: AtomicBool,
    work: Mutex<Work>,
}

/// Why the last request failed, and since when requests have been failing.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// The last error.
    pub error: Arc<Error>,
    /// The first failure in a row.
    pub since: Instant,
}

/// What requests leave behind for the next one.
struct Work {
    grant: Grant,
    /// The request under way.
    flight: Option<Flight>,
    failure: Option<Failure>,
    unkept: Option<String>,
    /// When the endpoint last issued a token.
    issued: Option<SystemTime>,
}

/// The last failure, and when the endpoint may be asked again.
struct Failure {
    error: Arc<Error>,
    since: Instant,
    count: u32,
    retry_at: Instant,
}

impl TokenCache {
    /// A cache that holds nothing yet. `seed` spreads renewals: accounts have different ones.
    pub fn new(client: Client, endpoint: Endpoint, grant: Grant, rotation: Arc<dyn Rotation>, seed: u64) -> Self {
        let work = Mutex::new(Work { grant, flight: None, failure: None, unkept: None, issued: None });
        let (current, used) = (RwLock::default(), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { client, endpoint, rotation, seed, current, used, work }) }
    }

    /// The token, where it can be had without waiting.
    pub fn at_hand(&self) -> Option<Arc<AccessToken>> {
        let token = self.shared.valid()?;
        self.shared.used.store(true, Ordering::Relaxed);
        Some(token)
    }

    /// A valid token: the one at hand, or a new one.
    ///
    /// # Errors
    /// There is none. While the endpoint is not to be asked, the last error is given at once.
    pub async fn token(&self) -> Answer {
        let answer = match self.shared.valid() {
            Some(token) => Ok(token),
            None => self.request(None, Urgency::Awaited).await,
        };
        self.shared.used.store(true, Ordering::Relaxed);
        answer
    }

    /// A newer token than this one, which the provider has refused: asked for now, unless a newer
    /// one is at hand.
    ///
    /// # Errors
    /// There is none.
    pub async fn renew(&self, refused: &AccessToken) -> Answer {
        let answer = match self.shared.valid() {
            Some(token) if token.secret != refused.secret => Ok(token),
            _ => self.request(Some(refused), Urgency::Awaited).await,
        };
        self.shared.used.store(true, Ordering::Relaxed);
        answer
    }

    /// What there is to know.
    pub fn state(&self) -> TokenState {
        let valid = self.shared.valid();
        let work = self.shared.work();
        match (valid, &work.failure) {
            (Some(token), _) => TokenState::Ready { expires_at: token.expires_at, unkept: work.unkept.clone() },
            (None, Some(failure)) => TokenState::Failing { error: Arc::clone(&failure.error), since: failure.since },
            (None, None) => TokenState::Unused,
        }
    }

    /// Why requests fail at present, also while a token that was issued before is still valid.
    pub fn trouble(&self) -> Option<Trouble> {
        let work = self.shared.work();
        work.failure.as_ref().map(|Failure { error, since, .. }| Trouble { error: Arc::clone(error), since: *since })
    }

    /// When the endpoint last issued a token to this process: a consent was used then.
    pub fn last_issued(&self) -> Option<SystemTime> {
        self.shared.work().issued
    }

    /// Whether somebody has consented, where the grant is a consent; so is every other grant.
    pub fn has_consent(&self) -> bool {
        !self.shared.work().grant.lacks_consent()
    }

    /// Another consent in the place of the one there is, if the endpoint takes it; kept, and used from now on.
    ///
    /// # Errors
    /// The endpoint does not take it, or cannot be asked: nothing has changed.
    pub async fn adopt(&self, consent: &Secret) -> Answer {
        loop {
            let (flight, is_ours) = self.shared.take_up(consent);
            let answer = landed(flight).await;
            if is_ours {
                return answer;
            }
        }
    }

    async fn request(&self, refused: Option<&AccessToken>, urgency: Urgency) -> Answer {
        match self.shared.join(refused, urgency) {
            Joined::Flight(flight) => landed(flight).await,
            Joined::Answer(answer) => answer,
        }
    }
}

async fn landed(mut flight: Flight) -> Answer {
    let answer = flight.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
    answer.unwrap_or_else(|| Err(Arc::new(Error::Interrupted)))
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCache").field("endpoint", &self.shared.endpoint).finish_non_exhaustive()
    }
}

enum Joined {
    Flight(Flight),
    Answer(Answer),
}

impl Shared {
    fn valid(&self) -> Option<Arc<AccessToken>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|token| Instant::now() < token.expires_at).map(Arc::clone)
    }

    fn work(&self) -> std::sync::MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request under way, a new one, or the error that forbids one.
    fn join(self: &Arc<Self>, refused: Option<&AccessToken>, urgency: Urgency) -> Joined {
        let mut work = self.work();
        if let Some(flight) = &work.flight {
            return Joined::Flight(flight.clone());
        }
        // The request that was under way a moment ago may have brought it.
        if let Some(token) = self.valid().filter(|token| refused.is_none_or(|refused| refused.secret != token.secret)) {
            return Joined::Answer(Ok(token));
        }
        if let Some(failure) = &work.failure
            && Instant::now() < failure.retry_at
        {
            return Joined::Answer(Err(Arc::clone(&failure.error)));
        }
        let grant = work.grant.clone();
        let shared = Arc::clone(self);
        Joined::Flight(self.take_off(&mut work, async move { shared.fly(grant, urgency).await }))
    }

    /// A request with another consent, and whether it is ours: another one may be under way.
    fn take_up(self: &Arc<Self>, consent: &Secret) -> (Flight, bool) {
        let mut work = self.work();
        if let Some(flight) = &work.flight {
            return (flight.clone(), false);
        }
        let grant = work.grant.rotated(consent).unwrap_or_else(|| work.grant.clone());
        let (shared, consent) = (Arc::clone(self), consent.clone());
        let flight = self.take_off(&mut work, async move {
            let begun = shared.begin().await?;
            let mut issued = shared.client.redeem(&shared.endpoint, &grant, Urgency::Awaited).await?;
            // Whether another one came with it or not: this one stands nowhere else.
            let newest = issued.rotated.take().unwrap_or(consent);
            let unkept = shared.keep(newest.clone()).await;
            drop(begun);
            Ok(shared.publish(issued, grant.rotated(&newest).unwrap_or(grant), unkept))
        });
        (flight, true)
    }

    /// Begins a request in a task of its own.
    fn take_off(self: &Arc<Self>, work: &mut Work, request: impl Future<Output = Answer> + Send + 'static) -> Flight {
        let (landed, flight) = watch::channel(None);
        work.flight = Some(flight.clone());
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let answer = request.await;
            shared.work().flight = None;
            landed.send_replace(Some(answer));
        });
        flight
    }

    /// Begins a request. That another process is to make it is no failure of the account's: whoever asks again later may
    /// hear something else.
    async fn begin(&self) -> Result<Begun, Arc<Error>> {
        let rotation = Arc::clone(&self.rotation);
        let begun = tokio::task::spawn_blocking(move || rotation.begin()).await;
        begun.ok().flatten().ok_or_else(|| Arc::new(Error::Elsewhere))
    }

    async fn fly(self: &Arc<Self>, grant: Grant, urgency: Urgency) -> Answer {
        let Begun { newest, until_kept } = self.begin().await?;
        // One that could not be kept is newer than what was.
        let newest = newest.filter(|_| self.work().unkept.is_none());
        let grant = newest.and_then(|newest| grant.rotated(&newest)).unwrap_or(grant);
        let outcome = self.client.redeem(&self.endpoint, &grant, urgency).await;
        let answer = self.land(outcome, grant).await;
        drop(until_kept);
        answer
    }

    async fn land(self: &Arc<Self>, outcome: Result<Issued, Error>, grant: Grant) -> Answer {
        match outcome {
            Ok(issued) => {
                let rotated = issued.rotated.as_ref().and_then(|token| grant.rotated(token).zip(Some(token.clone())));
                let unkept = match &rotated {
                    Some((_, token)) => self.keep(token.clone()).await,
                    None => None,
                };
                Ok(self.publish(issued, rotated.map_or(grant, |(grant, _)| grant), unkept))
            }
            Err(error) => Err(self.note_failure(error)),
        }
    }

    /// Keeps a rotated refresh token; says why it could not.
    async fn keep(&self, token: Secret) -> Option<String> {
        let rotation = Arc::clone(&self.rotation);
        let kept = tokio::task::spawn_blocking(move || rotation.keep(&token)).await;
        match kept {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the store failed".to_owned()),
        }
    }

    fn publish(self: &Arc<Self>, issued: Issued, grant: Grant, unkept: Option<String>) -> Arc<AccessToken> {
        let now = Instant::now();
        let token = Arc::new(AccessToken { secret: issued.access_token, expires_at: now + issued.lifetime });
        {
            let mut work = self.work();
            (work.grant, work.failure, work.unkept, work.issued) = (grant, None, unkept, Some(SystemTime::now()));
            self.used.store(false, Ordering::Relaxed);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&token));
        self.renew_ahead(&token, now + schedule::renewal(issued.lifetime, self.seed));
        token
    }

    fn note_failure(&self, error: Error) -> Arc<Error> {
        let (error, now) = (Arc::new(error), Instant::now());
        let mut work = self.work();
        let (count, since) = work.failure.as_ref().map_or((1, now), |failure| (failure.count + 1, failure.since));
        let pause = schedule::pause(&error, count, self.seed);
        work.failure = Some(Failure { error: Arc::clone(&error), since, count, retry_at: now + pause });
        error
    }

    /// Renews the token at this moment, if somebody has used it, and again after a failure for as long as
    /// it is valid. The task does not keep the cache alive.
    fn renew_ahead(self: &Arc<Self>, token: &Arc<AccessToken>, at: Instant) {
        let (cache, token, mut at) = (Arc::downgrade(self), Arc::downgrade(token), at);
        tokio::spawn(async move {
            loop {
                sleep_until(at).await;
                let (Some(shared), Some(token)) = (cache.upgrade(), token.upgrade()) else { return };
                let is_current = shared.valid().is_some_and(|current| Arc::ptr_eq(&current, &token));
                if !is_current || !shared.used.load(Ordering::Relaxed) {
                    return;
                }
                match (TokenCache { shared: Arc::clone(&shared) }).request(Some(&token), Urgency::Ahead).await {
                    Ok(_) => return,
                    Err(error) if matches!(*error, Error::Elsewhere) => at = Instant::now() + schedule::ELSEWHERE,
                    Err(_) => match &shared.work().failure {
                        Some(failure) => at = failure.retry_at,
                        None => return,
                    },
                }
            }
        });
    }
}

#[cfg(test)]
mod tests;
