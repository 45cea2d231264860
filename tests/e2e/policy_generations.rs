//! Generations of a tenant's policy: brought, tried, promoted, taken back; and mail flows on.

use std::collections::BTreeMap;
use std::time::Duration;

use posthouse_relay::audit::Actor;
use posthouse_relay::config::load;
use posthouse_relay::control::policies::{Component, Move, Push, Rejected};
use posthouse_relay::generations::shadow::{Counts, Tallies};
use posthouse_relay::pauses::Subject;
use posthouse_relay::relay::{Beginnings, Origin, Relay};
use posthouse_store::generations::{Generation, Stage};

use crate::files::Files;
use crate::post::{APP, guest_file, scripted, send};
use crate::wire::Wire;

const MESSAGE: &str = "Subject: hi\r\n\r\nbody\r\n";
/// A tenant whose policies are only ever uploaded.
const UPLOADS: &str = "[policy]\n";

async fn mail(client: &mut Wire) -> String {
    send(client, "me@acme.example", &["ann@example.org"], MESSAGE).await
}

/// The scripted guest, whose message hook does this, brought to this stage.
fn push(steps: &str, to: Stage) -> Push {
    Push {
        tenant: "acme".to_owned(),
        component: Component::Octets(std::fs::read(guest_file("scripted")).expect("a prebuilt guest")),
        digest: None,
        settings: Some(BTreeMap::from([("message".to_owned(), steps.to_owned())])),
        signature: None,
        to,
        actor: Actor::here("test"),
        note: String::new(),
    }
}

impl Files {
    async fn push(&self, push: Push) -> Result<Generation, Rejected> {
        self.relay.control().push(push).await.expect("the relay is not ending")
    }

    async fn bring(&self, number: Option<u64>, to: Stage) -> Result<Generation, Rejected> {
        let wanted = Move { tenant: "acme".to_owned(), number, to, actor: Actor::here("test") };
        self.relay.control().bring(wanted).await.expect("the relay is not ending")
    }

    fn stages(&self) -> Vec<(u64, Stage)> {
        let snapshot = self.relay.snapshot();
        snapshot.tenants["acme"].line.history.iter().map(|of| (of.number, of.stage)).collect()
    }
}

#[tokio::test]
async fn a_tenant_without_a_generation_waits_and_its_first_one_decides() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    client.expect("MAIL FROM:<me@acme.example>", "451 4.3.5").await;
    let first = files.push(push("reject 5.7.1 one", Stage::Active)).await.expect("it is taken");
    assert_eq!((first.number, first.stage, &*first.upload.policy), (1, Stage::Active, "scripted"));
    assert_eq!(mail(&mut client).await, "550 5.7.1 one\r\n");
    // Brought only: nothing changes before it is promoted.
    let second = files.push(push("reject 5.7.1 two", Stage::Uploaded)).await.expect("it is taken");
    assert_eq!(mail(&mut client).await, "550 5.7.1 one\r\n");
    files.bring(Some(second.number), Stage::Active).await.expect("it can be promoted");
    assert_eq!(mail(&mut client).await, "550 5.7.1 two\r\n");
    files.bring(None, Stage::Active).await.expect("there is one before it");
    assert_eq!(mail(&mut client).await, "550 5.7.1 one\r\n");
    assert_eq!(files.stages(), [(1, Stage::Active), (2, Stage::Retired)]);
    let nothing = files.bring(None, Stage::Active).await.expect_err("there is none before it");
    assert!(nothing.to_string().contains("no earlier generation"), "{nothing}");
}

