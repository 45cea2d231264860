//! Consent by a device's code and by a browser's.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{path, post};
use super::{GMAIL, OUTLOOK, options, started};
use crate::assertion::fingerprint;
use crate::consents::INTERVAL;
use crate::mailbox::Mailbox;
use crate::provider::Provider;
use crate::simulator::Simulator;

async fn with_public_client() -> Simulator {
    let simulator = started(options()).await;
    simulator.add_mailbox(Mailbox::new(Provider::Outlook, OUTLOOK).client("public", None));
    simulator
}

async fn get(simulator: &Simulator, target: &str) -> String {
    let mut socket = TcpStream::connect(simulator.token_address()).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn poll(simulator: &Simulator, code: &Value) -> Value {
    let code = code["device_code"].as_str().unwrap();
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=public&device_code={code}"
    );
    post(simulator, path(Provider::Outlook), &form).await.1
}

#[tokio::test]
async fn a_device_waits_for_its_user() {
    let simulator = with_public_client().await;
    let ask = async || {
        let form = "client_id=public&scope=https%3A%2F%2Foutlook.office.com%2FSMTP.Send+offline_access";
        post(&simulator, "/organizations/oauth2/v2.0/devicecode", form).await.1
    };
    let code = ask().await;
    assert_eq!(poll(&simulator, &code).await["error"], "authorization_pending");
    assert_eq!(poll(&simulator, &code).await["error"], "slow_down");
    let user_code = code["user_code"].as_str().unwrap();
    assert_eq!(simulator.device_codes(), [user_code]);
    let page = get(&simulator, &format!("/device?user_code={user_code}&mailbox={OUTLOOK}")).await;
    assert!(page.contains("You can close this window"), "{page}");
    tokio::time::sleep(INTERVAL + Duration::from_millis(50)).await;
    let tokens = poll(&simulator, &code).await;
    assert!(tokens["access_token"].is_string() && tokens["refresh_token"].is_string(), "{tokens}");
    assert_eq!(poll(&simulator, &code).await["error"], "invalid_grant", "a code is used once");
    let refresh = format!(
        "grant_type=refresh_token&client_id=public&refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    assert!(post(&simulator, path(Provider::Outlook), &refresh).await.1["access_token"].is_string());

    let declined = ask().await;
    simulator.decline_device(declined["user_code"].as_str().unwrap());
    assert_eq!(poll(&simulator, &declined).await["error"], "authorization_declined");
    let (_, body) = post(&simulator, "/common/oauth2/v2.0/devicecode", "client_id=nobody").await;
    assert_eq!(body["error_codes"][0], 700_016);
}

#[tokio::test]
async fn a_browser_carries_a_code_that_only_its_verifier_redeems() {
    let simulator = started(options()).await;
    let verifier = "v".repeat(43);
    let target = format!(
        "/google/auth?response_type=code&client_id=posthouse&redirect_uri=http%3A%2F%2F127.0.0.1%3A7777%2F&state=s%261&\
         scope=https%3A%2F%2Fmail.google.com%2F&access_type=offline&prompt=consent&code_challenge_method=S256&\
         code_challenge={}&login_hint={GMAIL}",
        fingerprint(verifier.as_bytes())
    );
    let code = async || {
        let answer = get(&simulator, &target).await;
        let line = answer.lines().find(|line| line.to_lowercase().starts_with("location: ")).unwrap().to_owned();
        assert!(line.contains("http://127.0.0.1:7777/?code=") && line.ends_with("&state=s%261"), "{line}");
        line.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    };
    let redeem = async |code: &str, verifier: &str| {
        let form = format!(
            "grant_type=authorization_code&client_id=posthouse&client_secret=posthouse-secret&code={code}&\
             redirect_uri=http%3A%2F%2F127.0.0.1%3A7777%2F&code_verifier={verifier}"
        );
        post(&simulator, "/google/token", &form).await.1
    };
    let first = code().await;
    assert_eq!(redeem(&first, &"w".repeat(43)).await["error"], "invalid_grant");
    assert_eq!(redeem(&first, &verifier).await["error"], "invalid_grant", "a code is tried once");
    assert!(redeem(&code().await, &verifier).await["refresh_token"].is_string());
    for (from, to, error) in [
        ("S256", "plain", "error=invalid_request"),
        ("&prompt=consent", "", "error=invalid_request"),
        ("mail.google.com", "mail.example.com", "error=invalid_scope"),
        ("&login_hint", "&decline=1&login_hint", "error=access_denied"),
        ("127.0.0.1%3A7777", "evil.test", "redirect_uri_mismatch"),
    ] {
        let answer = get(&simulator, &target.replacen(from, to, 1)).await;
        assert!(answer.contains(error), "{answer}");
    }
    assert_eq!(json!(simulator.device_codes()), json!([]));
}
