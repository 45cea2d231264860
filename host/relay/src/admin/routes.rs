//! Every endpoint: its method, its path, who may use it, and what answers. There is no other way to add one.
//!
//! `openapi.json` describes the same operations, and a test holds that it does.

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::access::{Access, admit};
use super::failure::{Failure, shown};
use super::{Admin, consent, guard, health, history, page, pausing, policies, status, tenants, tracing};

/// One endpoint.
struct Operation {
    #[cfg_attr(not(test), expect(dead_code, reason = "the test holds it against the description"))]
    method: MethodFilter,
    path: &'static str,
    access: Access,
    answers: MethodRouter<Admin>,
}

fn operations() -> Vec<Operation> {
    vec![
        read("/", Access::Page, page::page),
        read("/page.css", Access::Open, page::style),
        read("/page.js", Access::Open, page::script),
        read("/page.svg", Access::Open, page::icon),
        read("/metrics", Access::Metrics, health::metrics),
        read("/healthz", Access::Open, health::health),
        read("/readyz", Access::Open, health::readiness),
        read("/v1/openapi.json", Access::Open, history::description),
        read("/v1/status", Access::ReadRelay, status::status),
        change("/v1/reload", Access::ChangeRelay, status::reload),
        read("/v1/audit", Access::AnyToken, history::audit),
        read("/v1/trace", Access::AnyToken, tracing::trace),
        read("/v1/tenants", Access::AnyToken, tenants::list),
        read("/v1/tenants/{tenant}", Access::ReadTenant, tenants::show),
        change("/v1/tenants/{tenant}/pause", Access::ChangeTenant, pausing::pause),
        change("/v1/tenants/{tenant}/resume", Access::ChangeTenant, pausing::resume),
        read("/v1/tenants/{tenant}/policies", Access::ReadTenant, policies::list),
        change("/v1/tenants/{tenant}/policies", Access::ChangeTenant, policies::push),
        change("/v1/tenants/{tenant}/policies/settings", Access::ChangeTenant, policies::set),
        change("/v1/tenants/{tenant}/policies/rollback", Access::ChangeTenant, policies::roll_back),
        change("/v1/tenants/{tenant}/policies/{number}/stage", Access::ChangeTenant, policies::bring),
        read("/v1/tenants/{tenant}/accounts", Access::ReadTenant, tenants::accounts),
        change("/v1/tenants/{tenant}/accounts/{account}/pause", Access::ChangeTenant, pausing::pause),
        change("/v1/tenants/{tenant}/accounts/{account}/resume", Access::ChangeTenant, pausing::resume),
        change("/v1/tenants/{tenant}/accounts/{account}/consent", Access::ChangeRelay, consent::give),
    ]
}

fn read<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Admin>) -> Operation {
    let method = MethodFilter::GET;
    Operation { method, path, access, answers: on(method, handler) }
}

fn change<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Admin>) -> Operation {
    let method = MethodFilter::POST;
    Operation { method, path, access, answers: on(method, handler) }
}

/// All of them, each behind its access, and all behind the guard.
pub(super) fn router(admin: &Admin) -> Router {
    let mut router = Router::new();
    for Operation { path, access, answers, .. } in operations() {
        let admit = from_fn_with_state((access, admin.clone()), admit);
        router = router.route(path, answers.route_layer(admit));
    }
    router
        .method_not_allowed_fallback(other_method)
        .fallback(elsewhere)
        .layer(from_fn_with_state(admin.clone(), guard::check))
        .with_state(admin.clone())
}

async fn other_method(method: Method, uri: Uri) -> Failure {
    let error = format!("{} does not take {}", shown(uri.path()), shown(method.as_str()));
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, error, "see the Allow field, and /v1/openapi.json")
}

async fn elsewhere(uri: Uri) -> Failure {
    Failure::not_found(format!("there is nothing at {}", shown(uri.path())), "see /v1/openapi.json")
}

#[cfg(test)]
mod tests;
