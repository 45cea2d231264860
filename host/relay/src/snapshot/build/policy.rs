//! The tenants' policies of a snapshot: loaded side by side, as compiling takes time.

use std::sync::Arc;

use posthouse_policy::failure::LoadError;
use tokio::task::JoinSet;

use crate::config::policy::Policy as Settings;
use crate::config::tenant::Tenant as TenantSettings;
use crate::policies::{Policies, TenantPolicy, nobody};
use crate::snapshot::{BuildError, Known};
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
) -> Result<(Vec<Arc<Tenant>>, Vec<BuildError>), BuildError> {
    let mut refused = Vec::new();
    let mut loading = JoinSet::new();
    let mut waiting = settings.iter().enumerate().filter_map(|(index, tenant)| Some((index, tenant.policy.clone()?)));
    loop {
        while loading.len() < AT_A_TIME
            && let Some((index, settings)) = waiting.next()
        {
            let known = Known { tenant: Arc::clone(&tenants[index]), login: Arc::new(nobody()) };
            let policies = Arc::clone(policies);
            loading.spawn(async move { (index, load(&policies, settings, known).await) });
        }
        let Some(done) = loading.join_next().await else { return Ok((tenants, refused)) };
        let (index, policy) = done.expect("loading a policy does not panic");
        let tenant = match policy {
            Ok(policy) => tenants[index].with_policy(Arc::new(policy)),
            Err(error @ BuildError::Policies(_)) => return Err(error),
            Err(error) => {
                refused.push(error);
                tenants[index].without_its_policy()
            }
        };
        tenants[index] = Arc::new(tenant);
    }
}

async fn load(policies: &Policies, settings: Settings, known: Known) -> Result<TenantPolicy, BuildError> {
    policies.load(&settings, known).await.map_err(|source| match source {
        // Without an engine there is no policy of anybody's.
        LoadError::Engine(_) => BuildError::Policies(source),
        source => BuildError::Policy { place: settings.place, file: settings.file.display().to_string(), source },
    })
}
