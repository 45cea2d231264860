//! What an operator is told of a step that failed. The texts are data, in advice.toml.

use std::sync::OnceLock;

use posthouse_upstream::provider::ProviderKind;
use serde::Deserialize;

/// Why a step failed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advice {
    step: String,
    provider: Option<String>,
    grant: Option<String>,
    #[serde(default)]
    says: Vec<String>,
    /// Why, as far as can be told.
    pub(super) cause: String,
    /// The next thing to do.
    pub(super) next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    advice: Vec<Advice>,
}

fn all() -> &'static [Advice] {
    static READ: OnceLock<Vec<Advice>> = OnceLock::new();
    READ.get_or_init(|| {
        let file: File = toml::from_str(include_str!("advice.toml")).expect("a test reads the file");
        file.advice
    })
}

/// The first entry that fits; none is known of everything.
pub(super) fn of(step: &str, provider: ProviderKind, grant: &str, said: &str) -> Option<&'static Advice> {
    let said = said.to_lowercase();
    let provider = match provider {
        ProviderKind::Gmail => "gmail",
        ProviderKind::Outlook => "outlook",
        ProviderKind::Generic => "generic",
    };
    all().iter().find(|advice| {
        advice.step == step
            && advice.provider.as_ref().is_none_or(|only| only == provider)
            && advice.grant.as_ref().is_none_or(|only| only == grant)
            && (advice.says.is_empty() || advice.says.iter().any(|fragment| said.contains(fragment)))
    })
}

/// What was said, with cause and next step.
pub(super) fn told(step: &str, provider: ProviderKind, said: &str) -> String {
    match of(step, provider, "", said) {
        Some(advice) => format!("{said}\n  cause  {}\n  next   {}", advice.cause, advice.next),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! The file itself.

    use std::collections::HashSet;

    use super::{all, of, told};
    use posthouse_upstream::provider::ProviderKind;

    #[test]
    fn every_entry_is_well_formed_and_can_be_met() {
        let steps = ["DNS", "TCP", "TLS", "EHLO", "token", "scopes", "AUTH", "message", "login"];
        let grants = ["refresh_token", "client_credentials", "service_account", "password", "none"];
        let mut general: HashSet<(&str, Option<&str>, Option<&str>)> = HashSet::new();
        for advice in all() {
            assert!(steps.contains(&advice.step.as_str()), "{advice:?}");
            assert!(advice.provider.as_deref().is_none_or(|name| ["gmail", "outlook"].contains(&name)), "{advice:?}");
            assert!(advice.grant.as_deref().is_none_or(|name| grants.contains(&name)), "{advice:?}");
            assert!(advice.says.iter().all(|text| !text.is_empty() && *text == text.to_lowercase()), "{advice:?}");
            assert!(advice.cause.ends_with('.') && advice.next.ends_with('.'), "{advice:?}");
            // Behind an entry that fits everything of a step nothing is ever met.
            assert!(!general.contains(&(advice.step.as_str(), None, None)), "{advice:?}");
            if advice.says.is_empty() {
                general.insert((&advice.step, advice.provider.as_deref(), advice.grant.as_deref()));
            }
        }
    }

    #[test]
    fn the_first_entry_that_fits_is_told() {
        let cause = |said| of("token", ProviderKind::Outlook, "client_credentials", said).unwrap().cause.as_str();
        assert_eq!(cause("invalid_client: AADSTS7000222: expired"), "The client secret has expired.");
        assert!(cause("invalid_client: AADSTS7000215: x").starts_with("The client secret is wrong"));
        assert!(of("token", ProviderKind::Generic, "none", "strange").is_none());
        assert_eq!(told("token", ProviderKind::Generic, "strange"), "strange");
    }
}
