//! Steps, told one by one as they end.

use posthouse_oauth::grant::Grant as Asked;
use posthouse_upstream::provider::ProviderKind;

use crate::cli::account::advice;
use crate::cli::terminal::{Style, say, styled};
use crate::config::account::{Account, Grant};

/// A new line under what a step says.
const MARGIN: &str = "\n                 ";

/// What was told so far.
pub(super) struct Steps {
    provider: ProviderKind,
    grant: &'static str,
    failed: bool,
    /// The token was found to lack what a login needs.
    unfit: bool,
}

impl Steps {
    pub(super) fn new(account: &Account) -> Self {
        Self { provider: account.provider.kind, grant: kind(&account.grant), failed: false, unfit: false }
    }

    /// Whether anything failed.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    pub(super) fn ok(&self, step: &str, what: &str) {
        say(&format!("{}  {step:<8} {what}", styled(Style::Good, "ok    ")));
    }

    /// What cannot be looked at, and is not thereby wrong.
    pub(super) fn skipped(&self, step: &str, why: &str) {
        say(&format!("{}  {step:<8} {why}", styled(Style::Faint, "-     ")));
    }

    pub(super) fn fail(&mut self, step: &str, said: &str) {
        self.failed = true;
        let said: Vec<String> = said.lines().map(wrapped).collect();
        say(&format!("{}  {step:<8} {}", styled(Style::Bad, "FAILED"), said.join(MARGIN)));
        if step == "AUTH" && self.unfit {
            say("        cause    The token lacks what was said above.");
            return;
        }
        self.unfit |= step == "scopes";
        if let Some(advice) = advice::of(step, self.provider, self.grant, &said.join(" ").replace(MARGIN, " ")) {
            say(&format!("        cause    {}", wrapped(&advice.cause)));
            say(&format!("        next     {}", wrapped(&advice.next)));
        }
    }
}

/// The grant's name in the configuration.
pub(super) fn kind(grant: &Grant) -> &'static str {
    match grant {
        Grant::Token { grant: Asked::RefreshToken { .. }, .. } => "refresh_token",
        Grant::Token { grant: Asked::ClientCredentials { .. }, .. } => "client_credentials",
        Grant::Token { grant: Asked::ServiceAccount(_), .. } => "service_account",
        Grant::Password { .. } => "password",
        Grant::None => "none",
    }
}

/// A text in lines of about 100 columns, under its first one.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 83;
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        if length > 0 && length + 1 + word.len() > WIDTH {
            lines.push_str(MARGIN);
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}
