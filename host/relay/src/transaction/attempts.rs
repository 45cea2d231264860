//! `resolve -> admit -> deliver`, for one account after the other where the tenant's policy asks for it, or the one
//! before is over a budget of ours.
//!
//! The one invariant: another account tries only what nobody can have, and never what a provider has
//! limited or blocked ([`Undelivered::another_account_may_try`]).

use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::call::{Attempt, Outcome};
use posthouse_policy::decided::Next;
use posthouse_smtp::client::Transaction as Envelope;
use posthouse_smtp::path::ForwardPath;
use posthouse_upstream::deliver::{Content, Delivered, Streamed};
use posthouse_upstream::error::Error as UpstreamError;
use posthouse_upstream::meaning::Meaning;
use posthouse_upstream::verdict::Clients;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::{Arrival, Piece, STALL, Transaction};
use crate::account::Account;
use crate::answer::{self, Undelivered};
use crate::decide::{self, Decision};
use crate::metrics::count_next_account;
use crate::passage::Passage;

/// How long the answer waits for a policy that hears of it: while it waits, the client may give up and send again.
const PATIENCE: Duration = Duration::from_millis(250);

/// The content on its way out.
pub(super) struct Load<'a> {
    /// The header block as it goes out.
    pub(super) header: Vec<u8>,
    /// The body, or what there is of it.
    pub(super) body: &'a [u8],
    /// What is still to come of it.
    pub(super) rest: Option<mpsc::Receiver<Piece>>,
}

impl Transaction {
    /// Puts one recipient to the provider, before the client is answered. Where a policy will choose the account
    /// there is nobody to ask yet.
    ///
    /// # Errors
    /// The provider refuses it, or cannot be asked.
    pub(crate) async fn verify(&self, recipient: &ForwardPath) -> Result<(), Undelivered> {
        let Some(account) = self.prospects.only() else { return Ok(()) };
        Ok(account.verify(&self.snapshot.replies, &self.reverse_path, recipient, self.deadline(Instant::now())).await?)
    }

    pub(super) async fn attempt_each(
        &mut self,
        arrival: &Arrival,
        decision: &Decision,
        mut load: Load<'_>,
        deadline: Instant,
    ) -> Result<Delivered, Undelivered> {
        let mut accounts = self.carriers(decision).into_iter();
        let mut number = 0;
        loop {
            let account = accounts.next().ok_or_else(|| decide::nobody(&self.known.tenant, &decision.carrier))?;
            self.account = Some(Arc::clone(&account));
            self.engaged = Some(account.engage());
            number += 1;
            let (began, is_whole) = (Instant::now(), load.rest.is_none());
            let outcome = self.attempt(&account, decision, &mut load, deadline).await;
            self.learn(&account, decision, &outcome);
            let outcome = self.keep_added_to_ourselves(decision, outcome);
            let can_go_on = is_whole
                && outcome.as_ref().is_err_and(Undelivered::another_account_may_try)
                && accounts.as_slice().first().is_some_and(|next| next.is_ready())
                && Instant::now() < deadline;
            let clients = self.clients;
            let attempt = || attempt(number, &account, (&outcome, clients), began, can_go_on);
            let follows =
                timeout_at(deadline.min(Instant::now() + PATIENCE), self.ask_what_follows(arrival, decision, attempt));
            let follows = match (follows.await.unwrap_or(Some(Next::Done)), &outcome) {
                (Some(follows), _) => follows,
                (None, Err(undelivered)) if decide::goes_on_by_itself(&decision.carrier, undelivered) => {
                    Next::NextAccount
                }
                (None, _) => Next::Done,
            };
            match (&outcome, follows) {
                (Err(undelivered), Next::NextAccount) if can_go_on => {
                    let (tenant, reason) = (&self.known.tenant.id, undelivered.reason());
                    count_next_account(tenant, &account.id, reason);
                    info!(transaction = %self.id, tenant, account = account.id, reason, "the next account tries");
                }
                _ => return outcome,
            }
        }
    }

    /// The accounts in their order. One that was known at MAIL stays the first: what was said at RCPT was said for it.
    fn carriers(&self, decision: &Decision) -> Vec<Arc<Account>> {
        let sender = decision.reverse_path.as_ref().unwrap_or(&self.reverse_path);
        let mut accounts = decide::resolve(&self.known.tenant, &decision.carrier, sender);
        if let Some(promised) = self.prospects.only() {
            accounts.retain(|account| !Arc::ptr_eq(account, promised));
            accounts.insert(0, Arc::clone(promised));
        }
        accounts
    }

