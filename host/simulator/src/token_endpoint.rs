//! The token endpoints of both providers over plain HTTP, and the introspection that other servers ask (RFC 7662).
//!
//! `POST /google/token`, `POST /{directory}/oauth2/v2.0/token`, `POST /{directory}/oauth2/v2.0/devicecode`,
//! `POST /introspect`, and for browsers what is in `pages`. The client's credentials are taken from the form, not from an
//! Authorization field. What a token opens is decided in `tokens`.

mod answers;
pub(crate) mod body;
mod form;
mod grants;
mod pages;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION};
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
use crate::token_endpoint::pages::Page;
use crate::token_faults::TokenAction;
use crate::tokens::{Denied, Opened};
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
    let mut response = answer_by_place(request, world, garbage).await?;
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(world.clock())) {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

async fn answer_by_place(
    request: Request<Incoming>,
    world: &World,
    garbage: &Garbage,
) -> Result<Response<Whole>, Dropped> {
    let Some(place) = Place::of(request.uri().path()) else {
        return Ok(response(&(StatusCode::NOT_FOUND, json!({ "error": "not_found" }))));
    };
    if let Place::Consent { .. } | Place::DevicePage = place {
        let fields = form::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        return Ok(match place {
            Place::Consent { provider } => shown(pages::authorize(provider, &fields, world)),
            _ => shown(pages::device(&fields, world)),
        });
    }
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
        Place::DeviceCode { directory } => {
            Ok(response(&grants::device(grants::request(Some(&directory), &form), world)))
        }
        Place::Introspection => Ok(response(&introspect(&form, world))),
        Place::Consent { .. } | Place::DevicePage => Ok(response(&(StatusCode::NOT_FOUND, Value::Null))),
    }
}

enum Place {
    Token { provider: Provider, directory: Option<String> },
    DeviceCode { directory: String },
    Introspection,
    Consent { provider: Provider },
    DevicePage,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/google/token" => return Some(Self::Token { provider: Provider::Gmail, directory: None }),
            "/introspect" => return Some(Self::Introspection),
            "/google/auth" => return Some(Self::Consent { provider: Provider::Gmail }),
            "/device" => return Some(Self::DevicePage),
            _ => {}
        }
        let (directory, what) = path.strip_prefix('/')?.split_once("/oauth2/v2.0/")?;
        let directory = Some(directory).filter(|name| !name.is_empty() && !name.contains('/'))?.to_owned();
        match what {
            "token" => Some(Self::Token { provider: Provider::Outlook, directory: Some(directory) }),
            "devicecode" => Some(Self::DeviceCode { directory }),
            "authorize" => Some(Self::Consent { provider: Provider::Outlook }),
            _ => None,
        }
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
        return Ok(response(&grants::redeem(provider, grants::request(directory, form), world)));
    };
    sleep(delay).await;
    match action {
        TokenAction::Proceed => Ok(response(&grants::redeem(provider, grants::request(directory, form), world))),
        TokenAction::Answer { status, headers, body } => Ok(given(status, headers, body)),
        TokenAction::Garbage(octets) => {
            *garbage.lock().unwrap_or_else(PoisonError::into_inner) = octets;
            Err(Dropped)
        }
        TokenAction::Drop => Err(Dropped),
        TokenAction::DropAnswer => {
            grants::redeem(provider, grants::request(directory, form), world);
            Err(Dropped)
        }
        TokenAction::Stall => std::future::pending().await,
    }
}

fn introspect(form: &HashMap<String, String>, world: &World) -> Answer {
    let Some(token) = form.get("token") else {
        return answers::denied(Provider::Gmail, Denied::Missing("token"));
    };
    let body = match world.tokens.opened_by(token, Instant::now()) {
        Some(Opened::Application(client_id)) => json!({ "active": true, "client_id": client_id }),
        Some(Opened::Mailbox(account)) => json!({
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

fn shown(page: Page) -> Response<Whole> {
    match page {
        Page::Text(status, text) => {
            let mut response = with_body(status, Bytes::from_static(text.as_bytes()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            response
        }
        Page::Elsewhere(url) => {
            let mut response = with_body(StatusCode::FOUND, Bytes::new());
            if let Ok(url) = HeaderValue::try_from(url) {
                response.headers_mut().insert(LOCATION, url);
            }
            response
        }
    }
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
