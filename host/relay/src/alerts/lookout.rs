//! Looks at all accounts each second: notices what a person must know, says in the log what ends soon, keeps consents
//! from ending unused, and sees to it that one which was given again is noticed without a message.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_store::store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::certificates::Certificates;
use super::{Alert, Desk, News, Subject};
use crate::account::Account;
use crate::account::life::{Credential, days};
use crate::account::state::{Name, State};
use crate::keeper::unix_now;
use crate::snapshot::{Snapshot, Snapshots};

const EACH: Duration = Duration::from_secs(1);
/// Turns between two writings of how long consents have lived, and two looks at those that nobody uses.
const LIVES_EACH: u64 = 60;
/// An end is told once for each of these, in days before it.
const DAYS: [u64; 5] = [30, 14, 7, 3, 1];
const DAY: u64 = 24 * 3_600;

/// What ends: a tenant's account's credential, or (without a tenant) the certificate of a listener.
type Ending = (String, String, Option<Credential>);

pub(super) struct Lookout {
    snapshots: Snapshots,
    desk: Arc<Desk>,
    /// Accounts that somebody has to be told are in order again.
    alarmed: HashMap<(String, String), Alarmed>,
    certificates: Certificates,
    /// The last of [`DAYS`] that was told of each end; 0 is the end itself.
    told: HashMap<Ending, u64>,
    alerts: u64,
    began: u64,
}

/// An account that a person was told of.
struct Alarmed {
    state: State,
    /// Messages that it had delivered by then.
    delivered: u64,
}

impl Lookout {
    pub(super) fn new(snapshots: Snapshots, desk: Arc<Desk>) -> Self {
        let (alarmed, told) = (HashMap::new(), HashMap::new());
        Self { snapshots, desk, alarmed, certificates: Certificates::default(), told, alerts: 0, began: unix_now() }
    }

    pub(super) async fn look(mut self) {
        let mut turns = interval(EACH);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0_u64.. {
            turns.tick().await;
            let (snapshot, now) = (self.snapshots.current(), unix_now());
            self.notice(&snapshot, now);
            for news in self.certificates.news(&snapshot, now) {
                self.tell(news, now);
            }
            self.tell_ends(&snapshot, now);
            if turn.is_multiple_of(LIVES_EACH) {
                keep_awake(&snapshot, now);
                write_lives(&snapshot, now).await;
            }
        }
    }

    fn notice(&mut self, snapshot: &Snapshot, now: u64) {
        let exists = |(tenant, account): &(String, String)| {
            snapshot.tenants.get(tenant).is_some_and(|tenant| tenant.accounts.contains_key(account))
        };
        self.alarmed.retain(|key, _| exists(key));
        for tenant in snapshot.tenants.values() {
            for account in tenant.accounts.values() {
                account.look(now);
                if account.needs_consent() {
                    account.ask_for_a_token();
                }
                self.compare(&tenant.id, account, now);
            }
        }
    }

    fn compare(&mut self, tenant: &str, account: &Account, now: u64) {
        let key = (tenant.to_owned(), account.id.clone());
        let (before, after) = (self.alarmed.get(&key), account.alarm());
        let before_name = before.map_or(Name::Ready, |before| before.state.name);
        match (before, after) {
            (None, None) => {}
            (Some(before), Some(after)) if before.state.name == after.name => {}
            // That a pause is over heals nothing: the next message finds out.
            (Some(before), None) if !before.is_over(account) => {}
            (Some(_), None) => {
                self.alarmed.remove(&key);
                let healed = account.state();
                self.tell_of(tenant, account, ("healed", before_name, healed), now);
            }
            (_, Some(after)) => {
                let delivered = account.tally.totals().delivered;
                self.alarmed.insert(key, Alarmed { state: after.clone(), delivered });
                self.tell_of(tenant, account, (after.name.word(), before_name, after), now);
            }
        }
    }

