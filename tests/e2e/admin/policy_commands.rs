//! A tenant's way with its own policy: keys, bringing, stages, rollback, all by the commands that it types.

use std::process::Stdio;

use tokio::process::Command;

use super::operated::{ACME, ACME_WATCHER, GLOBEX, OPERATOR, Operated, acme};
use crate::post::{APP, guest_file, send};

/// `posthouse policy` with these words, and this token: how it ends and all that it says.
async fn policy(relay: &Operated, token: &str, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse-under-test"));
    command.arg("policy").args(words).stdin(Stdio::null()).current_dir(&relay.files.directory);
    command.env("POSTHOUSE_ADMIN_URL", format!("http://{}", relay.address)).env("POSTHOUSE_ADMIN_TOKEN", token);
    let output = command.output().await.expect("the command runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

/// The first good answer of the relay to a message of `app`.
async fn answer(relay: &Operated) -> String {
    let mut client = relay.files.client(APP).await;
    send(&mut client, "me@acme.example", &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await
}

/// `acme` takes uploads, with these lines in its `[policy]`.
async fn taking_uploads(more: &str) -> Operated {
    let relay = Operated::new().await;
    let text = acme(&relay.files) + "[policy]\n" + more;
    let report = relay.files.change("tenants/acme.toml", &text).await;
    assert!(report.is_good(), "{report}");
    std::fs::copy(guest_file("scripted"), relay.files.path("guest.wasm")).expect("a guest");
    relay
}

fn settings(relay: &Operated, name: &str, steps: &str) {
    relay.files.write(name, &format!("message = \"{steps}\"\n"));
}

#[tokio::test]
async fn a_tenant_brings_promotes_compares_and_rolls_back_its_policy() {
    let relay = taking_uploads("").await;
    settings(&relay, "one.toml", "reject 5.7.1 one");
    settings(&relay, "two.toml", "reject 5.7.1 two");
    let words = ["push", "acme", "guest.wasm", "--no-cases", "--settings", "one.toml", "--stage", "active"];
    let (code, said) = policy(&relay, ACME, &words).await;
    assert_eq!((code, said.contains("  1  active        scripted")), (Some(0), true), "{said}");
    assert_eq!(answer(&relay).await, "550 5.7.1 one\r\n");
    let words = ["push", "acme", "guest.wasm", "--no-cases", "--settings", "two.toml", "--note", "with two"];
    let (code, said) = policy(&relay, ACME, &words).await;
    assert_eq!((code, said.contains("  2  uploaded") && said.contains("with two")), (Some(0), true), "{said}");
    let (code, said) = policy(&relay, ACME, &["shadow", "acme", "2"]).await;
    assert_eq!((code, said.contains("shadow")), (Some(0), true), "{said}");
    assert_eq!(answer(&relay).await, "550 5.7.1 one\r\n");
    let differs = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let (_, said) = policy(&relay, ACME, &["diff", "acme"]).await;
            if said.starts_with("0 messages the same, 1 different") {
                return said;
            }
        }
    });
    let differs = differs.await.expect("the difference is noticed");
    assert!(differs.contains("verdict: reject, and reject"), "{differs}");
    let (code, said) = policy(&relay, ACME, &["promote", "acme", "2"]).await;
    assert_eq!((code, said.contains("  2  active")), (Some(0), true), "{said}");
    assert_eq!(answer(&relay).await, "550 5.7.1 two\r\n");
    let (code, said) = policy(&relay, ACME, &["rollback", "acme"]).await;
    assert_eq!((code, said.contains("  1  active")), (Some(0), true), "{said}");
    assert_eq!(answer(&relay).await, "550 5.7.1 one\r\n");
    settings(&relay, "three.toml", "reject 5.7.1 three");
    let (code, said) = policy(&relay, ACME, &["set", "acme", "three.toml"]).await;
    assert_eq!((code, said.contains("  3  active")), (Some(0), true), "{said}");
    assert_eq!(answer(&relay).await, "550 5.7.1 three\r\n");
    let (_, said) = policy(&relay, ACME_WATCHER, &["list", "acme"]).await;
    let stages: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(stages, ["active", "retired", "retired"], "{said}");
    let (code, said) = policy(&relay, ACME, &["promote", "acme", "9"]).await;
    assert_eq!((code, said.contains("there is no generation 9")), (Some(1), true), "{said}");
    let audit = relay.get("/v1/audit", OPERATOR).await;
    for action in ["policy_push", "policy_stage", "policy_rollback"] {
        assert!(audit.body.contains(action), "{action} is not in {}", audit.body);
    }
}

