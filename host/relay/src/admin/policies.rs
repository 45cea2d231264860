//! A tenant's policy over the API: its generations, bringing one, and its way from stage to stage.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequest, Query, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use posthouse_policy::limits;
use posthouse_store::generations::{Generation, Stage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Admin;
use super::access::{Caller, TenantScope};
use super::body::{self, Nothing, read};
use super::failure::{Failure, shown};
use super::turns::Turn;
use crate::control::policies::{Component, Move, Push, Rejected};
use crate::generations::StageError;
use crate::tenant::Tenant;

/// The longest note, in characters.
const NOTE: usize = 500;

/// Where a generation is to come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wanted {
    #[default]
    Uploaded,
    Shadow,
    Canary,
    Active,
    Retired,
}

/// What comes with an upload, in the query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadQuery {
    #[serde(default)]
    stage: Wanted,
    percent: Option<u8>,
    #[serde(default)]
    note: String,
}

/// A stage that is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageWish {
    stage: Wanted,
    percent: Option<u8>,
}

/// Settings that are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsWish {
    settings: BTreeMap<String, String>,
    #[serde(default)]
    stage: Wanted,
    percent: Option<u8>,
    #[serde(default)]
    note: String,
}

/// A component, and what its header fields say of it.
#[derive(Debug)]
pub(super) struct Wasm {
    component: Vec<u8>,
    digest: Option<String>,
    signature: Option<String>,
    settings: Option<BTreeMap<String, String>>,
}

pub(super) async fn list(TenantScope { tenant }: TenantScope) -> Json<Value> {
    Json(all(&tenant))
}

pub(super) async fn push(
    State(admin): State<Admin>,
    caller: Caller,
    TenantScope { tenant }: TenantScope,
    _turn: Turn,
    query: Result<Query<UploadQuery>, axum::extract::rejection::QueryRejection>,
    Wasm { component, digest, signature, settings }: Wasm,
) -> Result<Json<Value>, Failure> {
    let next = "the query takes `stage`, `percent` and `note`";
    let Query(query) = query.map_err(|_| Failure::unfit("the query is not understood", next))?;
    let push = Push {
        tenant: tenant.id.clone(),
        component: Component::Octets(component),
        digest,
        settings,
        signature,
        to: stage(query.stage, query.percent)?,
        actor: caller.actor(),
        note: note(query.note)?,
    };
    answer(admin.control.push(push).await?)
}

/// The generation that decides, with other settings, as a generation of its own.
pub(super) async fn set(
    State(admin): State<Admin>,
    caller: Caller,
    TenantScope { tenant }: TenantScope,
    _turn: Turn,
    body::Json(wish): body::Json<SettingsWish>,
) -> Result<Json<Value>, Failure> {
    let push = Push {
        tenant: tenant.id.clone(),
        component: Component::OfActive,
        digest: None,
        settings: Some(wish.settings),
        signature: None,
        to: stage(wish.stage, wish.percent)?,
        actor: caller.actor(),
        note: note(wish.note)?,
    };
    answer(admin.control.push(push).await?)
}

pub(super) async fn bring(
    State(admin): State<Admin>,
    caller: Caller,
    TenantScope { tenant }: TenantScope,
    params: RawPathParams,
    body::Json(wish): body::Json<StageWish>,
) -> Result<Json<Value>, Failure> {
    let number = Some(number(&params)?);
    let to = stage(wish.stage, wish.percent)?;
    answer(admin.control.bring(Move { tenant: tenant.id.clone(), number, to, actor: caller.actor() }).await?)
}

pub(super) async fn roll_back(
    State(admin): State<Admin>,
    caller: Caller,
    TenantScope { tenant }: TenantScope,
    _: Nothing,
) -> Result<Json<Value>, Failure> {
    let wanted = Move { tenant: tenant.id.clone(), number: None, to: Stage::Active, actor: caller.actor() };
    answer(admin.control.bring(wanted).await?)
}

impl<S: Sync> FromRequest<S> for Wasm {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let headers = request.headers();
        if field(headers, header::CONTENT_TYPE.as_str())?.as_deref() != Some("application/wasm") {
            let (error, next) = ("the body is not said to be a component", "send `Content-Type: application/wasm`");
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, next));
        }
        let (digest, signature) = (field(headers, "posthouse-digest")?, field(headers, "posthouse-signature")?);
        let settings = field(headers, "posthouse-settings")?.map(|text| settings(&text)).transpose()?;
        let component = read(request.into_body(), limits::COMPONENT).await?.to_vec();
        Ok(Self { component, digest, signature, settings })
    }
}

