//! Lets mail leave in the name of the account that carries it, as providers demand that know no SendAs: From becomes
//! the account's address, and the address that the client wrote goes to Reply-To.

use posthouse_policy::accounts::{self, Account};
use posthouse_policy::{
    Decision, Envelope, Message, MessageHook, Policy, Settings, SettingsError, Verdict, address, log,
};

struct ReplyToAlignment {
    account: Option<Account>,
}

impl Policy for ReplyToAlignment {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.allow_only(&["account"])?;
        let account = settings.parsed("account", "the id of an account", accounts::find)?;
        Ok(ReplyToAlignment { account })
    }
}

impl MessageHook for ReplyToAlignment {
    fn on_message(&self, envelope: &Envelope, message: &Message, decision: &Decision) -> Verdict {
        let least_loaded = || accounts::least_loaded().first().and_then(|id| accounts::find(id));
        let Some(account) = self.account.clone().or_else(least_loaded) else {
            return Verdict::defer("4.4.0", "no account is ready");
        };
        let [from] = &message.headers("From")[..] else {
            return Verdict::reject("5.6.0", "a message needs one From field");
        };
        decision.use_account(&account.id);
        if message.is_signed("From") {
            log::warn("From is covered by a DKIM signature and stays as it is");
        } else {
            align(from, &account, message, decision);
        }
        if !envelope.sender().is_empty() {
            decision.set_sender(&account.address);
        }
        Verdict::Proceed
    }
}

fn align(from: &str, account: &Account, message: &Message, decision: &Decision) {
    let (name, written) = address::mailbox(from).unwrap_or(("", from));
    if written.eq_ignore_ascii_case(&account.address) {
        return;
    }
    match name {
        "" => decision.replace_header("From", &account.address),
        name => decision.replace_header("From", &format!("{name} <{}>", account.address)),
    }
    if message.header("Reply-To").is_some() {
        return;
    }
    if message.is_signed("Reply-To") {
        log::warn("a DKIM signature says that there is no Reply-To, and none is added");
    } else {
        decision.add_header("Reply-To", from);
    }
}

posthouse_policy::export!(ReplyToAlignment: message);
