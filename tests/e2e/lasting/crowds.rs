//! Many accounts, and many messages: what is wrong with one is nobody else's trouble, endpoints are not stormed, and what
//! a provider limits for a while is waited for.

use std::time::Duration;

use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use posthouse_simulator::token_faults::{TokenAction, TokenFault};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ends::day;
use super::receiver::{Brought, Receiver};
use crate::post::{Post, send};

const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";

fn address(number: usize) -> String {
    format!("box{number}@acme.example")
}

/// So many mailboxes at Outlook, and the accounts for them; `more` are further lines of an account, `grant` of its grant.
async fn crowd(count: usize, more: &str, grant: impl Fn(usize) -> String) -> (Simulator, String) {
    let mailboxes: Vec<_> = (0..count).map(|number| Mailbox::new(Provider::Outlook, address(number))).collect();
    let mut options = Options::new(mailboxes.clone());
    options.outlook.limits = Limits::without_quotas(Provider::Outlook);
    let simulator = Simulator::start(options).await.expect("loopback has free ports");
    let account = |(number, mailbox): (usize, &Mailbox)| {
        let text = posthouse_relay::simulation::account(&format!("box{number}"), mailbox, more);
        text.replace("kind = \"refresh_token\"\n", &format!("kind = \"refresh_token\"\n{}", grant(number)))
    };
    (simulator, mailboxes.iter().enumerate().map(account).collect())
}

/// A thousand connections have both ends in this process: more than the limit that a shell usually sets.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("it is not above the maximum");
}

/// One message from each of these accounts, all at once; the replies, and how long each took.
async fn from_each(post: &Post, numbers: impl Iterator<Item = usize>) -> Vec<(usize, String, Duration)> {
    let mut sending = JoinSet::new();
    for number in numbers {
        let mut client = post.app().await;
        sending.spawn(async move {
            let began = Instant::now();
            let reply = send(&mut client, &address(number), TO, MAIL).await;
            (number, reply, began.elapsed())
        });
    }
    sending.join_all().await
}

#[tokio::test]
async fn one_revoked_account_among_a_hundred_is_nobody_elses_trouble() {
    let (simulator, accounts) = crowd(100, "messages_per_minute = 1000\n", |_| String::new()).await;
    simulator.revoke(Provider::Outlook, &address(50)).expect("a mailbox");
    let post = Post::waiting(simulator, &accounts, "").await;
    for _ in 0..2 {
        for (number, reply, _) in from_each(&post, 0..100).await {
            let expected = if number == 50 { "454 4.7.0 " } else { "250 " };
            assert!(reply.starts_with(expected), "{number}: {reply}");
        }
    }
    assert_eq!(post.messages(198).await.len(), 198);
    // Known by now: one message after the other, so that only its own time counts.
    let mut client = post.app().await;
    let mut took = async |number: usize| {
        let began = Instant::now();
        let _reply = send(&mut client, &address(number), TO, MAIL).await;
        began.elapsed()
    };
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(took(number).await);
    }
    others.sort();
    let mut refused = Vec::new();
    for _ in 0..5 {
        refused.push(took(50).await);
    }
    refused.sort();
    assert!(refused[2] < others[10] + Duration::from_millis(100), "{refused:?} beside {others:?}");
}

#[tokio::test]
async fn a_thousand_messages_at_once_over_a_cold_account_make_one_token_request() {
    allow_open_files();
    let (simulator, accounts) = crowd(1, "messages_per_minute = 100000\n", |_| String::new()).await;
    // Slow enough that all of them wait for it.
    let slow = TokenFault::new(TokenAction::Proceed).delay(Duration::from_millis(500)).always();
    simulator.inject_token_fault(slow);
    let post = Post::waiting(simulator, &accounts, "").await;
    let mut sending = JoinSet::new();
    for _ in 0..1000 {
        let mut client = post.app().await;
        sending.spawn(async move { send(&mut client, &address(0), TO, MAIL).await });
    }
    for reply in sending.join_all().await {
        assert!(reply.starts_with("250 "), "{reply}");
    }
    post.messages(1000).await;
    assert_eq!(post.simulator.ledger().counters(Provider::Outlook).token_requests, 1);
}

