//! Where generations and their components are kept: in the store, or without a state directory in memory.
//!
//! What is kept in memory goes with the process; `posthouse check` and tests need no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use posthouse_store::digest::Digest;
use posthouse_store::error::Error;
use posthouse_store::generations::{Generation, Stage, Upload};
use posthouse_store::store::Store;

use super::Steps;

/// Who brings what is in a file.
pub(super) const CONFIGURATION: &str = "the configuration"; // no name of a token has a space
/// Generations that are over, of each tenant, that are kept for a rollback.
pub const KEPT: usize = 20;
/// The same in memory, where their components are.
const KEPT_IN_MEMORY: usize = 3;

/// The generations of all tenants.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    store: Option<Arc<Store>>,
    memory: Arc<Mutex<HashMap<String, Remembered>>>,
}

#[derive(Debug, Default)]
struct Remembered {
    last: u64,
    generations: Vec<Generation>,
    components: HashMap<Digest, Arc<Vec<u8>>>,
}

impl Archive {
    /// In this store.
    pub fn of(store: Arc<Store>) -> Self {
        Self { store: Some(store), ..Self::default() }
    }

    /// Whether generations outlive the process.
    pub fn is_durable(&self) -> bool {
        self.store.is_some()
    }

    /// The store, where there is one.
    pub(crate) fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref()
    }

    /// Forgets tenants that are no more; those in the store stay there.
    pub(crate) fn forget_all_but(&self, is_there: impl Fn(&str) -> bool) {
        self.memory().retain(|tenant, _| is_there(tenant));
    }

    /// A tenant's generations, the oldest first.
    pub(crate) async fn list(&self, tenant: &str) -> Result<Vec<Generation>, Error> {
        let tenant = tenant.to_owned();
        self.with(move |archive| match &archive.store {
            Some(store) => store.generations().list(&tenant),
            None => Ok(archive.memory().get(&tenant).map(|of| of.generations.clone()).unwrap_or_default()),
        })
        .await
    }

    /// Adds a generation with its component.
    pub(crate) async fn append(
        &self,
        tenant: &str,
        component: &[u8],
        upload: Upload,
        stage: Stage,
    ) -> Result<Generation, Error> {
        let (tenant, component) = (tenant.to_owned(), component.to_vec());
        self.with(move |archive| match &archive.store {
            Some(store) => {
                let generation = store.generations().append(&tenant, &component, upload, stage)?;
                let spared = newest_of_file(&store.generations().list(&tenant)?);
                store.generations().prune(&tenant, KEPT, spared)?;
                Ok(generation)
            }
            None => Ok(archive.memory().entry(tenant).or_default().append(component, upload, stage)),
        })
        .await
    }

    /// Sets stages, all or none.
    pub(crate) async fn set_stages(&self, tenant: &str, steps: Steps) -> Result<(), Error> {
        let tenant = tenant.to_owned();
        self.with(move |archive| match &archive.store {
            Some(store) => store.generations().set_stages(&tenant, &steps.stages, steps.decided),
            None => {
                archive.memory().entry(tenant).or_default().generations.iter_mut().for_each(|of| steps.apply(of));
                Ok(())
            }
        })
        .await
    }

    /// A component's octets.
    pub(crate) async fn component(&self, tenant: &str, digest: Digest) -> Result<Arc<Vec<u8>>, Error> {
        let tenant = tenant.to_owned();
        self.with(move |archive| match &archive.store {
            Some(store) => store.generations().component(&digest).map(Arc::new),
            None => {
                let found = archive.memory().get(&tenant).and_then(|of| of.components.get(&digest).cloned());
                found.ok_or(Error::NoComponent { digest })
            }
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let archive = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&archive));
        done.await.expect("the archive does not panic")
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The generation that a file brought last: as long as it is known, what is in the file is no news.
fn newest_of_file(generations: &[Generation]) -> Option<u64> {
    let is_of_file = |generation: &&Generation| generation.upload.who == CONFIGURATION;
    generations.iter().rev().find(is_of_file).map(|generation| generation.number)
}

/// Forgets all but the newest of those that are over, and never the one that a file brought last.
pub(super) fn prune(generations: &mut Vec<Generation>, keep: usize) {
    let spared = newest_of_file(generations);
    let is_over = |generation: &Generation| {
        let over = matches!(generation.stage, Stage::Retired | Stage::Refused | Stage::Uploaded);
        over && Some(generation.number) != spared
    };
    let surplus = generations.iter().filter(|generation| is_over(generation)).count().saturating_sub(keep);
    let mut left = surplus;
    generations.retain(|generation| {
        let goes = left > 0 && is_over(generation);
        left -= usize::from(goes);
        !goes
    });
}

impl Remembered {
    fn append(&mut self, component: Vec<u8>, upload: Upload, stage: Stage) -> Generation {
        self.last += 1;
        let digest = Digest::of(&component);
        let generation = Generation { number: self.last, digest, stage, decided: None, upload };
        self.generations.push(generation.clone());
        self.components.insert(digest, Arc::new(component));
        prune(&mut self.generations, KEPT_IN_MEMORY);
        let named = |digest: &Digest| self.generations.iter().any(|generation| generation.digest == *digest);
        self.components.retain(|digest, _| named(digest));
        generation
    }
}