#[tokio::test]
async fn only_the_tenants_own_token_and_the_operators_change_its_policy() {
    let relay = taking_uploads("").await;
    let push = ["push", "acme", "guest.wasm", "--no-cases", "--stage", "active"];
    for (token, told) in [(GLOBEX, "of tenant globex and of no other"), (ACME_WATCHER, "only reads")] {
        let (code, said) = policy(&relay, token, &push).await;
        assert_eq!((code, said.contains(told)), (Some(1), true), "{said}");
    }
    let (code, said) = policy(&relay, OPERATOR, &push).await;
    assert_eq!(code, Some(0), "{said}");
    let globex = ["push", "globex", "guest.wasm", "--no-cases"];
    let (code, said) = policy(&relay, OPERATOR, &globex).await;
    assert_eq!((code, said.contains("has no [policy]")), (Some(1), true), "{said}");
}

#[tokio::test]
async fn the_authors_cases_come_along_and_a_policy_that_fails_them_is_not_taken() {
    let relay = taking_uploads("").await;
    let case = |verdict: &str| {
        format!(
            "[settings]\nmessage = \"proceed\"\n[[cases]]\nname = \"it goes on\"\nsender = \"me@acme.example\"\n\
                 recipients = [\"ann@example.org\"]\nmessage = \"\"\"\nSubject: hi\n\nbody\n\"\"\"\n\
                 [cases.expect]\nverdict = \"{verdict}\"\n"
        )
    };
    relay.files.write("cases.toml", &case("reject"));
    let push = ["push", "acme", "guest.wasm", "--stage", "active"];
    let (code, said) = policy(&relay, ACME, &push).await;
    assert_eq!((code, said.contains("1 of its cases came out otherwise: it goes on")), (Some(1), true), "{said}");
    relay.files.write("cases.toml", &case("proceed"));
    let (code, said) = policy(&relay, ACME, &push).await;
    assert_eq!((code, said.contains("  1  active")), (Some(0), true), "{said}");
    relay.files.write("cases.toml", "[[cases]]\nnames = 1\n");
    let (code, said) = policy(&relay, ACME, &push).await;
    assert_eq!((code, said.contains("its cases cannot be read")), (Some(1), true), "{said}");
}

#[tokio::test]
async fn a_tenant_that_wants_signatures_takes_those_of_its_signers_only() {
    let relay = taking_uploads("").await;
    let (code, ann) = policy(&relay, "", &["keygen", "ann.key", "--name", "ann"]).await;
    assert_eq!(code, Some(0), "{ann}");
    let (code, _) = policy(&relay, "", &["keygen", "bob.key", "--name", "bob"]).await;
    assert_eq!(code, Some(0));
    let (code, said) = policy(&relay, "", &["keygen", "ann.key"]).await;
    assert_eq!((code, said.contains("cannot make this file")), (Some(1), true), "{said}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(relay.files.path("ann.key")).expect("a file").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let signers: String = ann.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let text = acme(&relay.files) + "[policy]\nrequire_signature = true\n" + &signers;
    let report = relay.files.change("tenants/acme.toml", &text).await;
    assert!(report.is_good(), "{report}");
    let push = ["push", "acme", "guest.wasm", "--no-cases", "--stage", "active"];
    let (code, said) = policy(&relay, ACME, &push).await;
    assert_eq!((code, said.contains("takes signed policies only")), (Some(1), true), "{said}");
    let (code, said) = policy(&relay, ACME, &[&push[..], &["--sign-key", "bob.key"]].concat()).await;
    assert_eq!((code, said.contains("no signer of tenant acme")), (Some(1), true), "{said}");
    let (code, said) = policy(&relay, ACME, &[&push[..], &["--sign-key", "ann.key"]].concat()).await;
    assert_eq!((code, said.contains("signed by ann")), (Some(0), true), "{said}");
}
