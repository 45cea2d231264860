//! `decide`: the tenant's policy is asked, or the native rule.

use posthouse_mail::header::body_offset;
use posthouse_policy::call::{Envelope, Mail};
use posthouse_policy::decided::{Decided, Verdict};
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::{Arrival, Transaction};
use crate::answer::{self, Undelivered};
use crate::decide::Decision;
use crate::generations::Shadow;
use crate::policies::{Ruling, TenantPolicy};

/// The largest header block that is given to a policy, in octets: edits take time with its size.
const HEADER: usize = 256 * 1024;
/// The most fields: mail that has come a long way has about a hundred.
const FIELDS: usize = 2048;

impl Transaction {
    /// Whether the tenant's policy decides on recipients, or its shadow would.
    pub(crate) fn asks_about_recipients(&self) -> bool {
        let shadow = self.known.tenant.line.shadow();
        self.policy_with(|policy| policy.policy.decides_recipients()).is_some()
            || shadow.is_some_and(Shadow::decides_recipients)
    }

    /// Puts one recipient to the tenant's policy.
    ///
    /// # Errors
    /// The policy refuses it, or fails.
    pub(crate) async fn allow(&self, arrival: &Arrival, recipient: &ForwardPath) -> Result<(), Undelivered> {
        let (envelope, address) = (self.seen(arrival, Vec::new()), recipient.as_str());
        let shadow = self.known.tenant.line.shadow();
        let shadow = shadow.and_then(|shadow| shadow.listen_about(&self.known, &envelope, address));
        match self.policy_with(|policy| policy.policy.decides_recipients()) {
            Some(policy) => Ok(policy.recipient(&self.known, envelope, address.to_owned(), shadow).await?),
            None => {
                // Whoever does not decide on recipients takes them.
                if let Some(shadow) = shadow {
                    shadow.compare(Some(Verdict::Proceed));
                }
                Ok(())
            }
        }
    }

    /// What is answered to a recipient whom a provider has refused within the hour.
    ///
    /// Where the account is not known yet, another one may well take the recipient: so it is asked to come in a
    /// message of its own, whose account then says it itself. Nobody else waits for it.
    pub(crate) fn remembered(&mut self, recipient: &ForwardPath, now: Instant) -> Option<Reply> {
        let heard = self.prospects.heard(&self.reverse_path, recipient, now);
        if self.prospects.only().is_some() {
            return heard.map(|reply| answer::quoted(&reply, "refused by the provider"));
        }
        if self.recipients.is_empty() {
            self.goes_alone = heard.is_some();
            return None;
        }
        let text = "a provider has refused a recipient of this message: send to each of them separately";
        (self.goes_alone || heard.is_some()).then(|| Reply::new(452, EnhancedCode::new(4, 5, 3), text))
    }

    /// A policy works on a header block of a size that people write. Others are no policy's, and not looked at here.
    pub(super) fn check_header(&self, content: &[u8]) -> Result<(), Undelivered> {
        let is_large = || body_offset(content).unwrap_or(content.len()) > HEADER;
        match self.policy_with(|policy| policy.policy.decides_messages()) {
            Some(_) if is_large() => Err(Undelivered::HeaderTooLarge),
            _ => Ok(()),
        }
    }

    /// What is to become of the message, which is given back.
    pub(super) async fn decide(&self, arrival: &Arrival, mail: Mail) -> Result<(Decision, Mail), Undelivered> {
        let (tenant, login) = (&self.known.tenant, &self.known.login);
        let Some(policy) = self.policy_with(|policy| policy.policy.decides_messages()) else {
            // Whoever does not decide on messages lets them go on as they are.
            if let Some(shadow) = tenant.line.shadow().filter(|shadow| shadow.decides_messages())
                && let Some(asked) = shadow.listen(&self.known, &self.seen(arrival, Vec::new()), &mail, &self.held)
            {
                asked.compare(Some(Decided::nothing()));
            }
            return Ok((Decision::native(tenant, login, &self.reverse_path), mail));
        };
        if mail.block.fields().len() > FIELDS {
            return Err(Undelivered::HeaderTooLarge);
        }
        let envelope = self.seen(arrival, Vec::new());
        let shadow = tenant.line.shadow().and_then(|shadow| shadow.listen(&self.known, &envelope, &mail, &self.held));
        let (ruling, mail) = policy.message(&self.known, envelope, mail, shadow).await;
        let decision = match ruling? {
            Ruling::Proceed(instructions) => {
                Decision::of(*instructions, tenant, login, &self.reverse_path, &self.recipients)?
            }
            Ruling::Native => Decision::native(tenant, login, &self.reverse_path),
        };
        Ok((decision, mail))
    }

    /// The policy that decides, if it has the hook that is asked for.
    pub(super) fn policy_with(&self, hook: impl FnOnce(&TenantPolicy) -> bool) -> Option<&TenantPolicy> {
        self.policy.as_deref().filter(|policy| hook(policy))
    }

    /// The envelope as a policy sees it.
    pub(super) fn seen(&self, arrival: &Arrival, carried: Vec<u8>) -> Envelope {
        Envelope {
            transaction: self.id.to_string(),
            client: arrival.client.address,
            helo: arrival.helo.clone(),
            is_encrypted: arrival.client.tls,
            login: self.known.login.name.clone(),
            sender: match &self.reverse_path {
                ReversePath::Null => String::new(),
                ReversePath::Mailbox(mailbox) => mailbox.as_str().to_owned(),
            },
            recipients: self.recipients.iter().map(|path| path.as_str().to_owned()).collect(),
            declared_size: self.declared_size,
            smtputf8: self.smtputf8,
            carried,
        }
    }
}
