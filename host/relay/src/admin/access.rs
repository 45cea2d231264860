//! Who may do what: the one place where it is decided, for every endpoint.
//!
//! Invariant: a tenant's token opens its own tenant and nothing else, and no answer tells it which others there are.

mod caller;

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Admin;
use super::failure::{Failure, shown};
use super::page;
use crate::config::token::Reach;
use crate::tenant::Tenant;

pub(super) use caller::Caller;

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// Anybody, unless the configuration wants a token: then whoever may read all of the relay.
    Metrics,
    /// Whoever has a token; the answer is what that token may see.
    AnyToken,
    /// The same for a browser, which is asked for it.
    Page,
    /// Operators, also those who only read.
    ReadRelay,
    /// Operators.
    ChangeRelay,
    /// Operators who read, and the tenant whose id is in the path.
    ReadTenant,
    /// Operators, and the tenant whose id is in the path, unless its token only reads.
    ChangeTenant,
}

/// The tenant of the path, for a caller who may.
#[derive(Debug, Clone)]
pub(super) struct TenantScope {
    pub(super) tenant: Arc<Tenant>,
}

impl Access {
    /// Its name in the description of the API.
    #[cfg(test)]
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Metrics => None,
            Self::AnyToken | Self::Page => Some("any"),
            Self::ReadRelay => Some("relay:read"),
            Self::ChangeRelay => Some("relay:change"),
            Self::ReadTenant => Some("tenant:read"),
            Self::ChangeTenant => Some("tenant:change"),
        }
    }

    fn reach(self) -> Reach {
        match self {
            Self::ChangeRelay | Self::ChangeTenant => Reach::Change,
            Self::Open | Self::Metrics | Self::AnyToken | Self::Page | Self::ReadRelay | Self::ReadTenant => {
                Reach::Read
            }
        }
    }
}

/// Lets the request through to its endpoint, or not.
pub(super) async fn admit(
    State((access, admin)): State<(Access, Admin)>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    // A path that is no text names no tenant.
    let id = params.iter().flatten().find(|(name, _)| *name == "tenant").map_or("", |(_, id)| id);
    match admit_to(access, &admin, &mut request, id) {
        Ok(()) => next.run(request).await,
        Err(failure) if access == Access::Page => page::refusal(failure, request.headers()),
        Err(failure) => failure.into_response(),
    }
}

fn admit_to(access: Access, admin: &Admin, request: &mut Request, id: &str) -> Result<(), Failure> {
    let snapshot = admin.snapshot();
    let wants_token = || snapshot.config.admin.as_ref().is_none_or(|admin| admin.metrics_token);
    let access = match access {
        Access::Open => return Ok(()),
        Access::Metrics if !wants_token() => return Ok(()),
        Access::Metrics => Access::ReadRelay,
        access => access,
    };
    let caller = Caller::of(admin, &snapshot.config, request)?;
    match access {
        Access::ReadTenant | Access::ChangeTenant => {
            caller.may_open(id)?;
            caller.may(access.reach())?;
            let next = "GET /v1/tenants lists them";
            let none = || Failure::not_found(format!("there is no tenant {}", shown(id)), next);
            let tenant = snapshot.tenants.get(id).cloned().ok_or_else(none)?;
            request.extensions_mut().insert(TenantScope { tenant });
        }
        Access::ReadRelay | Access::ChangeRelay => {
            caller.is_operator()?;
            caller.may(access.reach())?;
        }
        Access::Open | Access::Metrics | Access::AnyToken | Access::Page => {}
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

impl<S: Sync> FromRequestParts<S> for TenantScope {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let scope = parts.extensions.get::<Self>().cloned();
        Ok(scope.expect("an endpoint of a tenant is listed with the access to one"))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = parts.extensions.get::<Self>().cloned();
        Ok(caller.expect("an endpoint that asks who calls is listed with an access that needs a token"))
    }
}
