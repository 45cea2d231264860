//! What each grant puts into its form.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{Grant, Proof};
use crate::endpoint::Endpoint;
use crate::error::{Error, Unusable};
use crate::fixture::{certificate, identities, verified};
use crate::key::Algorithm;
use crate::secret::Secret;
use crate::service_account::ServiceAccount;

const NOW: Duration = Duration::from_secs(2_000_000_000);

fn endpoint() -> Endpoint {
    Endpoint { token_url: "https://login.test/token".to_owned(), scope: Some("mail".to_owned()) }
}

async fn form(grant: &Grant) -> Result<HashMap<&'static str, String>, Error> {
    let endpoint = endpoint();
    let form = grant.form(&endpoint, SystemTime::UNIX_EPOCH + NOW).await?;
    Ok(form.into_iter().map(|(name, value)| (name, value.into_owned())).collect())
}

fn application(proof: Proof) -> Grant {
    Grant::ClientCredentials { client_id: "app".to_owned(), proof }
}

fn service_account(json: &serde_json::Value) -> Result<ServiceAccount, Unusable> {
    ServiceAccount::from_json(&Secret::new(json.to_string()), "box@example.com")
}

fn key_file() -> serde_json::Value {
    json!({
        "type": "service_account", "project_id": "p", "private_key_id": "key-1",
        "private_key": identities()[0].key.expose(), "client_email": "robot@p.iam.gserviceaccount.com",
        "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
    })
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret() {
    let form = form(&application(Proof::Secret(Secret::new("s3cret")))).await.unwrap();
    let expected =
        [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "s3cret"), ("scope", "mail")];
    assert_eq!(form, expected.map(|(name, value)| (name, value.to_owned())).into());
}

#[tokio::test]
async fn a_client_proves_itself_by_an_assertion_for_this_endpoint() {
    for algorithm in [Algorithm::Ps256, Algorithm::Rs256] {
        let grant = application(Proof::Certificate(certificate(algorithm)));
        let (first, second) = (form(&grant).await.unwrap(), form(&grant).await.unwrap());
        assert_eq!(first["grant_type"], "client_credentials");
        assert_eq!(first["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!first.contains_key("client_secret"));
        let claims = |form: &HashMap<_, String>| verified(&form["client_assertion"], &identities()[0].public).unwrap();
        let (header, claims_of_first) = claims(&first);
        assert!(header["x5t#S256"].is_string());
        assert_eq!(claims_of_first["aud"], "https://login.test/token");
        assert_eq!((&claims_of_first["iss"], &claims_of_first["sub"]), (&json!("app"), &json!("app")));
        assert_eq!(claims_of_first["nbf"], NOW.as_secs() - 60);
        assert_eq!(claims_of_first["exp"], NOW.as_secs() + 540);
        assert_ne!(claims_of_first["jti"], claims(&second).1["jti"], "each assertion is used once");
    }
}

#[tokio::test]
async fn a_federated_token_is_read_for_each_request() {
    let path = std::env::temp_dir().join(format!("posthouse-oauth-{}-federated", std::process::id()));
    let grant = application(Proof::TokenFile(path.clone()));
    let missing = form(&grant).await.unwrap_err();
    assert!(matches!(&missing, Error::TokenFile { path: told, .. } if *told == path) && !missing.is_permanent());
    for token in ["a.b.c", "d.e.f"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        let form = form(&grant).await.unwrap();
        assert_eq!(form["client_assertion"], token);
    }
    std::fs::write(&path, "no token, s3cret").unwrap();
    let error = form(&grant).await.unwrap_err().to_string();
    assert!(error.ends_with("it holds no token of three parts") && !error.contains("s3cret"), "{error}");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_service_account_asks_for_a_mailbox() {
    let account = service_account(&key_file()).unwrap();
    assert_eq!(account.email(), "robot@p.iam.gserviceaccount.com");
    let form = form(&Grant::ServiceAccount(account)).await.unwrap();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(form.len(), 2);
    let (header, claims) = verified(&form["assertion"], &identities()[0].public).unwrap();
    assert_eq!(header, json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1" }));
    let expected = json!({
        "iss": "robot@p.iam.gserviceaccount.com", "sub": "box@example.com", "scope": "mail",
        "aud": "https://login.test/token", "iat": NOW.as_secs() - 60, "exp": NOW.as_secs() + 540,
    });
    assert_eq!(claims, expected);
}

#[test]
fn a_file_that_is_no_service_account_s_is_told() {
    let mut user = key_file();
    user["type"] = json!("authorized_user");
    assert_eq!(service_account(&user).unwrap_err(), Unusable::NoServiceAccount);
    let mut damaged = key_file();
    damaged["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert_eq!(service_account(&damaged).unwrap_err(), Unusable::NotRsa);
    assert_eq!(service_account(&json!([])).unwrap_err(), Unusable::NoServiceAccount);
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?}", application(Proof::Certificate(certificate(Algorithm::Ps256))));
    assert!(shown.contains("[redacted]") && !shown.contains("BEGIN"), "{shown}");
    let shown = format!("{:?}", Grant::ServiceAccount(service_account(&key_file()).unwrap()));
    assert!(shown.contains("[redacted]") && !shown.contains("BEGIN"), "{shown}");
}
