//! Failed logins, counted by client address and by login at that address.
//!
//! Not by login alone: anybody could lock a login out then. The delay doubles with each failure
//! beyond a few, and fades when nothing fails for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures of one login at one address that cost nothing but their own answer.
const FREE_PER_LOGIN: u32 = 5;
/// The same for one address, whatever logins it tries; an office behind one address shares it.
const FREE_PER_ADDRESS: u32 = 20;
/// The longest time that one more failure shuts a door for.
const LONGEST: Duration = Duration::from_secs(300);
/// How many doors are kept in mind; beyond it those that are open again are forgotten first.
const MOST: usize = 65_536;

#[derive(Debug, PartialEq, Eq, Hash, Clone)]
enum Door {
    Address(IpAddr),
    Login(IpAddr, String),
}

#[derive(Debug)]
struct Count {
    failures: u32,
    last: Instant,
}

impl Count {
    fn shut_until(&self, free: u32) -> Instant {
        let beyond = self.failures.saturating_sub(free);
        let shut = if beyond == 0 { Duration::ZERO } else { Duration::from_secs(1 << (beyond - 1).min(12)) };
        self.last + shut.min(LONGEST)
    }

    fn has_faded(&self, now: Instant) -> bool {
        now > self.last + 2 * LONGEST
    }
}

/// The failures so far.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    counts: Mutex<HashMap<Door, Count>>,
}

impl Failures {
    pub(super) fn are_too_many(&self, peer: IpAddr, login: &str, now: Instant) -> bool {
        self.shut_for(peer, login, now).is_some()
    }

    /// How long nobody gets in here, if a door is shut.
    pub(crate) fn shut_for(&self, peer: IpAddr, login: &str, now: Instant) -> Option<Duration> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let shut = |(door, free): &(Door, u32)| {
            let count = counts.get(door).filter(|count| !count.has_faded(now))?;
            Some(count.shut_until(*free)).filter(|until| now < *until)
        };
        let until = doors(peer, login).iter().filter_map(shut).max()?;
        Some(until.saturating_duration_since(now))
    }

    pub(crate) fn count(&self, peer: IpAddr, login: &str, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST {
            counts.retain(|_, count| !count.has_faded(now));
            if counts.len() >= MOST {
                counts.clear();
            }
        }
        for (door, _) in doors(peer, login) {
            let count = counts.entry(door).or_insert(Count { failures: 0, last: now });
            count.failures = if count.has_faded(now) { 1 } else { count.failures + 1 };
            count.last = now;
        }
    }

    /// The right password came: the login's door is open again, and this try does not stand
    /// against the address.
    pub(super) fn forgive(&self, peer: IpAddr, login: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = household(peer);
        counts.remove(&Door::Login(peer, login.to_owned()));
        if let Some(count) = counts.get_mut(&Door::Address(peer)) {
            count.failures -= 1;
            if count.failures == 0 {
                counts.remove(&Door::Address(peer));
            }
        }
    }
}

/// Who has one IPv6 address has a /64 of them.
fn household(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

fn doors(peer: IpAddr, login: &str) -> [(Door, u32); 2] {
    let peer = household(peer);
    [(Door::Address(peer), FREE_PER_ADDRESS), (Door::Login(peer, login.to_owned()), FREE_PER_LOGIN)]
}