#[tokio::test]
async fn a_reload_keeps_what_was_uploaded_and_a_new_file_goes_before_it() {
    let files = Files::with(&scripted("message = \"reject 5.7.1 file\"")).await;
    let mut client = files.client(APP).await;
    files.push(push("reject 5.7.1 upload", Stage::Active)).await.expect("it is taken");
    assert_eq!(mail(&mut client).await, "550 5.7.1 upload\r\n");
    let route = "[[routes]]\nname = \"second\"\naccounts = [\"gmail\"]\n";
    files
        .change("tenants/acme.toml", &files.acme(&(route.to_owned() + &scripted("message = \"reject 5.7.1 file\""))))
        .await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 upload\r\n");
    files.change("tenants/acme.toml", &files.acme(&scripted("message = \"reject 5.7.1 another\""))).await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 another\r\n");
    assert_eq!(files.stages(), [(1, Stage::Retired), (2, Stage::Retired), (3, Stage::Active)]);
}

#[tokio::test]
async fn a_canary_decides_on_its_share() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(push("reject 5.7.1 usual", Stage::Active)).await.expect("it is taken");
    files.push(push("reject 5.7.1 canary", Stage::Canary { percent: 20 })).await.expect("it is taken");
    let mut canaries = 0;
    for _ in 0..50 {
        canaries += usize::from(mail(&mut client).await == "550 5.7.1 canary\r\n");
    }
    assert_eq!(canaries, 10);
    files.bring(Some(2), Stage::Active).await.expect("it can be promoted");
    assert_eq!(files.stages(), [(1, Stage::Retired), (2, Stage::Active)]);
    assert_eq!(mail(&mut client).await, "550 5.7.1 canary\r\n");
}

#[tokio::test]
async fn a_shadow_is_compared_and_never_applied() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(push("count seen 1; proceed", Stage::Active)).await.expect("it is taken");
    let steps = "count seen 1; add-header X-Shadow: yes; proceed";
    files.push(push(steps, Stage::Shadow)).await.expect("it is taken");
    for _ in 0..3 {
        assert!(mail(&mut client).await.starts_with("250 "));
    }
    let compared = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let snapshot = files.relay.snapshot();
            let counts = snapshot.tenants["acme"].line.comparison().expect("there is a shadow");
            if counts.messages.different == 3 && counts.recipients.same == 3 {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let counts = compared.await.expect("each message is compared");
    assert_eq!((counts.messages.same, counts.messages.failed, counts.recipients.different), (0, 0, 0));
    assert_eq!(counts.differences[0].in_what, ["headers"]);
    let messages = files.simulator.ledger().wait_for(3).await;
    assert!(messages.iter().all(|message| !String::from_utf8_lossy(crate::post::bytes(message)).contains("X-Shadow")));
    // What the shadow has counted is not its tenant's.
    let snapshot = files.relay.snapshot();
    let active = snapshot.tenants["acme"].line.active().expect("one decides").policy.terms().tenant.counters.counts();
    assert_eq!(active, [("seen".to_owned(), 3)]);
}

#[tokio::test]
async fn a_shadow_is_asked_about_recipients_where_the_one_that_decides_is_not_concerned() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(push("proceed", Stage::Active)).await.expect("it is taken");
    let mut stricter = push("proceed", Stage::Shadow);
    let steps = BTreeMap::from([("recipient".to_owned(), "reject 5.7.1 not to them".to_owned())]);
    stricter.settings = Some(steps);
    files.push(stricter).await.expect("it is taken");
    assert!(mail(&mut client).await.starts_with("250 "));
    let compared = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let snapshot = files.relay.snapshot();
            let counts = snapshot.tenants["acme"].line.comparison().expect("there is a shadow");
            if counts.recipients.different == 1 && counts.messages.same == 1 {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let counts = compared.await.expect("the recipient is compared, and the message");
    let of = counts.differences.iter().find(|difference| difference.hook == "recipient").expect("it is kept");
    assert_eq!((&*of.in_what, of.deciding, &*of.shadow), (&["verdict"][..], "proceed", "reject"));
}