#[tokio::test]
async fn behind_a_sessions_last_message_another_one_stands_ready_without_a_message() {
    let (simulator, accounts) = crowd(1, "messages_per_session = 10\n", |_| String::new()).await;
    let post = Post::waiting(simulator, &accounts, "").await;
    let mut client = post.app().await;
    let logins = || post.simulator.ledger().counters(Provider::Outlook).logins;
    for message in 1..=21 {
        let sessions = 1 + message / 10;
        let reply = send(&mut client, &address(0), TO, MAIL).await;
        assert!(reply.starts_with("250 "), "{reply}");
        let patience = Instant::now() + Duration::from_secs(10);
        while logins() < sessions {
            assert!(Instant::now() < patience, "after {message} messages there are {} sessions", logins());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(logins(), sessions, "after {message} messages");
    }
}

/// The most token requests in any second, looked at each 50 ms, until the work is over.
async fn busiest_second<T>(simulator: &Simulator, work: impl Future<Output = T>) -> (u64, T) {
    let count = || simulator.ledger().counters(Provider::Outlook).token_requests;
    let mut seen = vec![count()];
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = looks.tick() => seen.push(count()),
        }
    };
    seen.push(count());
    let most = (0..seen.len()).map(|at| seen[(at + 20).min(seen.len() - 1)] - seen[at]).max();
    (most.unwrap_or(0), done)
}

#[tokio::test]
async fn three_hundred_accounts_do_not_storm_the_token_endpoint() {
    let (simulator, accounts) = crowd(300, "", |_| String::new()).await;
    let post = Post::waiting(simulator, &accounts, "").await;
    assert_eq!(post.simulator.ledger().counters(Provider::Outlook).token_requests, 0, "a start asks for nothing");
    let (most, replies) = busiest_second(&post.simulator, from_each(&post, 0..300)).await;
    let all = replies.iter().filter(|(_, reply, _)| reply.starts_with("250 ")).count();
    assert_eq!(all, 300, "{:?}", replies.iter().find(|(_, reply, _)| !reply.starts_with("250 ")));
    // 100 a second; a look may come late.
    assert!((1..=115).contains(&most), "{most} in a second");
    // A reload that changes nothing of the accounts asks for nothing; one that gives all of them another grant lets them
    // ask as their messages come.
    let before = post.simulator.ledger().counters(Provider::Outlook).token_requests;
    let config = post.relay.snapshot().config.as_ref().clone();
    post.relay.control().publish(config.clone()).await.expect("it is not ending");
    assert_eq!(post.simulator.ledger().counters(Provider::Outlook).token_requests, before);
    let mut other = config;
    for account in other.tenants.iter_mut().flat_map(|tenant| &mut tenant.accounts) {
        if let posthouse_relay::config::account::Grant::Token { endpoint, .. } = &mut account.grant {
            endpoint.token_url = endpoint.token_url.replace("/organizations/", "/common/");
        }
    }
    let report = post.relay.control().publish(other).await.expect("it is not ending");
    assert!(report.is_good(), "{report}");
    let (most, replies) = busiest_second(&post.simulator, from_each(&post, 0..300)).await;
    assert!(replies.iter().all(|(_, reply, _)| reply.starts_with("250 ")), "{replies:?}");
    assert_eq!(post.simulator.ledger().counters(Provider::Outlook).token_requests, before + 300);
    assert!((1..=115).contains(&most), "{most} in a second");
}

/// Outlook takes three submissions at a time; the relay is told otherwise, and has to find out.
#[tokio::test]
async fn a_mailbox_over_its_concurrency_is_waited_for_within_the_clients_deadline() {
    let more = "sessions = 8\nmessages_per_minute = 1000\n";
    let (simulator, accounts) = crowd(1, more, |_| String::new()).await;
    simulator.set_latency(Provider::Outlook, Duration::from_millis(20));
    let post = Post::waiting(simulator, &accounts, "").await;
    let mut sending = JoinSet::new();
    for _ in 0..40 {
        let mut client = post.app().await;
        sending.spawn(async move { send(&mut client, &address(0), TO, MAIL).await });
    }
    let replies = sending.join_all().await;
    assert!(replies.iter().all(|reply| reply.starts_with("250 ")), "{replies:?}");
    post.messages(40).await;
    let report = post.simulator.report(Provider::Outlook, &address(0)).expect("a mailbox");
    assert!(report.violations.total() > 0, "the limit was run into: {report:?}");
}

