//! The tenants' policies of a snapshot: loaded side by side, as compiling takes time.

use std::sync::Arc;

use posthouse_policy::failure::LoadError;
use tokio::task::JoinSet;

use crate::config::policy::Policy as Settings;
use crate::config::tenant::Tenant as TenantSettings;
use crate::generations::{Changed, Steps, follow};
use crate::policies::{Policies, nobody};
use crate::snapshot::{BuildError, Known, Snapshot};
use crate::tenant::Tenant;

/// How many are loaded at a time: a worker for each core, and the next one read meanwhile.
const AT_A_TIME: usize = 4;

/// What came of loading them all.
pub(super) struct Loaded {
    /// The tenants with their policies, in the same order.
    pub(super) tenants: Vec<Arc<Tenant>>,
    /// Why a policy was not taken: that is its own tenant's trouble.
    pub(super) refused: Vec<String>,
    /// Stages to be written down, by tenant.
    pub(super) stages: Vec<(String, Steps)>,
}

/// Loads them.
///
/// # Errors
/// No policy at all can be loaded.
pub(super) async fn loaded(
    settings: &[TenantSettings],
    tenants: Vec<Arc<Tenant>>,
    policies: &Arc<Policies>,
    previous: Option<&Snapshot>,
) -> Result<Loaded, BuildError> {
    let mut all = Loaded { tenants, refused: Vec::new(), stages: Vec::new() };
    let mut loading = JoinSet::new();
    let mut waiting = settings.iter().enumerate().filter_map(|(index, tenant)| Some((index, tenant.policy.clone()?)));
    loop {
        while loading.len() < AT_A_TIME
            && let Some((index, settings)) = waiting.next()
        {
            let known = Known { tenant: Arc::clone(&all.tenants[index]), login: Arc::new(nobody()) };
            let before = previous.and_then(|previous| Some(previous.tenants.get(&known.tenant.id)?.line.clone()));
            let before = before.filter(|before| !before.history.is_empty());
            let policies = Arc::clone(policies);
            loading.spawn(async move {
                let changed = follow(&policies, &settings, &known, before.as_ref()).await;
                (index, settings, changed)
            });
        }
        let Some(done) = loading.join_next().await else { return Ok(all) };
        let (index, settings, changed) = done.expect("loading a policy does not panic");
        let Changed { line, steps, refused, .. } = changed.map_err(BuildError::Policies)?;
        let tenant = all.tenants[index].with_line(line);
        all.refused.extend(refused.into_iter().map(|source| named(&settings, source)));
        if steps != Steps::default() {
            all.stages.push((tenant.id.clone(), steps));
        }
        all.tenants[index] = Arc::new(tenant);
    }
}

fn named(settings: &Settings, source: LoadError) -> String {
    let file = settings.file.as_ref().map(|file| format!(".file: {}", file.display())).unwrap_or_default();
    BuildError::Policy { place: settings.place.clone(), file, source }.to_string()
}