/// A policy of `plugins`, with these settings: other than the scripted guest it exports the one hook that it has.
fn plugin(name: &str, settings: &[(&str, &str)], to: Stage) -> Push {
    let file = format!("{}/../plugins/prebuilt/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let component = Component::Octets(std::fs::read(file).expect("a prebuilt plugin"));
    Push { component, settings: Some(settings), ..push("", to) }
}

/// One that knows recipients only, and one that knows messages only.
fn guard(to: Stage) -> Push {
    plugin("recipient-guard", &[("deny", "ben@example.org")], to)
}

fn hygiene(to: Stage) -> Push {
    plugin("header-hygiene", &[("add.X-Hygiene", "yes")], to)
}

/// What was compared, once it is so many recipients and messages.
async fn compared(files: &Files, recipients: u64, messages: u64) -> Counts {
    let all = |of: Tallies| of.same + of.different + of.failed + of.skipped;
    let compared = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let snapshot = files.relay.snapshot();
            let counts = snapshot.tenants["acme"].line.comparison().expect("there is a shadow");
            if (all(counts.recipients), all(counts.messages)) == (recipients, messages) {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    compared.await.unwrap_or_else(|_| panic!("{:?}", files.relay.snapshot().tenants["acme"].line.comparison()))
}

fn difference<'a>(counts: &'a Counts, hook: &str) -> (&'a [&'static str], &'static str, &'a str) {
    let of = counts.differences.iter().find(|difference| difference.hook == hook).expect("it is kept");
    (&of.in_what, of.deciding, &of.shadow)
}

#[tokio::test]
async fn a_shadow_with_a_hook_that_the_one_that_decides_lacks_is_compared_with_what_happens() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(hygiene(Stage::Active)).await.expect("it is taken");
    files.push(guard(Stage::Shadow)).await.expect("it is taken");
    let both = ["ann@example.org", "ben@example.org"];
    assert!(send(&mut client, "me@acme.example", &both, MESSAGE).await.starts_with("250 "));
    let counts = compared(&files, 2, 1).await;
    assert_eq!((counts.recipients.same, counts.recipients.different), (1, 1));
    assert_eq!(difference(&counts, "recipient"), (&["verdict"][..], "proceed", "reject"));
    // The shadow would leave the header as it is.
    assert_eq!(difference(&counts, "message"), (&["headers"][..], "proceed", "proceed"));
    let messages = files.simulator.ledger().wait_for(1).await;
    assert!(String::from_utf8_lossy(crate::post::bytes(&messages[0])).contains("X-Hygiene: yes\r\n"));
}

#[tokio::test]
async fn a_shadow_without_a_hook_of_the_one_that_decides_is_compared_as_one_that_lets_everything_pass() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(guard(Stage::Active)).await.expect("it is taken");
    files.push(hygiene(Stage::Shadow)).await.expect("it is taken");
    client.expect("MAIL FROM:<me@acme.example>", "250").await;
    client.expect("RCPT TO:<ben@example.org>", "550 5.7.1").await;
    client.expect("RCPT TO:<ann@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.send(format!("{MESSAGE}.\r\n")).await;
    client.hear("250 ").await;
    let counts = compared(&files, 2, 1).await;
    assert_eq!((counts.recipients.same, counts.recipients.different), (1, 1));
    assert_eq!(difference(&counts, "recipient"), (&["verdict"][..], "reject", "proceed"));
    assert_eq!(difference(&counts, "message"), (&["headers"][..], "proceed", "proceed"));
    let messages = files.simulator.ledger().wait_for(1).await;
    assert!(!String::from_utf8_lossy(crate::post::bytes(&messages[0])).contains("X-Hygiene"));
}

#[tokio::test]
async fn what_neither_of_two_has_a_hook_for_is_not_compared() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(guard(Stage::Active)).await.expect("it is taken");
    files.push(guard(Stage::Shadow)).await.expect("it is taken");
    assert!(mail(&mut client).await.starts_with("250 "));
    assert_eq!(compared(&files, 1, 0).await.recipients.same, 1);
    // It is the one that decides on no message either; nor is anything of it held back for the next one.
    assert!(mail(&mut client).await.starts_with("250 "));
    assert_eq!(compared(&files, 2, 0).await.recipients.same, 2);
}

