//! `kind = "service_account"`: a Google service account with domain-wide delegation.

use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::grant::Grant as Asked;
use posthouse_oauth::service_account::ServiceAccount;
use posthouse_upstream::provider::ProviderKind;

use super::{token, token_url, visible};
use crate::config::account::Grant;
use crate::config::provider::Provider;
use crate::config::section::Section;

pub(super) fn read(section: &Section<'_>, provider: Option<&Provider>, user: Option<&str>) -> Option<Grant> {
    let key =
        section.required("key_file", "the JSON key file of the service account", |entry| entry.private_contents());
    let subject = section.optional("subject", visible).or_else(|| user.map(str::to_owned));
    let provider = provider?;
    if provider.kind == ProviderKind::Outlook {
        let reason = "service accounts are Google's";
        section.mark_of("kind").fault(reason).suggest("Microsoft has `client_credentials`").error();
        return None;
    }
    let token_url = token_url(section, provider, None)?;
    let account = match ServiceAccount::from_json(&key?, subject?) {
        Ok(account) => account,
        Err(unusable) => {
            section.mark_of("key_file").fault(unusable.to_string()).error();
            return None;
        }
    };
    let endpoint = Endpoint { token_url, scope: provider.scope.clone() };
    Some(token(section, provider, endpoint, Asked::ServiceAccount(account)))
}
