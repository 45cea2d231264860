//! The reply table, end to end: the simulator says every line of the corpus, and the client hears what it says there.

use posthouse_relay::control::report::Outcome;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::provider::Provider;
use tokio::task::JoinSet;

use crate::files::Files;
use crate::post::{APP, Post, Usual, scripted, send};

/// host/upstream/tests/corpus/main.rs holds that every row of the shipped table is named here.
const CORPUS: &str = include_str!("../../host/upstream/tests/corpus/replies.toml");
/// A provider that throttles logins is waited for: not for as long as usual here.
const IMPATIENT: &str = "delivery = \"12 s\"\nconnect = \"10 s\"\nsession_wait = \"900 ms\"\n";
const INTERACTIVE: &str = "clients = \"interactive\"\n";
const GMAIL: &str = "app@acme.example";
const OUTLOOK: &str = "box@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";
const BLOCKED: &str = "550 5.1.8 Access denied, bad outbound sender AS(42004)";

/// A line of the corpus.
#[derive(Clone, Debug)]
struct Said {
    provider: Provider,
    stage: Stage,
    reply: String,
    heard: String,
    interactive: Option<String>,
}

fn corpus() -> Vec<Said> {
    let corpus: toml::Table = toml::from_str(CORPUS).expect("the corpus is TOML");
    let said = corpus["said"].as_array().expect("a list");
    let said = said.iter().map(|said| said.as_table().expect("a table"));
    // What is answered over HTTP is walked through in `over_http`.
    said.filter(|said| said["stage"].as_str() != Some("request")).map(line).collect()
}

fn line(said: &toml::Table) -> Said {
    let text = |key: &str| said[key].as_str().expect("a text").to_owned();
    let stage = match text("stage").as_str() {
        "connection" => Stage::Greeting,
        "ehlo" => Stage::Ehlo,
        "starttls" => Stage::StartTls,
        "auth" => Stage::Auth,
        "mail" => Stage::Mail,
        "rcpt" => Stage::Recipient,
        "data" => Stage::ContentStart,
        "content" => Stage::Content,
        other => panic!("{other} is no stage"),
    };
    // What any provider may say is said by Gmail, but for STARTTLS, which Outlook has.
    let provider = match text("provider").as_str() {
        "outlook" => Provider::Outlook,
        _ if stage == Stage::StartTls => Provider::Outlook,
        _ => Provider::Gmail,
    };
    let interactive = said.contains_key("interactive").then(|| text("interactive"));
    Said { provider, stage, reply: text("reply"), heard: text("heard"), interactive }
}

async fn said(post: &Post, provider: Provider, stage: Stage, reply: &str) -> String {
    let action = Action::Reply(reply.to_owned());
    post.simulator.inject(provider, Fault::new(stage, action).always());
    let from = if provider == Provider::Outlook { OUTLOOK } else { GMAIL };
    send(&mut post.app().await, from, TO, MAIL).await
}

/// The reply as one text: lines joined, their codes left out.
fn unbroken(reply: &str) -> String {
    let prefix = reply.find(|c: char| c.is_ascii_alphabetic()).expect("words");
    let codes = &reply[..prefix];
    let continued = codes.replacen(' ', "-", 1);
    let lines =
        reply.split("\r\n").map(|line| line.strip_prefix(codes).or(line.strip_prefix(&continued)).unwrap_or(line));
    format!("{}{}", codes.replacen('-', " ", 1), lines.collect::<String>())
}

/// One line of the corpus, before a relay of its own.
async fn check(said_there: Said, listener: &'static str, heard: String) {
    let Said { provider, stage, reply, .. } = said_there;
    let post = Post::with(&Usual { timeouts: IMPATIENT, listener, ..Usual::default() }).await;
    let answer = said(&post, provider, stage, &reply).await;
    assert!(unbroken(&answer).starts_with(&format!("{heard}: ")), "{stage:?} {reply}\n{heard}\n{answer}");
    assert!(post.is_empty(), "nobody has it: {reply}");
    assert_eq!(post.relay.unlisted_replies(), [], "a row explains it: {reply}");
}

