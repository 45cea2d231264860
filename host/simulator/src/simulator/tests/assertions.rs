//! Applications and service accounts: proved by signature, and refused in the providers' words.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::client::{Client, auth, path, post};
use super::{GMAIL, OUTLOOK, options, started};
use crate::applications::{Application, Delegation};
use crate::assertion::encoded;
use crate::keys::{ClientCertificate, Validity};
use crate::provider::Provider;
use crate::simulator::Simulator;

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn sign(key_pem: &str, header: &Value, claims: &Value) -> String {
    let der = rcgen::KeyPair::from_pem(key_pem).unwrap().serialize_der();
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let part = |value: &Value| encoded(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let padding = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", encoded(&signature))
}

/// A form of client credentials with these further fields.
fn client_form(more: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id=daemon&scope=https%3A%2F%2Foutlook.office365.com%2F.default&{more}"
    )
}

async fn ask(simulator: &Simulator, more: &str) -> (String, Value) {
    post(simulator, path(Provider::Outlook), &client_form(more)).await
}

/// What Microsoft is to believe of `daemon`; `change` makes it something else.
fn assertion(
    simulator: &Simulator,
    certificate: &ClientCertificate,
    change: impl FnOnce(&mut Value, &mut Value),
) -> String {
    let place = simulator.token_url(Provider::Outlook, Some("contoso.test"));
    let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": certificate.public.name });
    let mut claims = json!({
        "aud": place, "iss": "daemon", "sub": "daemon", "jti": "once", "nbf": now() - 60, "exp": now() + 540,
    });
    change(&mut header, &mut claims);
    format!("client_assertion={}", sign(&certificate.key, &header, &claims))
}

async fn login(simulator: &Simulator, provider: Provider, user: &str, token: &str) -> String {
    let mut client = Client::greeted(simulator, provider).await;
    client.ask("EHLO client.test\r\n").await;
    let reply = client.ask(auth(user, token)).await;
    if reply.starts_with("334") { client.ask("\r\n").await } else { reply }
}

#[tokio::test]
async fn an_application_opens_the_mailboxes_it_was_let_into() {
    let simulator = started(options()).await;
    let application = Application::new("daemon").directory("contoso.test").secret("good").expired_secret("old");
    simulator.register(application.clone().mailbox(OUTLOOK));
    let (_, body) = ask(&simulator, "client_secret=good").await;
    let token = body["access_token"].as_str().unwrap().to_owned();
    assert!(body.get("refresh_token").is_none());
    assert!(login(&simulator, Provider::Outlook, OUTLOOK, &token).await.starts_with("235 "));
    simulator.register(application.clone());
    assert!(login(&simulator, Provider::Outlook, OUTLOOK, &token).await.starts_with("535 5.7.3 "));
    simulator.register(application.mailbox(OUTLOOK).without_consent());
    assert!(login(&simulator, Provider::Outlook, OUTLOOK, &token).await.starts_with("535 5.7.3 "));
    for (secret, number) in [("old", 7_000_222), ("other", 7_000_215)] {
        let (head, body) = ask(&simulator, &format!("client_secret={secret}")).await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert_eq!((&body["error"], &body["error_codes"][0]), (&json!("invalid_client"), &json!(number)));
    }
    let (_, body) = post(&simulator, "/organizations/oauth2/v2.0/token", &client_form("client_secret=good")).await;
    assert_eq!(body["error_codes"][0], 50_059);
    let narrow = client_form("client_secret=good").replace(".default", "SMTP.Send");
    let (_, body) = post(&simulator, path(Provider::Outlook), &narrow).await;
    assert_eq!((&body["error"], &body["error_codes"][0]), (&json!("invalid_scope"), &json!(1_002_012)));
}