fn field(headers: &HeaderMap, name: &str) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value.trim().to_owned())),
        _ => {
            Err(Failure::unfit(format!("the field {name} is not one line of US-ASCII"), "send it once, or not at all"))
        }
    }
}

fn settings(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let next = "send an object of texts in JSON, with \\u escapes for what is not US-ASCII";
    serde_json::from_str(text).map_err(|_| Failure::unfit("the field posthouse-settings is not understood", next))
}

fn stage(wanted: Wanted, percent: Option<u8>) -> Result<Stage, Failure> {
    match (wanted, percent) {
        (Wanted::Canary, Some(percent)) => Ok(Stage::Canary { percent }),
        (Wanted::Canary, None) => Err(Failure::unfit("a canary has a `percent`", "say 1 to 99")),
        (_, Some(_)) => Err(Failure::unfit("only a canary has a `percent`", "leave it out")),
        (Wanted::Uploaded, None) => Ok(Stage::Uploaded),
        (Wanted::Shadow, None) => Ok(Stage::Shadow),
        (Wanted::Active, None) => Ok(Stage::Active),
        (Wanted::Retired, None) => Ok(Stage::Retired),
    }
}

fn note(note: String) -> Result<String, Failure> {
    if note.chars().count() <= NOTE && !note.chars().any(char::is_control) {
        return Ok(note);
    }
    Err(Failure::unfit(format!("`note` has more than {NOTE} characters, or is not one line"), "say it shorter"))
}

fn number(params: &RawPathParams) -> Result<u64, Failure> {
    let written = params.iter().find(|(name, _)| *name == "number").map_or("", |(_, number)| number);
    let none = || Failure::not_found(format!("{} is no number of a generation", shown(written)), "see the list");
    written.parse().map_err(|_| none())
}

/// Its generations, the newest first.
pub(super) fn all(tenant: &Tenant) -> Value {
    let generations: Vec<Value> = tenant.line.history.iter().rev().map(one).collect();
    json!({ "generations": generations, "shadow": tenant.line.comparison() })
}

fn one(generation: &Generation) -> Value {
    let (stage, percent) = match generation.stage {
        Stage::Uploaded => ("uploaded", None),
        Stage::Shadow => ("shadow", None),
        Stage::Canary { percent } => ("canary", Some(percent)),
        Stage::Active => ("active", None),
        Stage::Retired => ("retired", None),
        Stage::Refused => ("refused", None),
    };
    let upload = &generation.upload;
    json!({
        "number": generation.number,
        "stage": stage,
        "percent": percent,
        "digest": format!("sha256:{}", generation.digest),
        "policy": upload.policy,
        "version": upload.version,
        "settings": upload.settings,
        "who": upload.who,
        "when": upload.when,
        "from": upload.from,
        "signer": upload.signer,
        "note": upload.note,
    })
}

fn answer(outcome: Result<Generation, Rejected>) -> Result<Json<Value>, Failure> {
    outcome.map(|generation| Json(one(&generation))).map_err(|rejected| {
        let (status, next) = match &rejected {
            Rejected::NoTenant(_) | Rejected::Stage(StageError::Unknown(_)) => {
                (StatusCode::NOT_FOUND, "GET the list of what there is")
            }
            Rejected::NoPolicies(_) => (StatusCode::CONFLICT, "ask the relay's operator for a [policy]"),
            Rejected::Overtaken(_) => (StatusCode::CONFLICT, "bring it again"),
            Rejected::NothingActive => (StatusCode::CONFLICT, "bring a component"),
            Rejected::Stage(_) => (StatusCode::CONFLICT, "GET the list of generations and their stages"),
            Rejected::Damaged { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "send the file that was meant"),
            Rejected::Unsigned(_) | Rejected::NotSigned(_) => {
                (StatusCode::FORBIDDEN, "sign it with a key of [[policy.signers]]")
            }
            Rejected::Unfit(_) => (StatusCode::UNPROCESSABLE_ENTITY, "`posthouse policy check FILE` shows all of it"),
            Rejected::Failed(_) => (StatusCode::UNPROCESSABLE_ENTITY, "`posthouse policy test FILE` shows all of it"),
            Rejected::NotKept(_) => (StatusCode::SERVICE_UNAVAILABLE, "look at the relay's state directory"),
        };
        Failure::new(status, rejected.to_string(), next)
    })
}