#[tokio::test]
async fn a_mailbox_that_stays_over_its_concurrency_is_given_back() {
    let (simulator, accounts) = crowd(1, "", |_| String::new()).await;
    let reply = "432 4.3.2 Concurrent connections limit exceeded. [Hostname=x.prod.outlook.com]";
    let refusing = simulator.inject(Provider::Outlook, Fault::new(Stage::Content, Action::reply(reply)).always());
    let post = Post::before(simulator, &accounts).await;
    let (began, mut client) = (Instant::now(), post.app().await);
    let reply = send(&mut client, &address(0), TO, MAIL).await;
    assert!(reply.starts_with("451 4.3.2 provider deferred: 432 "), "{reply}");
    assert!(began.elapsed() < Duration::from_secs(10), "within its deadline: {:?}", began.elapsed());
    assert!((2..=5).contains(&refusing.hits()), "{} tries", refusing.hits());
    assert!(post.is_empty());
}

/// Two accounts of one directory and one of another.
#[tokio::test]
async fn a_directorys_quota_leaves_all_of_its_accounts_alone_and_no_other() {
    let directory = |number| format!("directory = \"{}\"\n", if number == 2 { "Globex.test" } else { "Contoso.test" });
    let (simulator, accounts) = crowd(3, "", directory).await;
    let reply = "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to \
                 external recipients (tenant external recipient rate limit)";
    let refusing = simulator.inject(Provider::Outlook, Fault::new(Stage::Recipient, Action::reply(reply)));
    let post = Post::before(simulator, &accounts).await;
    let mut client = post.app().await;
    let mut heard = async |number: usize| send(&mut client, &address(number), TO, MAIL).await;
    let first = heard(0).await;
    assert!(first.starts_with("451 4.7.1 organisation's daily quota is used up: 550 5.7.233"), "{first}");
    for number in [0, 1] {
        let next = heard(number).await;
        assert!(next.starts_with("451 4.7.1 organisation's daily quota is used up, tried again in "), "{next}");
    }
    assert_eq!(refusing.hits(), 1, "the provider was asked once");
    let other = heard(2).await;
    assert!(other.starts_with("250 "), "{other}");
    post.messages(1).await;
}

#[tokio::test]
async fn a_hundred_accounts_that_end_at_once_are_named_in_two_calls_of_the_webhook() {
    let end = format!("client_secret_expires = \"{}\"\n", day(10));
    let (simulator, accounts) = crowd(100, "", |_| end.clone()).await;
    let receiver = Receiver::start().await;
    let alerts = format!("[alerts]\nwebhook = \"http://{}/\"\n", receiver.address);
    let _post = Post::waiting(simulator, &accounts, &alerts).await;
    let told = |requests: &[Brought]| -> Vec<String> {
        let alerts = requests.iter().flat_map(Brought::alerts);
        alerts.map(|alert| alert["account"].as_str().expect("an account").to_owned()).collect()
    };
    // Who is noticed first may have gone ahead.
    let mut requests = receiver.requests(1).await;
    if told(&requests).len() < 100 {
        requests = receiver.requests(2).await;
    }
    let mut accounts = told(&requests);
    accounts.sort();
    let mut expected: Vec<String> = (0..100).map(|number| format!("box{number}")).collect();
    expected.sort();
    assert_eq!(accounts, expected, "each of them once");
    for request in &requests {
        let text = request.json()["text"].as_str().expect("a text").to_owned();
        assert_eq!(text.lines().count(), request.alerts().len(), "a line for each: {text}");
        assert!(text.contains("will not send for long: its client secret ends in 9 days"), "{text}");
    }
}
