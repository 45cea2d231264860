//! `kind = "client_credentials"`: an application that an administrator has let into mailboxes, and its proof.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use posthouse_oauth::certificate::ClientCertificate;
use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::grant::{Grant as Asked, Proof};
use posthouse_oauth::key::Algorithm;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::provider::ProviderKind;

use super::{client_id, directory, token, token_url, visible};
use crate::config::account::{Grant, SHARED_DIRECTORIES};
use crate::config::provider::{DIRECTORY_PLACE, Provider};
use crate::config::section::Section;

const ALGORITHMS: [(&str, Algorithm); 2] = [("ps256", Algorithm::Ps256), ("rs256", Algorithm::Rs256)];
/// How long before its end a certificate is worth a warning: it takes people time to get a new one.
const NOTICE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What the section may hold in proof of the application; one of the three.
struct Given {
    secret: Option<Option<Secret>>,
    certificate: Option<Option<Vec<u8>>>,
    key: Option<Option<Secret>>,
    algorithm: Algorithm,
    key_id: Option<String>,
    token_file: Option<Option<PathBuf>>,
}

pub(super) fn read(section: &Section<'_>, provider: Option<&Provider>) -> Option<Grant> {
    let client_id = client_id(section);
    let directory = own_directory(section, provider);
    let proof = proof(section, given(section));
    let provider = provider?;
    if provider.kind == ProviderKind::Gmail {
        let reason = "Google lets no application into mailboxes by itself";
        section.mark_of("kind").fault(reason).suggest("use `service_account` with domain-wide delegation").error();
        return None;
    }
    let token_url = token_url(section, provider, directory.as_deref())?;
    let endpoint = Endpoint { token_url, scope: provider.application_scope.clone() };
    let grant = Asked::ClientCredentials { client_id: client_id?, proof: proof? };
    Some(token(section, provider, endpoint, grant))
}

/// The directory, which has to be the mailboxes' own where the token URL has a place for it.
fn own_directory(section: &Section<'_>, provider: Option<&Provider>) -> Option<String> {
    let has_place =
        provider.and_then(|provider| provider.token_url.as_deref()).is_some_and(|url| url.contains(DIRECTORY_PLACE));
    let Some(entry) = section.entry("directory") else {
        if has_place {
            section.missing("directory", "the id or domain of the mailboxes' directory (Microsoft's tenant)");
        }
        return None;
    };
    let directory = directory(&entry, provider)?;
    if SHARED_DIRECTORIES.contains(&directory.as_str()) {
        let reason = "an application that acts for itself has no such directory";
        entry.fault(reason).suggest("name the id or domain of the mailboxes' directory").error();
    }
    Some(directory)
}

fn given(section: &Section<'_>) -> Given {
    Given {
        secret: section.entry("client_secret").map(|entry| entry.secret()),
        certificate: section.entry("certificate_file").map(|entry| entry.contents()),
        key: section.entry("key_file").map(|entry| entry.private_contents()),
        algorithm: section.or("algorithm", Algorithm::Ps256, |entry| entry.word(&ALGORITHMS)),
        key_id: section.optional("key_id", visible),
        token_file: section.entry("token_file").map(|entry| entry.path()),
    }
}

fn proof(section: &Section<'_>, given: Given) -> Option<Proof> {
    let has_certificate = given.certificate.is_some() || given.key.is_some();
    match (given.secret, has_certificate, given.token_file) {
        (Some(secret), false, None) => Some(Proof::Secret(secret?)),
        (None, false, Some(path)) => Some(Proof::TokenFile(readable(section, path?))),
        (None, true, None) => {
            for (key, is_missing, meaning) in [
                ("certificate_file", given.certificate.is_none(), "the application's certificate (PEM)"),
                ("key_file", given.key.is_none(), "the private key of the certificate (PEM)"),
            ] {
                if is_missing {
                    section.missing(key, meaning);
                }
            }
            certificate(section, &given.certificate??, &given.key??, given.algorithm, given.key_id)
        }
        _ => {
            let reason = "the application has to prove itself in one way";
            let ways = "give `client_secret`, or `certificate_file` and `key_file`, or `token_file`";
            section.mark_of("kind").fault(reason).suggest(ways).error();
            None
        }
    }
}

fn certificate(
    section: &Section<'_>,
    certificate: &[u8],
    key: &Secret,
    algorithm: Algorithm,
    key_id: Option<String>,
) -> Option<Proof> {
    let certificate = match ClientCertificate::from_pem(certificate, key, algorithm, key_id) {
        Ok(certificate) => certificate,
        Err(unusable) => {
            section
                .mark_of(if unusable.is_of_key() { "key_file" } else { "certificate_file" })
                .fault(unusable.to_string())
                .error();
            return None;
        }
    };
    let left = certificate.ends().duration_since(SystemTime::now());
    let reason = match left {
        Err(_) => "the certificate has expired, and the provider refuses it".to_owned(),
        Ok(left) if left < NOTICE => format!("the certificate expires in {} days", left.as_secs() / 86_400),
        Ok(_) => return Some(Proof::Certificate(certificate)),
    };
    let next = "upload a new one to the application (Certificates & secrets), and name it here";
    section.mark_of("certificate_file").fault(reason).suggest(next).warning();
    Some(Proof::Certificate(certificate))
}

/// The file is read when a token is asked for; that it is not there yet is worth a warning.
fn readable(section: &Section<'_>, path: PathBuf) -> PathBuf {
    if let Err(error) = std::fs::metadata(&path) {
        let reason = format!("cannot find {} (yet): {error}", path.display());
        section.mark_of("token_file").fault(reason).suggest("it has to be there when a token is asked for").warning();
    }
    path
}
