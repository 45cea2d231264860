//! The token endpoints of both providers over plain HTTP, and the introspection that other servers ask (RFC 7662).
//!
//! `POST /google/token`, `POST /{directory}/oauth2/v2.0/token`, `POST /introspect`. The client's credentials are taken
//! from the form, not from an Authorization field. What a token opens is decided in `tokens`.

mod answers;
mod body;
mod form;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::provider::Provider;
use crate::token_endpoint::answers::Answer;
use crate::token_endpoint::body::Whole;
use crate::token_faults::TokenAction;
use crate::tokens::{self, Denied};
use crate::world::World;

/// The connection ends without an answer, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

/// Octets to be written where an answer was expected.
type Garbage = Mutex<Vec<u8>>;

/// Answers for ever.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // An error is of one connection, or of a moment without descriptors.
        let Ok((socket, _)) = listener.accept().await else {
            sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(socket, Arc::clone(&world)));
    }
}

async fn connection(socket: TcpStream, world: Arc<World>) {
    let garbage = Garbage::default();
    let service = service_fn(|request| Box::pin(answer(request, &world, &garbage)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if outcome.is_err() {
        let octets = std::mem::take(&mut *garbage.lock().unwrap_or_else(PoisonError::into_inner));
        // The client may be gone; that is its affair.
        let _ = write_out(connection.into_parts().io.into_inner(), &octets).await;
    }
}

async fn write_out(mut socket: TcpStream, octets: &[u8]) -> io::Result<()> {
    socket.write_all(octets).await?;
    socket.shutdown().await
}

async fn answer(request: Request<Incoming>, world: &World, garbage: &Garbage) -> Result<Response<Whole>, Dropped> {
    let Some(place) = Place::of(request.uri().path()) else {
        return Ok(response(&(StatusCode::NOT_FOUND, json!({ "error": "not_found" }))));
    };
    if request.method() != Method::POST {
        return Ok(response(&(StatusCode::METHOD_NOT_ALLOWED, json!({ "error": "method_not_allowed" }))));
    }
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("application/x-www-form-urlencoded")));
    let body = body::read(request.into_body()).await.ok_or(Dropped)?;
    let Some(form) = form::parse(&body).filter(|_| is_form) else {
        return Ok(response(&(StatusCode::BAD_REQUEST, json!({ "error": "invalid_request" }))));
    };
    match place {
        Place::Token { provider, directory } => token(provider, directory.as_deref(), &form, world, garbage).await,
        Place::Introspection => Ok(response(&introspect(&form, world))),
    }
}

enum Place {
    Token { provider: Provider, directory: Option<String> },
    Introspection,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/google/token" => return Some(Self::Token { provider: Provider::Gmail, directory: None }),
            "/introspect" => return Some(Self::Introspection),
            _ => {}
        }
        let directory = path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token")?;
        let is_one = !directory.is_empty() && !directory.contains('/');
        is_one.then(|| Self::Token { provider: Provider::Outlook, directory: Some(directory.to_owned()) })
    }
}

async fn token(
    provider: Provider,
    directory: Option<&str>,
    form: &HashMap<String, String>,
    world: &World,
    garbage: &Garbage,
) -> Result<Response<Whole>, Dropped> {
    world.ledger.counts(provider).token_requests.add(1);
    let owner = form.get("refresh_token").and_then(|token| world.tokens.owner(token));
    let mailbox = owner.as_ref().map(|account| account.mailbox.address.as_str());
    let Some((action, delay)) = world.token_faults.strike(provider, mailbox) else {
        return Ok(response(&redeem(provider, directory, form, world)));
    };
    sleep(delay).await;
    match action {
        TokenAction::Proceed => Ok(response(&redeem(provider, directory, form, world))),
        TokenAction::Answer { status, headers, body } => Ok(given(status, headers, body)),
        TokenAction::Garbage(octets) => {
            *garbage.lock().unwrap_or_else(PoisonError::into_inner) = octets;
            Err(Dropped)
        }
        TokenAction::Drop => Err(Dropped),
        TokenAction::DropAnswer => {
            redeem(provider, directory, form, world);
            Err(Dropped)
        }
        TokenAction::Stall => std::future::pending().await,
    }
}

fn redeem(provider: Provider, directory: Option<&str>, form: &HashMap<String, String>, world: &World) -> Answer {
    let field = |name| form.get(name).map(String::as_str);
    let request = tokens::Request {
        directory,
        grant_type: field("grant_type"),
        client_id: field("client_id"),
        client_secret: field("client_secret"),
        refresh_token: field("refresh_token"),
        scope: field("scope"),
    };
    let rules = world.side(provider).token_rules();
    match world.tokens.redeem(provider, request, rules, Instant::now()) {
        Ok(granted) => {
            world.ledger.counts(provider).tokens.add(1);
            answers::granted(provider, &granted)
        }
        Err(denied) => answers::denied(provider, denied),
    }
}

fn introspect(form: &HashMap<String, String>, world: &World) -> Answer {
    let Some(token) = form.get("token") else {
        return answers::denied(Provider::Gmail, Denied::Missing("token"));
    };
    let body = match world.tokens.opened_by(token, Instant::now()) {
        Some(account) => json!({
            "active": true,
            "username": account.mailbox.address,
            "scope": account.mailbox.provider.scope(),
            "client_id": account.mailbox.client_id,
        }),
        None => json!({ "active": false }),
    };
    (StatusCode::OK, body)
}

fn response((status, body): &(StatusCode, Value)) -> Response<Whole> {
    with_body(*status, Bytes::from(body.to_string()))
}

fn given(status: u16, headers: Vec<(String, String)>, body: String) -> Response<Whole> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with_body(status, Bytes::from(body));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn with_body(status: StatusCode, body: Bytes) -> Response<Whole> {
    let mut response = Response::new(Whole::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
