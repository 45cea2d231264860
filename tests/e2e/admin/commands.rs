//! The commands that operators type, run as they type them.

use std::process::Output;
use std::process::Stdio;

use super::operated::{ACME, NOBODYS, OPERATOR, Operated, WATCHER, acme};
use tokio::process::Command;

/// `posthouse` with these words, and this token; what it says and how it ends.
async fn posthouse(relay: &Operated, token: &str, words: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse-under-test"));
    command.args(words.split_whitespace()).stdin(Stdio::null());
    command.env("POSTHOUSE_ADMIN_URL", format!("http://{}", relay.address)).env("POSTHOUSE_ADMIN_TOKEN", token);
    said(command.output().await.expect("the command runs"))
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn status_tells_how_the_relay_stands() {
    let relay = Operated::new().await;
    let (code, out, complaint) = posthouse(&relay, WATCHER, "status --once").await;
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{out}");
    for part in
        ["relay.example.com", "generation   2; last reload (signal) published", "3 of 3 accounts ready", "0 delivered"]
    {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    assert!(!out.contains('\u{1b}'), "no escape sequences where nobody sees them: {out:?}");
    let (code, out, _) = posthouse(&relay, WATCHER, "status --json").await;
    let status: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &status["generation"]), (Some(0), &2.into()));
    // Without a terminal it ends by itself.
    let (code, _, _) = posthouse(&relay, WATCHER, "status").await;
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn reload_ends_with_0_where_the_configuration_is_taken_and_with_1_where_not() {
    let relay = Operated::new().await;
    let (code, out, complaint) = posthouse(&relay, OPERATOR, "reload").await;
    assert_eq!((code, out.as_str()), (Some(0), "nothing has changed; generation 2 holds\n"));
    assert!(complaint.lines().all(|line| line.starts_with("posthouse: warning: ")), "{complaint}");
    let good = acme(&relay.files);
    relay.files.write("tenants/acme.toml", &good.replace("senders", "sender"));
    let (code, out, complaint) = posthouse(&relay, OPERATOR, "reload").await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{complaint}");
    assert!(complaint.contains("posthouse: error: ") && complaint.contains("did you mean `senders`?"), "{complaint}");
    assert!(complaint.ends_with("posthouse: not taken; generation 2 holds\n"), "{complaint}");
    relay.files.write("tenants/acme.toml", &(good + "[[routes]]\nname = \"more\"\naccounts = [\"gmail\"]\n"));
    let (code, out, _) = posthouse(&relay, OPERATOR, "reload --json").await;
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["outcome"], &report["generation"]), (Some(0), &"published".into(), &3.into()));
}

#[tokio::test]
async fn tenants_are_listed_shown_paused_and_resumed() {
    let relay = Operated::new().await;
    let (code, out, complaint) = posthouse(&relay, OPERATOR, "tenant pause acme gmail --reason moving").await;
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "account gmail of tenant acme is paused, from generation 3 on\n"),
        "{complaint}"
    );
    let (code, out, _) = posthouse(&relay, ACME, "tenant show acme").await;
    assert_eq!(code, Some(0));
    for part in ["route all (default): gmail, outlook", "account gmail", "paused", "(moving)", "mail@acme.example"] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let (code, out, _) = posthouse(&relay, OPERATOR, "tenant pause globex --reason moving").await;
    assert_eq!((code, out.as_str()), (Some(0), "tenant globex is paused, from generation 4 on\n"));
    let (_, out, _) = posthouse(&relay, OPERATOR, "tenant list").await;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.len() == 3 && lines[1].starts_with("acme ") && lines[2].contains("paused"), "{out}");
    let (_, out, _) = posthouse(&relay, ACME, "tenant list --json").await;
    assert!(out.contains("\"acme\"") && !out.contains("globex"), "{out}");
    let (code, out, _) = posthouse(&relay, OPERATOR, "tenant resume globex").await;
    assert_eq!((code, out.as_str()), (Some(0), "tenant globex is not paused any more, from generation 5 on\n"));
    let (code, out, _) = posthouse(&relay, OPERATOR, "tenant resume globex").await;
    assert_eq!((code, out.contains("that was so before")), (Some(0), true), "{out}");
    let (code, _, complaint) = posthouse(&relay, ACME, "tenant resume acme gmail").await;
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("an operator has paused it: moving (403 Forbidden); ask the relay's operator"),
        "{complaint}"
    );
    let (code, _, complaint) = posthouse(&relay, OPERATOR, "tenant show ../globex").await;
    assert_eq!((code, complaint.contains("there is no tenant \"../globex\"")), (Some(1), true), "{complaint}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_with_the_next_step() {
    let relay = Operated::new().await;
    let (code, _, complaint) = posthouse(&relay, NOBODYS, "status --once").await;
    assert_eq!((code, complaint.contains("this token is not configured")), (Some(1), true), "{complaint}");
    let (code, _, complaint) = posthouse(&relay, "", "status --once").await;
    assert_eq!((code, complaint.contains("the token is empty")), (Some(1), true), "{complaint}");
    let (code, _, complaint) = posthouse(&relay, OPERATOR, "status --once --admin http://127.0.0.1:9").await;
    assert_eq!((code, complaint.contains("is the relay running, with [admin]")), (Some(1), true), "{complaint}");
    let (code, _, complaint) = posthouse(&relay, OPERATOR, "status --once --admin http://192.0.2.1:8025").await;
    assert_eq!((code, complaint.contains("in the clear")), (Some(1), true), "{complaint}");
    let (code, _, _) = posthouse(&relay, OPERATOR, "tenant pause acme").await;
    assert_eq!(code, Some(2), "a reason is missing");
}

#[tokio::test]
async fn a_token_is_made_once_and_its_hash_is_what_the_configuration_wants() {
    let relay = Operated::new().await;
    let file = relay.files.path("token");
    let words = format!("admin-token deploy --scope tenant --save {}", file.display());
    let (code, out, complaint) = posthouse(&relay, "", &words).await;
    assert_eq!(code, Some(0), "{complaint}");
    let token = std::fs::read_to_string(&file).expect("the token is there");
    assert!(token.starts_with("posthouse_") && !out.contains(token.trim()), "{out}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(relay.files.change("tenants/acme.toml", &(acme(&relay.files) + &out)).await.is_good());
    let words = format!("tenant list --json --token-file {}", file.display());
    let (code, out, complaint) = posthouse(&relay, NOBODYS, &words).await;
    assert_eq!((code, out.contains("acme")), (Some(0), true), "{complaint}");
    // Nothing is overwritten.
    let words = format!("admin-token --save {}", file.display());
    assert_eq!(posthouse(&relay, "", &words).await.0, Some(1));
    let (_, out, _) = posthouse(&relay, "", "admin-token").await;
    assert!(
        out.contains("\nposthouse_") && out.contains("[[admin.tokens]]") && out.contains("scope = \"operator\""),
        "{out}"
    );
}