    /// One account, one provider's answer.
    async fn attempt(
        &self,
        account: &Account,
        decision: &Decision,
        load: &mut Load<'_>,
        deadline: Instant,
    ) -> Result<Delivered, Undelivered> {
        let recipients = self.recipients_of(decision);
        if recipients.len() > account.recipients_per_message {
            let (account, most) = (account.id.clone(), account.recipients_per_message);
            return Err(Undelivered::TooManyRecipients { account, most });
        }
        let passage = Passage::take(&self.known.tenant, account, recipients.len(), deadline).await?;
        let envelope = |size| Envelope {
            reverse_path: decision.reverse_path.as_ref().unwrap_or(&self.reverse_path),
            recipients,
            size,
            body: self.body,
            smtputf8: self.smtputf8,
        };
        let Load { header, body, rest } = load;
        let outcome = match rest {
            None => {
                let slices = [&header[..], body];
                let size = Some((header.len() + body.len()) as u64);
                account.deliver(&self.snapshot.replies, &envelope(size), Content::Whole(&slices), deadline).await
            }
            Some(rest) => {
                header.extend_from_slice(body);
                let stall = STALL.min(self.snapshot.content_silence);
                let streamed = Streamed { header, body: rest, stall };
                account.deliver(&self.snapshot.replies, &envelope(None), Content::Streamed(streamed), deadline).await
            }
        };
        passage.end(&outcome);
        Ok(outcome?)
    }

    fn recipients_of<'a>(&'a self, decision: &'a Decision) -> &'a [ForwardPath] {
        decision.recipients.as_ref().map_or(&self.recipients, |rewritten| &rewritten.paths)
    }

    /// The client does not know of recipients that the policy has added, and is not told of them.
    fn keep_added_to_ourselves(
        &self,
        decision: &Decision,
        outcome: Result<Delivered, Undelivered>,
    ) -> Result<Delivered, Undelivered> {
        let (Some(rewritten), Err(Undelivered::Upstream(error))) = (&decision.recipients, &outcome) else {
            return outcome;
        };
        let refused = match error {
            UpstreamError::PartlyRefused { refused } => refused,
            UpstreamError::Refused { recipients, .. } => recipients,
            _ => return outcome,
        };
        let added = refused.iter().filter(|(index, _)| rewritten.origins.get(*index) == Some(&None));
        let names: Vec<String> =
            added.filter_map(|(index, _)| rewritten.paths.get(*index)).map(ToString::to_string).collect();
        if names.is_empty() {
            return outcome;
        }
        let (tenant, names) = (&self.known.tenant.id, names.join(", "));
        warn!(transaction = %self.id, tenant, names, "the provider refuses recipients that the policy has added");
        Err(Undelivered::AddedRefused)
    }

    /// Tells the policy, if there is one that wants to hear.
    async fn ask_what_follows(
        &self,
        arrival: &Arrival,
        decision: &Decision,
        attempt: impl FnOnce() -> Attempt,
    ) -> Option<Next> {
        let policy = self.policy_with(|policy| policy.policy.hears_outcomes())?;
        let envelope = self.seen(arrival, decision.carried.clone());
        Some(policy.outcome(&self.known, envelope, attempt()).await)
    }

    /// Recipients whose refusal kept the message from the others are told so at the client's next RCPT.
    fn learn(&self, account: &Account, decision: &Decision, outcome: &Result<Delivered, Undelivered>) {
        let Err(Undelivered::Upstream(error)) = outcome else { return };
        if error.is_ambiguous() {
            account.metrics.ambiguous.increment(1);
        }
        if let UpstreamError::Refused { reading, reply, .. } = error
            && let Some(pause) = reading.treatment.pause
        {
            let (tenant, reason, pause_s) = (&self.known.tenant.id, error.reason(), pause.as_secs());
            warn!(tenant, account = account.id, reason, pause_s, %reply, "the account is left alone for a while");
            if reading.meaning == Meaning::OrganisationQuota {
                self.snapshot.leave_directory_alone(account, reading, reply);
            }
        }
        // Where all were refused the client has heard the provider's own words, and nobody waits.
        let UpstreamError::PartlyRefused { refused } = error else { return };
        for (index, reply) in refused {
            let origin = match &decision.recipients {
                Some(rewritten) => rewritten.origins.get(*index).copied().flatten(),
                None => Some(*index),
            };
            if let Some(recipient) = origin.and_then(|index| self.recipients.get(index)) {
                account.refusals.remember(&self.reverse_path, recipient, reply.clone(), Instant::now());
            }
        }
    }
}

fn attempt(
    number: u32,
    account: &Account,
    (outcome, clients): (&Result<Delivered, Undelivered>, Clients),
    began: Instant,
    can_go_on: bool,
) -> Attempt {
    let (came, reply) = match outcome {
        Ok(delivered) => (Outcome::Accepted, delivered.verdict().into_reply()),
        Err(undelivered) => {
            let reply = answer::reply(undelivered, clients);
            let came = match undelivered {
                Undelivered::Upstream(error) if error.is_ambiguous() => Outcome::Unknown,
                _ if reply.code() >= 500 => Outcome::Refused,
                _ => Outcome::Deferred,
            };
            (came, reply)
        }
    };
    Attempt {
        number,
        account: account.id.clone(),
        outcome: came,
        code: reply.code(),
        text: reply.text().to_owned(),
        took: began.elapsed(),
        can_go_on,
    }
}