async fn walk(lines: Vec<(Said, &'static str, String)>) {
    let mut checks = JoinSet::new();
    for (said, listener, heard) in lines {
        if checks.len() >= 4 {
            checks.join_next().await.expect("there are some").expect("the line is heard as it says");
        }
        checks.spawn(check(said, listener, heard));
    }
    while let Some(checked) = checks.join_next().await {
        checked.expect("the line is heard as it says");
    }
}

#[tokio::test]
async fn every_row_is_heard_as_the_corpus_says_by_clients_that_queue() {
    let lines = corpus().into_iter().map(|said| (said.clone(), "", said.heard));
    walk(lines.collect()).await;
}

#[tokio::test]
async fn clients_that_do_not_try_again_hear_5yz_where_the_corpus_says_so() {
    let lines = corpus().into_iter().filter_map(|said| Some((said.clone(), INTERACTIVE, said.interactive?)));
    let lines: Vec<_> = lines.collect();
    assert!(lines.len() > 10 && lines.iter().all(|(.., heard)| heard.starts_with('5')));
    walk(lines).await;
}

#[tokio::test]
async fn a_lost_answer_is_the_same_for_clients_that_do_not_try_again() {
    let post = Post::with(&Usual { listener: INTERACTIVE, ..Usual::default() }).await;
    let reply = send(&mut post.app().await, GMAIL, &["lost@example.org"], MAIL).await;
    assert!(reply.starts_with("451 4.4.2"), "{reply}");
    post.messages(1).await;
}

#[tokio::test]
async fn a_blocked_account_is_left_alone_and_no_other_one_gets_around_the_block() {
    let policy = scripted("message = \"use-accounts outlook,gmail\"\noutcome = \"next-account\"");
    let post = Post::with(&Usual { timeouts: IMPATIENT, policy: &policy, ..Usual::default() }).await;
    let blocked = post.simulator.inject(Provider::Outlook, Fault::new(Stage::Content, Action::reply(BLOCKED)).always());
    let mut client = post.app().await;
    let first = send(&mut client, OUTLOOK, TO, MAIL).await;
    assert!(first.starts_with("550 5.7.1 account is blocked by the provider: 550 5.1.8"), "{first}");
    for _ in 0..3 {
        let next = send(&mut client, OUTLOOK, TO, MAIL).await;
        assert!(next.starts_with("451 4.7.1 account is blocked by the provider, tried again in "), "{next}");
    }
    assert_eq!(blocked.hits(), 1, "the provider was asked once");
    assert!(post.is_empty());
}

fn file_of_rows(name: &str, rows: &str) -> String {
    let file = std::env::temp_dir().join(format!("posthouse-e2e-{}-{name}.toml", std::process::id()));
    std::fs::write(&file, rows).expect("the temporary directory can be written");
    format!("{IMPATIENT}[replies]\nfile = \"{}\"\n", file.display())
}

#[tokio::test]
async fn an_operators_row_is_what_the_client_hears() {
    let rows = "[[row]]\nname = \"greylisted\"\nstage = \"rcpt\"\ncode = 550\ntext = \"greylisted\"\nmeaning = \"deferred\"\n\
                client = \"451 4.7.1 greylisted, it seems\"\n";
    let timeouts = file_of_rows("greylisted", rows);
    let post = Post::with(&Usual { timeouts: &timeouts, ..Usual::default() }).await;
    let heard = said(&post, Provider::Gmail, Stage::Recipient, "550 5.9.9 You are GREYLISTED, come back").await;
    assert_eq!(heard.trim_end(), "451 4.7.1 greylisted, it seems: 550 5.9.9 You are GREYLISTED, come back");
}

#[tokio::test]
async fn an_operators_row_cannot_make_a_block_a_reason_for_another_account() {
    let rows = "[[row]]\nname = \"dodge\"\nstage = \"content\"\nenhanced = \"5.1.8\"\nmeaning = \"mailbox_full\"\n";
    let policy = scripted("message = \"use-accounts outlook,gmail\"\noutcome = \"next-account\"");
    let timeouts = file_of_rows("dodge", rows);
    let post = Post::with(&Usual { timeouts: &timeouts, policy: &policy, ..Usual::default() }).await;
    let heard = said(&post, Provider::Outlook, Stage::Content, BLOCKED).await;
    assert!(heard.starts_with("452 4.2.2 account's mailbox is full"), "{heard}");
    assert!(post.is_empty(), "nobody else has tried");
}

#[tokio::test]
async fn replies_that_no_row_explains_fall_back_by_severity_and_are_counted_by_their_shape() {
    let post = Post::with(&Usual { timeouts: IMPATIENT, ..Usual::default() }).await;
    for (reply, heard) in [
        ("554 5.9.9 Not for ann@example.org today 4711", "554 5.9.9 provider refused: Not for ann"),
        ("554 5.9.9 Not for bob@example.org today 4712", "554 5.9.9 provider refused: Not for bob"),
        ("451 4.9.9 Perhaps later", "451 4.9.9 provider deferred: Perhaps later"),
    ] {
        let answer = said(&post, Provider::Gmail, Stage::Content, reply).await;
        assert!(answer.starts_with(heard), "{answer}");
        post.simulator.clear_faults(Provider::Gmail);
    }
    let shapes: Vec<_> =
        post.relay.unlisted_replies().iter().map(|(shape, count)| format!("{count} {shape}")).collect();
    assert_eq!(
        shapes,
        ["2 gmail at content: 554 5.9.9 Not for ADDRESS today N", "1 gmail at content: 451 4.9.9 Perhaps later"]
    );
}

#[tokio::test]
async fn a_reload_brings_other_rows_and_a_wrong_one_leaves_those_that_held() {
    let files = Files::new().await;
    let strange = Fault::new(Stage::Recipient, Action::reply("550 5.9.9 come back tomorrow")).always();
    files.simulator.inject(Provider::Gmail, strange);
    let mut client = files.client(APP).await;
    assert!(send(&mut client, GMAIL, TO, MAIL).await.starts_with("550 5.9.9 provider refused"));
    let row = |client: &str| {
        format!(
            "[[row]]\nname = \"a\"\nstage = \"rcpt\"\ntext = \"tomorrow\"\nmeaning = \"deferred\"\nclient = \"{client}\"\n"
        )
    };
    files.write("replies.toml", &row("451 4.7.1 one"));
    let main = files.main_file("[replies]\nfile = \"replies.toml\"\n");
    assert_eq!(files.change("posthouse.toml", &main).await.outcome, Outcome::Published);
    assert!(send(&mut client, GMAIL, TO, MAIL).await.starts_with("451 4.7.1 one: 550 5.9.9"));
    let report = files.change("replies.toml", &row("250 2.0.0 fine")).await;
    assert!(report.to_string().contains("replies.toml:6: row[a].client: expected"), "{report}");
    assert!(send(&mut client, GMAIL, TO, MAIL).await.starts_with("451 4.7.1 one: 550 5.9.9"));
    assert_eq!(files.change("replies.toml", &row("452 4.7.1 two")).await.outcome, Outcome::Published);
    assert!(send(&mut client, GMAIL, TO, MAIL).await.starts_with("452 4.7.1 two: 550 5.9.9"));
    // What the first table missed is remembered still.
    let shapes = files.relay.unlisted_replies();
    assert_eq!(
        shapes.iter().map(|(shape, count)| format!("{count} {shape}")).collect::<Vec<_>>(),
        ["1 gmail at RCPT TO: 550 5.9.9 come back tomorrow"]
    );
}
