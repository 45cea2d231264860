//! How long an account's credentials last: what ends, when, and from when on that is worth telling.
//!
//! A refresh token's end is nowhere written: it is counted from the consent and from the last use, which the store keeps.
//! Where the relay cannot know an end it says none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use posthouse_store::lives::Life as Kept;
use posthouse_store::refresh_tokens::Chain;
use serde::Serialize;

use super::Account;
use super::rotation::Place;
use crate::config::account::{Account as Settings, Grant};
use crate::config::provider::Provider;
use crate::keeper::unix_now;

/// How long before its end a credential is told of: new certificates and consents take people time.
pub(crate) const NOTICE: Duration = Duration::from_hours(30 * 24);
/// A later use is written down when it is so much later: a day more or less decides nothing.
const WORTH_WRITING: u64 = 24 * 3_600;

/// What of an account ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The certificate that the application proves itself with.
    Certificate,
    /// The application's secret.
    ClientSecret,
    /// The mailbox owner's consent.
    RefreshToken,
}

/// An end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Expiry {
    /// Of what.
    pub credential: Credential,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl Credential {
    /// Its word in metrics and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::ClientSecret => "client_secret",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// What a person does about its end.
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::Certificate => "upload a new one to the application, and name it in the account's grant",
            Self::ClientSecret => {
                "make a new one for the application, put it in the account's grant, and its end in client_secret_expires"
            }
            Self::RefreshToken => "run `posthouse account login TENANT/ACCOUNT`",
        }
    }
}

impl Expiry {
    /// From when on it is told.
    pub(crate) fn notice(self) -> u64 {
        self.at.saturating_sub(NOTICE.as_secs())
    }

    /// In words.
    pub(crate) fn describe(self, now: u64) -> String {
        let what = self.credential.word().replace('_', " ");
        let next = self.credential.next();
        match self.at.checked_sub(now) {
            Some(left) => format!("its {what} ends in {}; {next}", days(left)),
            None => format!("its {what} has ended; {next}"),
        }
    }
}

/// Whole days are days; the last two are told in hours.
pub(crate) fn days(seconds: u64) -> String {
    match seconds / 3_600 {
        hours @ 0..48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}

/// When a consent was given and last used, in seconds since 1970; 0 is not known.
#[derive(Debug, Default)]
pub(super) struct Life {
    place: Option<Place>,
    began: AtomicU64,
    used: AtomicU64,
    /// The use that is written down.
    written: AtomicU64,
}

impl Life {
    /// Of the consent that is kept there, if it is one.
    pub(super) fn at(place: Option<Place>) -> Self {
        let kept = place.as_ref().and_then(Place::life);
        let (began, used) = kept.map_or((0, 0), |Kept { began, used }| (began, used));
        Self { place, began: began.into(), used: used.into(), written: used.into() }
    }

    /// The endpoint has issued a token for it.
    fn note_use(&self, at: u64) {
        self.used.fetch_max(at, Ordering::Relaxed);
        let _known = self.began.compare_exchange(0, at, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A new consent was given now.
    pub(super) fn begin(&self, now: u64) {
        self.began.store(now, Ordering::Relaxed);
        self.used.store(now, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
    }

    fn ends(&self, provider: &Provider) -> Option<u64> {
        let after = |from: &AtomicU64, life: Option<Duration>| {
            Some(from.load(Ordering::Relaxed)).filter(|from| *from > 0)?.checked_add(life?.as_secs())
        };
        let by_use = after(&self.used, provider.refresh_token_idle);
        let by_age = after(&self.began, provider.refresh_token_age);
        by_use.into_iter().chain(by_age).min()
    }
}

impl Account {
    /// What of it ends, and when, as far as that can be known.
    pub fn expiries(&self) -> impl Iterator<Item = Expiry> {
        let Settings { grant, client_secret_ends, provider, .. } = &self.origin.settings;
        let certificate = match grant {
            Grant::Token { grant, .. } => grant.certificate_ends().map(unix),
            Grant::Password { .. } | Grant::None => None,
        };
        let life = &self.credentials.life;
        if let Some(issued) = self.credentials.tokens.as_ref().and_then(|tokens| tokens.last_issued()) {
            life.note_use(unix(issued));
        }
        let ends = [
            (Credential::Certificate, certificate),
            (Credential::ClientSecret, *client_secret_ends),
            (Credential::RefreshToken, life.ends(provider).filter(|_| self.takes_consent())),
        ];
        ends.into_iter().filter_map(|(credential, at)| Some(Expiry { credential, at: at? }))
    }

    /// What of it ends first.
    pub fn expiry(&self) -> Option<Expiry> {
        self.expiries().min_by_key(|expiry| expiry.at)
    }

    /// Whether nobody has used its consent for half of the time after which it would end.
    pub(crate) fn is_falling_asleep(&self, now: u64) -> bool {
        let Some(idle) = self.origin.settings.provider.refresh_token_idle else { return false };
        let life = &self.credentials.life;
        let used = life.used.load(Ordering::Relaxed);
        self.takes_consent() && used > 0 && now > used + idle.as_secs() / 2
    }

    /// What is to be written down of its consent's life. One that was never seen before begins now.
    pub(crate) fn life_to_write(&self, now: u64) -> Option<(Chain, Kept)> {
        let life = &self.credentials.life;
        let place = life.place.as_ref().filter(|_| self.has_consent())?;
        let _known = life.began.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let began = life.began.load(Ordering::Relaxed);
        let _known = life.used.compare_exchange(0, began, Ordering::Relaxed, Ordering::Relaxed);
        let used = life.used.load(Ordering::Relaxed);
        let is_news = used >= life.written.load(Ordering::Relaxed) + WORTH_WRITING;
        is_news.then(|| (place.chain().clone(), Kept { began, used }))
    }

    /// That was written down.
    pub(crate) fn life_written(&self, kept: Kept) {
        self.credentials.life.written.store(kept.used, Ordering::Relaxed);
    }

    /// Whether somebody has given a consent at all.
    fn has_consent(&self) -> bool {
        self.credentials.tokens.as_ref().is_some_and(|tokens| tokens.has_consent())
    }
}

fn unix(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The expiry that is near enough to be told, if there is one.
pub(super) fn due(account: &Account) -> Option<Expiry> {
    account.expiry().filter(|expiry| expiry.notice() <= unix_now())
}

#[cfg(test)]
mod tests;