#[tokio::test]
async fn a_process_that_comes_to_nothing_changes_nothing_of_who_decides() {
    let of_file = |text: &str| scripted(&format!("message = \"reject 5.7.1 {text}\""));
    let mut files = Files::with(&of_file("of the file")).await;
    files.push(push("reject 5.7.1 brought", Stage::Active)).await.expect("it is taken");
    assert_eq!(mail(&mut files.client(APP).await).await, "550 5.7.1 brought\r\n");
    files.stop().await;
    files.write("tenants/acme.toml", &files.acme(&of_file("of another file")));
    let loaded = load(&files.path("posthouse.toml"));
    let config = loaded.config.as_ref().expect("a good configuration");
    let beginnings = Beginnings { started_before: Some(1), ..Beginnings::default() };
    drop(Relay::prepare(Origin::default(), config, None, beginnings).await.expect("it could go on"));
    files.write("tenants/acme.toml", &files.acme(&of_file("of the file")));
    files.start().await;
    assert_eq!(mail(&mut files.client(APP).await).await, "550 5.7.1 brought\r\n");
}

#[tokio::test]
async fn a_generation_that_keeps_failing_is_taken_back() {
    let files = Files::with(UPLOADS).await;
    let mut client = files.client(APP).await;
    files.push(push("reject 5.7.1 good", Stage::Active)).await.expect("it is taken");
    files.push(push("panic", Stage::Active)).await.expect("it is taken");
    let back = tokio::time::timeout(Duration::from_secs(30), async {
        while mail(&mut client).await != "550 5.7.1 good\r\n" {}
    });
    back.await.expect("what decided before decides again");
    assert_eq!(files.stages(), [(1, Stage::Active), (2, Stage::Refused)]);
    let again = files.bring(Some(2), Stage::Active).await.expect_err("it is not tried again");
    assert!(again.to_string().contains("generation 2"), "{again}");
}

#[tokio::test]
async fn what_is_not_taken_changes_nothing_and_says_why() {
    let files = Files::with("[policy]\nrequire_signature = true\n[[policy.signers]]\nname = \"ann\"\nkey = \"0101010101010101010101010101010101010101010101010101010101010101\"\n").await;
    let good = || push("proceed", Stage::Active);
    let damaged = Push { digest: Some("sha256:00".to_owned()), ..good() };
    let garbage = Push { component: Component::Octets(b"\0asm garbage".to_vec()), ..good() };
    let settings =
        Push { settings: Some(BTreeMap::from([("message".to_owned(), "no-such-step".to_owned())])), ..good() };
    let signature = Push { signature: Some("00".repeat(64)), ..good() };
    let nobody = Push { tenant: "nobody".to_owned(), ..good() };
    for (push, told) in [
        (damaged, "damaged on the way"),
        (garbage, "it is no WebAssembly"),
        (settings, "no-such-step"),
        (good(), "signed policies only"),
        (signature, "no signer of tenant acme"),
        (nobody, "there is no tenant nobody"),
    ] {
        let rejected = files.push(push).await.expect_err(told);
        assert!(rejected.to_string().contains(told), "{rejected}");
    }
    assert!(files.stages().is_empty());
}