#[tokio::test]
async fn an_assertion_is_believed_once_and_only_as_it_was_signed() {
    let simulator = started(options()).await;
    let known = ClientCertificate::new("daemon", Validity::Long).unwrap();
    let unknown = ClientCertificate::new("daemon", Validity::Long).unwrap();
    let expired = ClientCertificate::new("daemon", Validity::Expired).unwrap();
    simulator.register(Application::new("daemon").certificate(&known).certificate(&expired).mailbox(OUTLOOK));
    let good = assertion(&simulator, &known, |_, _| {});
    let (_, body) = ask(&simulator, &good).await;
    let token = body["access_token"].as_str().unwrap();
    assert!(login(&simulator, Provider::Outlook, OUTLOOK, token).await.starts_with("235 "));
    let rs256 = assertion(&simulator, &known, |header, claims| {
        header["alg"] = json!("RS256");
        claims["jti"] = json!("twice");
    });
    assert!(ask(&simulator, &rs256).await.1["access_token"].is_string());

    let thumbprint = known.public.name.clone();
    let changed = |change: fn(&mut Value, &mut Value)| assertion(&simulator, &known, change);
    let cases = [
        (good.clone(), 50_027, "used before"),
        (assertion(&simulator, &unknown, |_, _| {}), 700_027, "key was not found"),
        (assertion(&simulator, &unknown, |header, _| header["x5t#S256"] = json!(thumbprint)), 700_027, "verify"),
        (assertion(&simulator, &expired, |_, _| {}), 700_027, "key used is expired"),
        (changed(|_, claims| claims["aud"] = json!("https://login.test/token")), 700_023, "audience"),
        (changed(|_, claims| claims["exp"] = json!(now() - 400)), 700_024, "time range"),
        (changed(|_, claims| claims["nbf"] = json!(now() + 400)), 700_024, "time range"),
        (changed(|_, claims| claims["exp"] = json!(now() + 7_200)), 700_024, "time range"),
        (changed(|_, claims| claims["exp"] = json!(null)), 700_024, "time range"),
        (changed(|_, claims| claims["iss"] = json!("another")), 700_021, "identifier"),
        (changed(|_, claims| claims["sub"] = json!("another")), 700_021, "identifier"),
        (changed(|_, claims| claims["jti"] = json!("")), 700_021, "identifier"),
        (changed(|header, _| header["alg"] = json!("none")), 700_027, "verify"),
        (good.replacen(".ey", ".eX", 1), 50_027, "malformed"),
        ("client_assertion=a.b".to_owned(), 50_027, "malformed"),
    ];
    for (form, number, word) in cases {
        let (_, body) = ask(&simulator, &form).await;
        assert_eq!((&body["error"], &body["error_codes"][0]), (&json!("invalid_client"), &json!(number)), "{body}");
        assert!(body["error_description"].as_str().unwrap().contains(word), "{word}: {body}");
    }
    simulator.set_clock_ahead(-3_600);
    let early = assertion(&simulator, &known, |_, claims| claims["jti"] = json!("thrice"));
    let (head, body) = ask(&simulator, &early).await;
    assert_eq!(body["error_codes"][0], 700_024);
    let date = head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
    let date = httpdate::parse_http_date(date).unwrap();
    assert!(SystemTime::now().duration_since(date).unwrap() >= Duration::from_secs(3_599));
}

#[tokio::test]
async fn a_federated_token_is_believed_for_its_subject() {
    let simulator = started(options()).await;
    simulator.register(Application::new("daemon").federated_subject("system:mail").mailbox(OUTLOOK));
    let form = |subject, seconds| {
        let token = simulator.federated_token(subject, Duration::from_secs(seconds)).unwrap();
        format!("client_assertion={token}")
    };
    assert!(ask(&simulator, &form("system:mail", 600)).await.1["access_token"].is_string());
    assert_eq!(ask(&simulator, &form("system:other", 600)).await.1["error_codes"][0], 700_213);
    assert_eq!(ask(&simulator, &form("system:mail", 7_200)).await.1["error_codes"][0], 700_024);
}

#[tokio::test]
async fn a_service_account_acts_for_a_mailbox_where_it_was_let() {
    let simulator = started(options()).await;
    let robot = "robot@project.test";
    let file: Value = serde_json::from_str(&simulator.service_account(robot, Delegation::Granted).unwrap()).unwrap();
    let other: Value = serde_json::from_str(&simulator.service_account(robot, Delegation::Granted).unwrap()).unwrap();
    let place = simulator.token_url(Provider::Gmail, None);
    let signed = |file: &Value, change: fn(&mut Value)| {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": file["private_key_id"] });
        let mut claims = json!({
            "iss": robot, "sub": GMAIL, "scope": "https://mail.google.com/", "aud": place, "iat": now(),
            "exp": now() + 600,
        });
        change(&mut claims);
        let assertion = sign(file["private_key"].as_str().unwrap(), &header, &claims);
        format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
    };
    let ask = async |form: String| post(&simulator, path(Provider::Gmail), &form).await.1;
    let body = ask(signed(&file, |_| {})).await;
    let token = body["access_token"].as_str().unwrap();
    assert!(login(&simulator, Provider::Gmail, GMAIL, token).await.starts_with("235 "));
    let mut mixed = file.clone();
    mixed["private_key"] = other["private_key"].clone();
    let cases = [
        (signed(&mixed, |_| {}), "invalid_grant", "Invalid JWT Signature"),
        (signed(&file, |claims| claims["iss"] = json!("robot@another.test")), "invalid_grant", "account not found"),
        (signed(&file, |claims| claims["aud"] = json!("https://login.test/")), "invalid_grant", "audience"),
        (signed(&file, |claims| claims["iat"] = json!(now() + 1_000)), "invalid_grant", "Check your iat and exp"),
        (signed(&file, |claims| claims["exp"] = json!(now() + 9_000)), "invalid_grant", "Check your iat and exp"),
        (signed(&file, |claims| claims["sub"] = json!("nobody@example.com")), "invalid_grant", "Invalid email"),
        (signed(&file, |claims| claims["scope"] = json!("https://mail.test/")), "invalid_scope", "scope"),
    ];
    for (form, error, word) in cases {
        let body = ask(form).await;
        assert_eq!(body["error"], error, "{body}");
        assert!(body["error_description"].as_str().unwrap().contains(word), "{body}");
    }
    simulator.service_account(robot, Delegation::Missing).unwrap();
    assert_eq!(ask(signed(&file, |_| {})).await["error"], "unauthorized_client");
}
