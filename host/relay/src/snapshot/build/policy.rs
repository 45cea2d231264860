//! The tenants' policies of a snapshot: loaded side by side, as compiling takes time.

use std::sync::Arc;

use posthouse_policy::failure::LoadError;
use tokio::task::JoinSet;

use crate::config::policy::Policy as Settings;
use crate::config::tenant::Tenant as TenantSettings;
use crate::policies::{Policies, TenantPolicy, nobody};
use crate::snapshot::{BuildError, Known, Snapshot};
use crate::tenant::Tenant;

/// How many are loaded at a time: a worker for each core, and the next one read meanwhile.
const AT_A_TIME: usize = 4;

/// The tenants with their policies, in the same order, and why a policy was not taken: that is its own tenant's trouble.
///
/// # Errors
/// No policy at all can be loaded.
pub(super) async fn loaded(
    settings: &[TenantSettings],
    mut tenants: Vec<Arc<Tenant>>,
    policies: &Arc<Policies>,
    previous: Option<&Snapshot>,
) -> Result<(Vec<Arc<Tenant>>, Vec<BuildError>), BuildError> {
    let mut refused = Vec::new();
    let mut loading = JoinSet::new();
    let mut waiting = settings.iter().enumerate().filter_map(|(index, tenant)| Some((index, tenant.policy.clone()?)));
    loop {
        while loading.len() < AT_A_TIME
            && let Some((index, settings)) = waiting.next()
        {
            let known = Known { tenant: Arc::clone(&tenants[index]), login: Arc::new(nobody()) };
            let before = previous.and_then(|previous| previous.tenants.get(&known.tenant.id)?.policy.clone());
            let policies = Arc::clone(policies);
            loading.spawn(async move { (index, load(&policies, settings, known, before.as_ref()).await, before) });
        }
        let Some(done) = loading.join_next().await else { return Ok((tenants, refused)) };
        let (index, policy, before) = done.expect("loading a policy does not panic");
        let tenant = match (policy, before) {
            (Ok(policy), _) => tenants[index].with_policy(policy),
            (Err(error @ BuildError::Policies(_)), _) => return Err(error),
            // What has decided so far goes on deciding.
            (Err(error), Some(before)) => {
                refused.push(error);
                tenants[index].with_policy(before)
            }
            (Err(error), None) => {
                refused.push(error);
                tenants[index].without_its_policy()
            }
        };
        tenants[index] = Arc::new(tenant);
    }
}

async fn load(
    policies: &Policies,
    settings: Settings,
    known: Known,
    before: Option<&Arc<TenantPolicy>>,
) -> Result<Arc<TenantPolicy>, BuildError> {
    policies.load(&settings, known, before).await.map_err(|source| match source {
        // Without an engine there is no policy of anybody's.
        LoadError::Engine(_) => BuildError::Policies(source),
        source => BuildError::Policy { place: settings.place, file: settings.file.display().to_string(), source },
    })
}