#[tokio::test]
async fn after_a_restart_the_last_good_generation_decides_whatever_the_newest_file_is() {
    let mut files = Files::with(&scripted("message = \"reject 5.7.1 file\"")).await;
    files.push(push("reject 5.7.1 upload", Stage::Active)).await.expect("it is taken");
    std::fs::write(files.path("broken.wasm"), b"\0asm garbage").expect("a file can be written");
    let broken = format!("[policy]\nfile = \"{}\"\n", files.path("broken.wasm").display());
    files.write("tenants/acme.toml", &files.acme(&broken));
    files.restart().await;
    let refused = files.relay.refused_policies();
    assert!(refused.len() == 1 && refused[0].contains("broken.wasm"), "{refused:?}");
    let mut client = files.client(APP).await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 upload\r\n");
    assert_eq!(files.stages(), [(1, Stage::Retired), (2, Stage::Active), (3, Stage::Refused)]);
    // What decided before is there as well.
    files.bring(None, Stage::Active).await.expect("there is one before it");
    assert_eq!(mail(&mut client).await, "550 5.7.1 file\r\n");
    files.restart().await;
    let mut client = files.client(APP).await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 file\r\n");
}

#[tokio::test]
async fn a_file_that_has_not_changed_is_no_news_however_many_uploads_came_after_it() {
    let mut files = Files::with(&scripted("message = \"reject 5.7.1 file\"")).await;
    for number in 0..50 {
        files.push(push(&format!("reject 5.7.1 upload {number}"), Stage::Active)).await.expect("it is taken");
    }
    let mut client = files.client(APP).await;
    let route = "[[routes]]\nname = \"second\"\naccounts = [\"gmail\"]\n";
    let text = files.acme(&(route.to_owned() + &scripted("message = \"reject 5.7.1 file\"")));
    files.change("tenants/acme.toml", &text).await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 upload 49\r\n");
    assert!(files.stages().len() < 30, "what is over is forgotten in the end: {:?}", files.stages());
    files.restart().await;
    let mut client = files.client(APP).await;
    assert_eq!(mail(&mut client).await, "550 5.7.1 upload 49\r\n");
}

#[tokio::test]
async fn nobody_waits_for_a_generation_that_has_to_be_compiled_again() {
    let files = Files::with(UPLOADS).await;
    files.push(push("reject 5.7.1 one", Stage::Active)).await.expect("it is taken");
    files.push(push("reject 5.7.1 two", Stage::Active)).await.expect("it is taken");
    // What is loaded is loaded; the next time there is no machine code at hand.
    let compiled = files.path("state/policies");
    std::fs::remove_file(&compiled).expect("it is a link");
    std::fs::create_dir_all(&compiled).expect("it can be made");
    let control = files.relay.control().clone();
    let wanted = Move { tenant: "acme".to_owned(), number: None, to: Stage::Active, actor: Actor::here("test") };
    let rolled_back = tokio::spawn(async move { control.bring(wanted).await });
    tokio::task::yield_now().await;
    let subject = Subject { tenant: "acme".to_owned(), account: None };
    let paused = files.relay.control().pause(Actor::here("test"), subject.clone(), "moving house".to_owned()).await;
    assert!(paused.is_ok() && !rolled_back.is_finished(), "it is being compiled");
    let generation =
        rolled_back.await.expect("no panic").expect("the relay is not ending").expect("it is brought back");
    assert_eq!((generation.number, files.stages()), (1, vec![(1, Stage::Active), (2, Stage::Retired)]));
    // The pause is there still: the change is of what held at its turn.
    assert!(files.relay.snapshot().tenants["acme"].pauses.whole.is_some());
}

#[tokio::test]
async fn a_canary_may_become_a_shadow_and_a_shadow_a_canary() {
    let files = Files::with(UPLOADS).await;
    files.push(push("proceed", Stage::Active)).await.expect("it is taken");
    files.push(push("reject 5.7.1 two", Stage::Canary { percent: 50 })).await.expect("it is taken");
    for (to, compared) in [(Stage::Shadow, true), (Stage::Canary { percent: 50 }, false), (Stage::Shadow, true)] {
        assert_eq!(files.bring(Some(2), to).await.expect("it may come there").stage, to);
        let snapshot = files.relay.snapshot();
        let line = &snapshot.tenants["acme"].line;
        assert_eq!((line.comparison().is_some(), line.running().count()), (compared, 2));
    }
}