    fn tell_of(
        &mut self,
        tenant: &str,
        account: &Account,
        (event, before, state): (&'static str, Name, State),
        now: u64,
    ) {
        let text = text(tenant, account, event, &state);
        if event == "healed" {
            info!(tenant, account = account.id, before = before.word(), "the account is in order again");
        } else {
            warn!(tenant, account = account.id, state = state.name.word(), reason = state.reason, "{text}");
        }
        let (tenant, address) = (tenant.to_owned(), account.address.to_string());
        let subject = Subject::Account { tenant, account: account.id.clone(), address };
        let expires = account.expiry().map(|expiry| expiry.at);
        self.tell(News { subject, event, before, state, expires, text }, now);
    }

    /// Leaves it to the courier, where there is a webhook.
    fn tell(&mut self, news: News, now: u64) {
        if self.snapshots.current().config.alerts.is_none() {
            return;
        }
        self.alerts += 1;
        let News { subject, event, before, state, expires, text } = news;
        let State { name: after, reason, since, .. } = state;
        let id = format!("{:x}-{}", self.began, self.alerts);
        let alert = Alert { id, event, at: now, subject, before, after, reason, since, expires, text };
        let mut pending = self.desk.pending();
        if pending.add(alert) {
            self.desk.metrics.dropped.increment(1);
        }
        self.desk.show(&pending);
        self.desk.news.notify_one();
    }

    /// Says what ends, once for each of the days that are named.
    fn tell_ends(&mut self, snapshot: &Snapshot, now: u64) {
        for tenant in snapshot.tenants.values() {
            for account in tenant.accounts.values() {
                for expiry in account.expiries() {
                    let ending = (tenant.id.clone(), account.id.clone(), Some(expiry.credential));
                    if self.is_to_be_told(ending, expiry.at, now) {
                        let (credential, next) = (expiry.credential.word(), expiry.credential.next());
                        let (tenant, account, left) = (&tenant.id, &account.id, left(expiry.at, now));
                        warn!(tenant, account, credential, left, next, "a credential of the account ends");
                    }
                }
            }
        }
        for (listener, validity) in snapshot.certificates() {
            if self.is_to_be_told((String::new(), listener.to_owned(), None), validity.ends, now) {
                let left = left(validity.ends, now);
                warn!(listener, left, "the certificate ends: put a new one in its place");
            }
        }
    }

    fn is_to_be_told(&mut self, ending: Ending, at: u64, now: u64) -> bool {
        let Some(step) = step(at, now) else {
            self.told.remove(&ending);
            return false;
        };
        let told = self.told.insert(ending, step);
        told.is_none_or(|told| step < told)
    }
}

impl Alarmed {
    /// Whether that the account says nothing of it any more means that it is over.
    fn is_over(&self, account: &Account) -> bool {
        self.state.name != Name::LeftAlone || account.tally.totals().delivered > self.delivered
    }
}

/// The last of [`DAYS`] that has come, 0 behind the end; none while the end is far.
fn step(at: u64, now: u64) -> Option<u64> {
    match at.checked_sub(now) {
        None | Some(0) => Some(0),
        Some(left) => DAYS.into_iter().filter(|days| left <= days * DAY).min(),
    }
}

fn left(at: u64, now: u64) -> String {
    at.checked_sub(now).map_or_else(|| "none: it has ended".to_owned(), days)
}

fn text(tenant: &str, account: &Account, event: &str, state: &State) -> String {
    let (id, address) = (&account.id, &account.address);
    let reason = state.reason.as_deref().unwrap_or("no reason is known");
    let account = format!("account {id} ({address}) of tenant {tenant}");
    match state.name {
        _ if event == "healed" => format!("{account} is in order again."),
        Name::NeedsConsent => {
            format!(
                "{account} cannot send: {reason}. If a new consent is needed: posthouse account login {tenant}/{id}"
            )
        }
        Name::Refused => {
            format!("{account} cannot log in at its provider: {reason}. Why: posthouse account test {tenant}/{id}")
        }
        Name::LeftAlone => format!("{account} is blocked, or its mailbox is full: {reason}"),
        Name::Expiring => format!("{account} will not send for long: {reason}"),
        Name::Ready | Name::Paused | Name::Throttled | Name::OverBudget => format!("{account}: {reason}"),
    }
}

/// A consent that nobody uses ends after a while: it is used once in half of that time.
fn keep_awake(snapshot: &Snapshot, now: u64) {
    snapshot.accounts().filter(|account| account.is_falling_asleep(now)).for_each(|account| account.ask_for_a_token());
}

async fn write_lives(snapshot: &Snapshot, now: u64) {
    let Some(store) = snapshot.store().cloned() else { return };
    let lives: Vec<_> = snapshot.accounts().filter_map(|it| Some((Arc::clone(it), it.life_to_write(now)?))).collect();
    if lives.is_empty() {
        return;
    }
    let written = tokio::task::spawn_blocking(move || {
        let kept: Vec<_> = lives.iter().map(|(_, life)| life.clone()).collect();
        keep(&store, &kept).then(|| lives.iter().for_each(|(account, (_, life))| account.life_written(*life)))
    });
    let _logged = written.await.expect("writing how long consents have lived does not panic");
}

fn keep(store: &Store, lives: &[(posthouse_store::refresh_tokens::Chain, posthouse_store::lives::Life)]) -> bool {
    match store.lives().keep(lives) {
        Ok(()) => true,
        // The process that takes over writes them.
        Err(posthouse_store::error::Error::HandedOver { .. }) => false,
        Err(error) => {
            error!(%error, "how long consents have lived is not written down; the next minute tries again");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn an_end_is_told_at_its_days() {
        let day = 86_400;
        let at = 1_000 * day;
        for (left, told) in [(31, None), (30, Some(30)), (15, Some(30)), (14, Some(14)), (2, Some(3)), (1, Some(1))] {
            assert_eq!(step(at, at - left * day), told, "{left} days before");
        }
        assert_eq!(step(at, at - 3_600), Some(1));
        assert_eq!(step(at, at), Some(0));
        assert_eq!(step(at, at + day), Some(0));
    }
}
