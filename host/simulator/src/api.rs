//! Microsoft Graph's `sendMail` and the Gmail API's `messages.send`, as far as a message needs them: one request at a
//! time on a connection, its token checked, its recipients taken from its header.
//!
//! What is counted at a time is requests, not connections. Faults first, then limits, then the ledger, as on an SMTP
//! connection. Only a whole request leads anywhere: one that breaks off leaves nothing.

mod answers;
mod message;
mod place;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use posthouse_net::octets::Octets;
use posthouse_net::stream::Stream;
use tokio::time::{Instant, sleep, sleep_until};

use crate::account::{Account, Pace, Submission};
use crate::connection::ending::Ending;
use crate::faults::{Action, Occasion, Stage, Strike};
use crate::gathered::Gathered;
use crate::ledger::Entry;
use crate::ledger::connections::Record;
use crate::limits::SendAs;
use crate::provider::{Provider, Service};
use crate::recipients::Fixed;
use crate::token_endpoint::body::Whole;
use crate::tokens::Opened;
use crate::world::{Side, World};
use answers::Refused;
use message::Mime;

/// No answer comes, but this end of the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends without an answer")]
struct Dropped;

/// An answer, or the end.
type Answered = Result<Response<Whole>, Dropped>;

/// Serves a client until it has had enough, or a fault ends it.
pub(crate) async fn serve(stream: Stream, side: &Side, world: &Arc<World>, record: &Record) {
    let desk = Desk { side, world, record, ending: Mutex::new(None) };
    let service = service_fn(|request| Box::pin(desk.answer(request)));
    let octets: TokioIo<Octets> = TokioIo::new(stream.into_octets());
    let mut connection = http1::Builder::new().serve_connection(octets, service);
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner().into_stream();
    let end = desk.ending.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (ending, garbage) = end.unwrap_or((if outcome.is_ok() { Ending::Polite } else { Ending::Gone }, Vec::new()));
    if !garbage.is_empty() {
        // The client may be gone; that is its affair.
        let _ = stream.send(&garbage).await;
    }
    ending.carry_out(stream).await;
}

/// One connection's requests.
struct Desk<'a> {
    side: &'a Side,
    world: &'a Arc<World>,
    record: &'a Record,
    /// How the connection is to end, and what is to be written before.
    ending: Mutex<Option<(Ending, Vec<u8>)>>,
}

