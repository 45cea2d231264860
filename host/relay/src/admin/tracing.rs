//! `GET /v1/trace`: what sessions and messages do, as server-sent events, for as long as the client listens.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::interval;

use super::Admin;
use super::access::Caller;
use super::connections::Peer;
use super::failure::Failure;
use crate::trace::{Heard, Listening};

/// How often a line is sent when nothing happens, so that whoever is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may not read before its connection ends.
const STALLED: Duration = Duration::from_secs(60);

/// What is sent, piece by piece.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// A tenant's token hears of its tenant, an operator's of everything.
pub(super) async fn trace(
    State(admin): State<Admin>,
    Extension(peer): Extension<Peer>,
    caller: Caller,
) -> Result<Response, Failure> {
    let Some(listening) = admin.front.trace.listen(caller.tenant().map(str::to_owned)) else {
        let error = "too many listen to the trace already";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, error, "end another one, or try again later"));
    };
    // What cannot be sent waits in the trace, which counts what it loses.
    let (send, pieces) = mpsc::channel(1);
    tokio::spawn(tell(admin, caller, peer, listening, send));
    let kind = (header::CONTENT_TYPE, "text/event-stream");
    Ok(([kind], Body::new(Pieces(pieces))).into_response())
}

async fn tell(admin: Admin, caller: Caller, peer: Peer, mut listening: Listening, send: mpsc::Sender<Bytes>) {
    let (mut draining, mut snapshots) = (admin.draining.clone(), admin.front.snapshots.clone());
    let mut heartbeat = interval(HEARTBEAT);
    loop {
        let piece = tokio::select! {
            heard = listening.next() => match heard {
                Some(heard) => written(&heard),
                None => return,
            },
            _ = heartbeat.tick() => ": listening\n\n".to_owned(),
            () = snapshots.changed() => match caller.holds(&snapshots.current().config) {
                true => continue,
                // A token that was taken away hears nothing more.
                false => return,
            },
            () = draining.begun() => return,
            () = send.closed() => return,
        };
        if send.send_timeout(piece.into(), STALLED).await.is_err() {
            return peer.hang_up.notify_one();
        }
    }
}

fn written(heard: &Heard) -> String {
    let (event, data) = match heard {
        Heard::Event(event) => (event.event, serde_json::to_string(&**event).unwrap_or_default()),
        Heard::Lost(lost) => ("lost", format!("{{\"event\":\"lost\",\"lost\":{lost}}}")),
    };
    format!("event: {event}\ndata: {data}\n\n")
}
