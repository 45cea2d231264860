//! Sends a sender's mail through the accounts that the settings name for its address or domain, and through the
//! least loaded where they name none. Where one account cannot take a message now, the next one is tried.

use posthouse_policy::{
    Attempt, Decision, Envelope, Message, MessageHook, Next, Outcome, OutcomeHook, Policy, Settings, SettingsError,
    Verdict, accounts, address, log,
};

struct AccountBySender {
    settings: Settings,
}

impl Policy for AccountBySender {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        let known: Vec<String> = accounts::all().into_iter().map(|account| account.id).collect();
        for (sender, text) in settings.all() {
            let chosen = settings.list(&sender);
            if let Some(id) = chosen.iter().find(|id| !known.contains(id)) {
                let wrong = format_args!("no account {id:?}; there are {}", known.join(", "));
                return Err(SettingsError::at(&sender, &text, wrong));
            }
            if chosen.is_empty() {
                return Err(SettingsError::at(&sender, &text, "name an account"));
            }
            if sender.contains(char::is_uppercase) {
                return Err(SettingsError::at(&sender, &text, "write addresses and domains in small letters"));
            }
        }
        Ok(AccountBySender { settings: settings.clone() })
    }
}

impl MessageHook for AccountBySender {
    fn on_message(&self, envelope: &Envelope, _: &Message, decision: &Decision) -> Verdict {
        let sender = envelope.sender().to_ascii_lowercase();
        let named = [sender.clone(), address::domain_of(&sender)].map(|key| self.settings.list(&key));
        match named.into_iter().find(|ids| !ids.is_empty()) {
            Some(ids) => decision.use_accounts(&ids),
            None => take_least_loaded(decision),
        }
        Verdict::Proceed
    }
}

/// With no account ready the relay decides, and tells the client why.
fn take_least_loaded(decision: &Decision) {
    let ready = accounts::least_loaded();
    if !ready.is_empty() {
        decision.use_accounts(&ready);
    }
}

impl OutcomeHook for AccountBySender {
    fn on_outcome(&self, _: &Envelope, attempt: &Attempt) -> Next {
        if attempt.outcome() == Outcome::Deferred && attempt.can_go_on() {
            log::info(format_args!("{} deferred it with {}: trying the next", attempt.account(), attempt.code()));
            return Next::NextAccount;
        }
        Next::Done
    }
}

posthouse_policy::export!(AccountBySender: message, outcome);
