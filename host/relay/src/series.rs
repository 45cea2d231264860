//! The recorder of metrics, which lets go of the series of tenants and accounts that are no more.
//!
//! The exporter keeps each series for good, and forgets idle ones only by their age, be their account alive or not. So
//! each tenant and each account has an exporter of its own, which goes with the last handle to one of its series; what
//! they show is put together. Invariant: a series is shown, and counts on, as long as its owner holds any handle of its
//! own, however idle it is; one that nobody holds is gone, and begins at 0 should its owner come back.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SetRecorderError, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::metrics::{LATENCY_BUCKETS, POLICY_BUCKETS};
use held::Held;
use page::Page;

mod held;
mod page;

/// What is installed as the process's recorder. Clones record and show the same.
#[derive(Debug, Clone)]
pub struct Series {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Of what belongs to no tenant.
    relay: PrometheusRecorder,
    owners: RwLock<HashMap<String, Owned>>,
    help: RwLock<HashMap<String, SharedString>>,
}

/// A tenant's series and those of its accounts.
#[derive(Debug, Default)]
struct Owned {
    tenant: Weak<PrometheusRecorder>,
    accounts: HashMap<String, Weak<PrometheusRecorder>>,
}

/// Whose series it is, by its labels.
#[derive(Debug, Clone, Copy)]
struct Owner<'a> {
    tenant: &'a str,
    account: Option<&'a str>,
}

impl Default for Series {
    fn default() -> Self {
        let (owners, help) = (RwLock::default(), RwLock::default());
        Self { inner: Arc::new(Inner { relay: recorder(), owners, help }) }
    }
}

impl Series {
    /// The recorder of this process.
    ///
    /// # Errors
    /// There is one.
    pub fn install() -> Result<Self, SetRecorderError<Self>> {
        let series = Self::default();
        metrics::set_global_recorder(series.clone()).map(|()| series)
    }

    /// All of them, in the text format of Prometheus.
    pub fn render(&self) -> String {
        let mut page = Page::default();
        page.add(&self.inner.relay.handle().render());
        self.living().iter().for_each(|recorder| page.add(&recorder.handle().render()));
        page.text(&self.inner.help.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts what histograms have gathered into their buckets, and forgets who is gone. Until then both take memory.
    pub fn tidy(&self) {
        self.inner.relay.handle().run_upkeep();
        self.living().iter().for_each(|recorder| recorder.handle().run_upkeep());
        let mut owners = self.inner.owners.write().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|_, owned| {
            owned.accounts.retain(|_, recorder| recorder.strong_count() > 0);
            !owned.accounts.is_empty() || owned.tenant.strong_count() > 0
        });
    }

    fn living(&self) -> Vec<Arc<PrometheusRecorder>> {
        let owners = self.inner.owners.read().unwrap_or_else(PoisonError::into_inner);
        let all = owners.values().flat_map(|owned| std::iter::once(&owned.tenant).chain(owned.accounts.values()));
        all.filter_map(Weak::upgrade).collect()
    }

    fn of(&self, owner: Owner<'_>) -> Arc<PrometheusRecorder> {
        let known = self.inner.owners.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorder) = known.get(owner.tenant).and_then(|owned| owned.recorder(owner)) {
            return recorder;
        }
        drop(known);
        let mut owners = self.inner.owners.write().unwrap_or_else(PoisonError::into_inner);
        let owned = owners.entry(owner.tenant.to_owned()).or_default();
        // Somebody else may have been here in between.
        if let Some(recorder) = owned.recorder(owner) {
            return recorder;
        }
        let made = Arc::new(recorder());
        let place = match owner.account {
            Some(account) => owned.accounts.entry(account.to_owned()).or_default(),
            None => &mut owned.tenant,
        };
        *place = Arc::downgrade(&made);
        made
    }

    fn describe(&self, name: &KeyName, help: SharedString) {
        let known = self.inner.help.read().unwrap_or_else(PoisonError::into_inner).contains_key(name.as_str());
        if !known {
            let mut all = self.inner.help.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(name.as_str().to_owned(), help);
        }
    }
}

impl Owned {
    fn recorder(&self, owner: Owner<'_>) -> Option<Arc<PrometheusRecorder>> {
        match owner.account {
            Some(account) => self.accounts.get(account)?.upgrade(),
            None => self.tenant.upgrade(),
        }
    }
}

impl<'a> Owner<'a> {
    fn of(key: &'a Key) -> Option<Self> {
        let label = |name: &str| key.labels().find(|label| label.key() == name).map(metrics::Label::value);
        // What is counted where no account was chosen is the tenant's.
        Some(Self { tenant: label("tenant")?, account: label("account").filter(|account| *account != "none") })
    }
}

impl Recorder for Series {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let Some(owner) = Owner::of(key) else { return self.inner.relay.register_counter(key, metadata) };
        let of = self.of(owner);
        Counter::from_arc(Arc::new(Held { handle: of.register_counter(key, metadata), _of: of }))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let Some(owner) = Owner::of(key) else { return self.inner.relay.register_gauge(key, metadata) };
        let of = self.of(owner);
        Gauge::from_arc(Arc::new(Held { handle: of.register_gauge(key, metadata), _of: of }))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let Some(owner) = Owner::of(key) else { return self.inner.relay.register_histogram(key, metadata) };
        let of = self.of(owner);
        Histogram::from_arc(Arc::new(Held { handle: of.register_histogram(key, metadata), _of: of }))
    }
}

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    let policies = Matcher::Full("posthouse_policy_cpu_seconds".to_owned());
    let builder = builder.set_buckets_for_metric(policies, POLICY_BUCKETS);
    let builder = builder
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), LATENCY_BUCKETS));
    builder.expect("there are buckets").build_recorder()
}

#[cfg(test)]
mod tests;
