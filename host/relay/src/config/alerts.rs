//! `[alerts]`: the webhook that hears of accounts which need a person.

use posthouse_oauth::secret::Secret;
use posthouse_oauth::webhook::Webhook;
use toml::de::DeValue;

use crate::config::section::Section;
use crate::config::value::Entry;

/// Where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// The webhook.
    pub webhook: Webhook,
    /// Roots to trust besides the system's, PEM.
    pub ca_pem: Option<Vec<u8>>,
}

/// `[alerts]`, if there is one.
pub(super) fn read(root: &Section<'_>) -> Option<Alerts> {
    let section = root.section("alerts")?;
    let url = section.required("webhook", "the URL that alerts are posted to", url);
    let token = section.entry("token").map(|entry| entry.secret());
    let signing_key = section.entry("signing_key").map(|entry| entry.secret());
    let ca_pem = section.optional("ca_file", Entry::contents);
    let webhook = url.map(|url| Webhook { url, token: token.flatten(), signing_key: signing_key.flatten() });
    if let Some(Err(error)) = webhook.as_ref().map(Webhook::check) {
        // The URL is not shown: it may be a secret by itself.
        section.mark_of("webhook").fault(error.to_string().replacen("token endpoint", "it", 1)).error();
    }
    section.finish();
    Some(Alerts { webhook: webhook?, ca_pem })
}

/// A URL, or where it stands: those of chat services are secrets.
fn url(entry: &Entry<'_>) -> Option<Secret> {
    match entry.value {
        DeValue::String(text) if text.starts_with("http") => Some(Secret::new(text.as_ref())),
        _ => entry.secret(),
    }
}