impl Desk<'_> {
    async fn answer(&self, request: Request<Incoming>) -> Answered {
        match self.asked(request).await {
            Ok(response) => Ok(response),
            Err(Stop::Refused(refused)) => Ok(refused.response(self.side.provider)),
            Err(Stop::Dropped) => Err(Dropped),
        }
    }

    async fn asked(&self, request: Request<Incoming>) -> Result<Response<Whole>, Stop> {
        let provider = self.side.provider;
        let (head, body) = request.into_parts();
        let user = place::user(provider, head.uri.path(), head.uri.query().unwrap_or_default());
        let user = user.filter(|_| head.method == Method::POST).ok_or(Refused::NotFound)?;
        let account = self.opened(&user, &head.headers)?;
        let of_mailbox = Occasion { mailbox: Some(&account.mailbox.address), ..Occasion::default() };
        self.strike(Stage::Auth, of_mailbox).await?;
        self.world.ledger.counts(provider).transactions.add(1);
        let submission = Submission::begin(&account);
        self.strike(Stage::ContentStart, of_mailbox).await?;
        let limits = &account.limits;
        if limits.requests.is_some_and(|most| submission.rank > most) {
            account.violated.submissions.add(1);
            return Err(Refused::Concurrency.into());
        }
        let body = self.body(body, limits.request_size, of_mailbox).await?;
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let octets = message::octets(provider, kind, body).ok_or(Refused::Malformed)?;
        let mime = Mime::read(&octets);
        let response = self.message(&account, mime).await?;
        drop(submission);
        Ok(response)
    }

    /// A whole message: judged, and written down.
    async fn message(&self, account: &Arc<Account>, mime: Mime) -> Result<Response<Whole>, Stop> {
        let provider = self.side.provider;
        let (limits, violated) = (&account.limits, &account.violated);
        let address = account.mailbox.address.as_str();
        let occasion = Occasion { mailbox: Some(address), sender: mime.from.as_deref(), recipients: &mime.recipients };
        if mime.recipients.is_empty() {
            return Err(Refused::NoRecipients.into());
        }
        if mime.recipients.len() > limits.recipients_per_message {
            violated.recipients.add(1);
            return Err(Refused::TooManyRecipients.into());
        }
        let fixed = mime.recipients.iter().find_map(|recipient| Fixed::named(recipient));
        match fixed.and_then(|fixed| fixed.strike(provider, Stage::Content)) {
            Some(strike) => self.suffer(strike).await?,
            None => self.strike(Stage::Content, occasion).await?,
        }
        let is_own = mime.from.as_deref().is_some_and(|from| from.eq_ignore_ascii_case(address));
        if limits.send_as == SendAs::OwnAddress && !is_own {
            violated.send_as.add(1);
            return Err(Refused::SendAs.into());
        }
        if !account.admits_recipients(mime.recipients.len() as u64, Instant::now()) {
            violated.daily.add(1);
            return Err(Refused::Daily.into());
        }
        match account.pace(Instant::now()) {
            Pace::Now => {}
            Pace::At(time) => {
                violated.rate.add(1);
                sleep_until(time).await;
            }
            Pace::Refused => {
                violated.rate.add(1);
                return Err(Refused::Rate.into());
            }
        }
        let number = self.recorded(account, &mime);
        match fixed.and_then(|fixed| fixed.strike(provider, Stage::Recorded)) {
            Some(strike) => self.suffer(strike).await?,
            None => self.strike(Stage::Recorded, occasion).await?,
        }
        Ok(answers::taken(provider, number))
    }

    fn recorded(&self, account: &Arc<Account>, mime: &Mime) -> u64 {
        self.record.messages.add(1);
        account.messages.add(1);
        account.recipients.add(mime.recipients.len() as u64);
        let mut content = Gathered::nothing(self.world.keep);
        content.take(&mut mime.without_bcc.clone());
        self.world.ledger.record(Entry {
            provider: self.side.provider,
            mailbox: account.mailbox.address.as_str().into(),
            reverse_path: account.mailbox.address.clone(),
            recipients: mime.recipients.clone(),
            content,
            connection: self.record.number,
            index: self.record.messages.value(),
        })
    }

    /// The mailbox that the request's token opens and its path names.
    fn opened(&self, user: &str, headers: &HeaderMap) -> Result<Arc<Account>, Refused> {
        let (world, provider) = (self.world, self.side.provider);
        let counts = world.ledger.counts(provider);
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let opened = token.and_then(|token| Some((token, world.tokens.opened_by(token, Instant::now())?)));
        let account = world.accounts.find(provider, user);
        let Some((token, opened)) = opened else {
            counts.refused_logins.add(1);
            if let Some(account) = account {
                account.refused_logins.add(1);
            }
            return Err(Refused::Token);
        };
        // Google's whole scope is good for everything; Microsoft's tokens are each for one service.
        match (world.tokens.service(token), provider) {
            (Some(Service::Api), _) | (Some(Service::Smtp), Provider::Gmail) => {}
            _ => return Err(Refused::Token),
        }
        let account = account.ok_or(Refused::NoMailbox)?;
        let may = match opened {
            Opened::Mailbox(own) => Arc::ptr_eq(&own, &account),
            Opened::Application(client_id) => world.applications.may_open(&client_id, &account.mailbox.address),
        };
        if !may {
            return Err(Refused::NotAllowed);
        }
        if self.record.mailbox.set(account.mailbox.address.as_str().into()).is_ok() {
            counts.logins.add(1);
            account.logins.add(1);
        }
        Ok(account)
    }

    /// The request's whole body.
    async fn body(&self, mut body: Incoming, most: u64, occasion: Occasion<'_>) -> Result<Vec<u8>, Stop> {
        let mut octets = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            // It broke off: nobody is left to be answered.
            let frame = frame.map_err(|_| Stop::Dropped)?;
            if let Ok(data) = frame.into_data() {
                if octets.is_empty() {
                    self.strike(Stage::Body, occasion).await?;
                }
                octets.extend_from_slice(&data);
            }
            if octets.len() as u64 > most {
                return Err(Refused::TooLarge.into());
            }
        }
        Ok(octets)
    }

    async fn strike(&self, stage: Stage, occasion: Occasion<'_>) -> Result<(), Stop> {
        match self.side.faults.strike(stage, occasion) {
            Some(strike) => self.suffer(strike).await,
            None => Ok(()),
        }
    }

    async fn suffer(&self, Strike { action, delay }: Strike) -> Result<(), Stop> {
        sleep(delay).await;
        let (ending, garbage) = match action {
            Action::Answer { status, code, retry_after } => {
                return Err(Refused::Fault { status, code, retry_after }.into());
            }
            Action::Reply(text) => return Err(Refused::of_reply(&text).into()),
            Action::Garbage(octets) => (Ending::Polite, octets),
            action => match Ending::of(&action) {
                Some(ending) => (ending, Vec::new()),
                None => return Ok(()),
            },
        };
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some((ending, garbage));
        Err(Stop::Dropped)
    }
}

/// Why a request came to nothing.
enum Stop {
    Refused(Refused),
    Dropped,
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
