//! Budgets: how much an account, a tenant and a directory may send, what is said beyond that, and who is not touched by it.

use std::time::Duration;

use posthouse_relay::account::state::Name;
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::provider::Provider;
use tokio::time::{Instant, sleep, timeout};

use crate::files::Files;
use crate::post::{APP, Post, Usual, send};
use crate::wire::Wire;

const APP_ADDRESS: &str = "app@acme.example";
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";
const BOTH: &str = "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"gmail\", \"outlook\"]\n";

/// A message of `acme` to so many recipients; the reply.
async fn to(client: &mut Wire, recipients: usize) -> String {
    let all = ["ann@example.org", "bob@example.org", "cyd@example.org", "dan@example.org"];
    send(client, APP_ADDRESS, &all[..recipients], MAIL).await
}

/// Whether the reply says when the message will pass.
fn has_time(reply: &str) -> bool {
    let at = reply.split(" at 20").nth(1).unwrap_or_default();
    at.len() >= 18 && at.as_bytes()[8] == b'T' && at.as_bytes()[17] == b'Z'
}

/// The mailboxes that carried the messages, in order.
async fn carried(post: &Post, count: usize) -> Vec<String> {
    post.messages(count).await.iter().map(|message| message.mailbox.to_string()).collect()
}

#[tokio::test]
async fn beyond_an_accounts_budget_the_client_hears_when_it_will_pass() {
    let post = Post::with(&Usual { account: "recipients_per_day = 3\n", ..Usual::default() }).await;
    let mut client = post.app().await;
    // What the provider did not take does not count.
    let refused = Fault::new(Stage::Content, Action::reply("452 4.3.1 not now"));
    post.simulator.inject(Provider::Gmail, refused);
    assert!(to(&mut client, 3).await.starts_with("452 4.3.1 "));
    assert!(to(&mut client, 2).await.starts_with("250 "));
    let reply = to(&mut client, 2).await;
    let expected =
        "451 4.7.1 account gmail is over its budget of 3 recipients in 24 hours; this message will pass at 20";
    assert!(reply.starts_with(expected) && has_time(&reply), "{reply}");
    let reply = to(&mut client, 4).await;
    assert!(
        reply.starts_with("452 4.5.3 account gmail has a budget of 3 recipients in 24 hours: send to fewer"),
        "{reply}"
    );
    assert!(to(&mut client, 1).await.starts_with("250 "));
    assert!(to(&mut client, 1).await.starts_with("451 4.7.1 "));
    post.messages(2).await;
    let state = post.relay.snapshot().tenants["acme"].accounts["gmail"].state();
    assert_eq!(state.name, Name::OverBudget);
    assert!(state.until.is_some(), "{state:?}");
    // Nobody else's budget is touched.
    let reply = send(&mut post.other().await, "me@globex.example", &["ann@example.org"], MAIL).await;
    assert!(reply.starts_with("250 "), "{reply}");
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_stays_counted() {
    let post = Post::with(&Usual { account: "recipients_per_day = 3\n", ..Usual::default() }).await;
    post.simulator.inject(Provider::Gmail, Fault::new(Stage::Recorded, Action::Reset));
    let mut client = post.app().await;
    assert!(to(&mut client, 3).await.starts_with("451 4.4.2 "));
    assert!(to(&mut client, 1).await.starts_with("451 4.7.1 account gmail is over its budget"));
}

#[tokio::test]
async fn the_next_account_of_a_route_carries_what_the_first_has_no_budget_for() {
    let post = Post::with(&Usual { account: "recipients_per_day = 3\n", route: BOTH, ..Usual::default() }).await;
    let mut client = post.app().await;
    // The second one is more than gmail has left; the third is not.
    for recipients in [2, 2, 1, 1] {
        assert!(to(&mut client, recipients).await.starts_with("250 "));
    }
    assert!(to(&mut client, 1).await.starts_with("451 4.7.1 account "));
    let (gmail, outlook) = ("mail@acme.example", "box@acme.example");
    assert_eq!(carried(&post, 4).await, [gmail, outlook, gmail, outlook]);
}

#[tokio::test]
async fn a_login_that_is_bound_to_an_account_has_no_other() {
    let usual =
        Usual { account: "messages_per_day = 1\n", route: BOTH, login: "account = \"gmail\"\n", ..Usual::default() };
    let post = Post::with(&usual).await;
    let mut client = post.app().await;
    assert!(to(&mut client, 1).await.starts_with("250 "));
    let reply = to(&mut client, 1).await;
    assert!(reply.starts_with("451 4.7.1 account gmail is over its budget of 1 messages in 24 hours"), "{reply}");
}

#[tokio::test]
async fn a_tenant_has_a_budget_over_all_its_accounts() {
    let limits = "[limits]\nrecipients_per_day = 3\n";
    let post = Post::with(&Usual { route: BOTH, policy: limits, ..Usual::default() }).await;
    let mut client = post.app().await;
    assert!(to(&mut client, 2).await.starts_with("250 "));
    assert!(send(&mut client, "box@acme.example", &["ann@example.org"], MAIL).await.starts_with("250 "));
    let reply = to(&mut client, 1).await;
    assert!(reply.starts_with("451 4.7.1 this tenant is over its budget of 3 recipients in 24 hours"), "{reply}");
    assert!(has_time(&reply), "{reply}");
}

#[tokio::test]
async fn a_tenants_minute_is_told_at_once_where_it_is_too_far_away() {
    let limits = "[limits]\nmessages_per_minute = 2\n";
    let post = Post::with(&Usual { policy: limits, ..Usual::default() }).await;
    let mut client = post.app().await;
    assert!(to(&mut client, 1).await.starts_with("250 "));
    assert!(to(&mut client, 1).await.starts_with("250 "));
    let asked = Instant::now();
    let reply = to(&mut client, 1).await;
    assert!(reply.starts_with("451 4.7.1 the tenant's rate is used up; the next message may go in "), "{reply}");
    assert!(has_time(&reply) && asked.elapsed() < Duration::from_secs(10), "{reply}");
    // A place that brought nothing is free again: the rate is of messages that went out.
    post.messages(2).await;
}

#[tokio::test]
async fn a_tenants_deliveries_at_a_time_keep_no_other_tenant_waiting() {
    let usual = Usual {
        policy: "[limits]\nsessions = 1\n",
        timeouts: "session_wait = \"1 s\"\n",
        route: BOTH,
        ..Usual::default()
    };
    let post = Post::with(&usual).await;
    let slow = Fault::new(Stage::Content, Action::Proceed).delay(Duration::from_secs(6)).mailbox("mail@acme.example");
    post.simulator.inject(Provider::Gmail, slow);
    let (mut first, mut second) = (post.app().await, post.app().await);
    let mut other = post.other().await;
    let (first, replies) = tokio::join!(to(&mut first, 1), async {
        sleep(Duration::from_secs(1)).await;
        let busy = send(&mut second, "box@acme.example", &["ann@example.org"], MAIL).await;
        (busy, send(&mut other, "me@globex.example", &["ann@example.org"], MAIL).await)
    });
    assert!(first.starts_with("250 "), "{first}");
    assert!(
        replies.0.starts_with("451 4.3.2 all 1 sessions that this tenant may use at a time are busy"),
        "{replies:?}"
    );
    assert!(replies.1.starts_with("250 "), "{replies:?}");
}

#[tokio::test]
async fn a_directorys_accounts_have_one_budget_together() {
    let second = Mailbox::new(Provider::Outlook, "two@globex.example");
    let more = format!(
        "[[accounts]]\nid = \"outlook\"\naddress = \"two@globex.example\"\nprovider = \"outlook\"\n[accounts.grant]\n\
         kind = \"refresh_token\"\nclient_id = \"{}\"\nclient_secret = \"posthouse-secret\"\nrefresh_token = \"{}\"\ndirectory = \"Acme.example\"\n",
        second.client_id, second.refresh_token
    );
    let first = Mailbox::new(Provider::Outlook, "one@acme.example");
    let mine = format!(
        "[[accounts]]\nid = \"one\"\naddress = \"one@acme.example\"\nprovider = \"outlook\"\n[accounts.grant]\n\
         kind = \"refresh_token\"\nclient_id = \"{}\"\nclient_secret = \"posthouse-secret\"\nrefresh_token = \"{}\"\ndirectory = \"acme.example\"\n",
        first.client_id, first.refresh_token
    );
    let usual = Usual {
        limits: "[directories.\"acme.example\"]\nrecipients_per_day = 3\n",
        policy: &mine,
        other_policy: &more,
        ..Usual::default()
    };
    let post = Post::simulating(&usual, |options| options.mailboxes.extend([first.clone(), second.clone()])).await;
    let mut client = post.app().await;
    let (from, two) = ("one@acme.example", ["ann@example.org", "bob@example.org"]);
    let reply = send(&mut client, from, &two, MAIL).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let reply = send(&mut client, from, &two, MAIL).await;
    let expected = "451 4.7.1 directory acme.example is over its budget of 3 recipients in 24 hours";
    assert!(reply.starts_with(expected) && has_time(&reply), "{reply}");
    // One is left, for whichever account asks.
    let snapshot = post.relay.snapshot();
    let state = |tenant: &str, account: &str| snapshot.tenants[tenant].accounts[account].state().name;
    assert_eq!((state("acme", "one"), state("globex", "outlook")), (Name::Ready, Name::Ready));
    assert!(send(&mut client, from, &two[..1], MAIL).await.starts_with("250 "));
    assert_eq!((state("acme", "one"), state("globex", "outlook")), (Name::OverBudget, Name::OverBudget));
    assert_eq!((state("acme", "outlook"), state("globex", "gmail")), (Name::Ready, Name::Ready));
}

#[tokio::test]
async fn one_tenants_flood_leaves_another_its_content_memory() {
    let usual = Usual { limits: "content_memory = \"512 KiB\"\nstream_threshold = \"64 KiB\"\n", ..Usual::default() };
    let post = Post::with(&usual).await;
    let stall = Fault::new(Stage::Mail, Action::Stall).always().mailbox("mail@acme.example");
    post.simulator.inject(Provider::Gmail, stall);
    let body = format!("Subject: x\r\n\r\n{}", "0123456789abcdef\r\n".repeat(1800));
    let mut flood = Vec::new();
    for _ in 0..40 {
        let (mut client, body) = (post.app().await, body.clone());
        flood.push(tokio::spawn(async move { send(&mut client, APP_ADDRESS, &["ann@example.org"], &body).await }));
    }
    // It has taken what it can get, and most of it waits for more.
    let held = || post.relay.snapshot().tenants["acme"].limits.content_memory.held();
    let full = async {
        while held() < 192 * 1024 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), full).await.expect("the flood takes its part");
    for _ in 0..5 {
        let began = Instant::now();
        let mut other = post.other().await;
        let reply = send(&mut other, "me@globex.example", &["ann@example.org"], &body).await;
        assert!(reply.starts_with("250 ") && began.elapsed() < Duration::from_secs(5), "{reply} {:?}", began.elapsed());
        assert!(held() >= 192 * 1024, "the flood goes on");
    }
    flood.into_iter().for_each(|client| client.abort());
}

#[tokio::test]
async fn one_tenants_connections_leave_another_its_own() {
    let post = Post::with(&Usual { limits: "connections = 8\n", ..Usual::default() }).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(post.app().await);
    }
    let mut fifth = post.client().await;
    fifth.expect("EHLO client.example.com", "250").await;
    fifth.expect(&format!("AUTH PLAIN {APP}"), "421 4.3.2 too many connections of this tenant").await;
    let mut other = post.other().await;
    other.expect("NOOP", "250").await;
    // A place comes back with the connection that had it.
    held.truncate(3);
    let place = async {
        loop {
            let mut again = post.client().await;
            again.expect("EHLO client.example.com", "250").await;
            if again.ask(&format!("AUTH PLAIN {APP}")).await.starts_with("235 ") {
                break;
            }
        }
    };
    timeout(Duration::from_secs(20), place).await.expect("a place comes back");
}

#[tokio::test]
async fn the_least_loaded_account_is_the_first() {
    let route = format!("{BOTH}select = \"least_loaded\"\n");
    let post = Post::with(&Usual { route: &route, account: "sessions = 3\n", ..Usual::default() }).await;
    let slow = Fault::new(Stage::Content, Action::Proceed).delay(Duration::from_secs(4)).always();
    post.simulator.inject(Provider::Gmail, slow.clone());
    post.simulator.inject(Provider::Outlook, slow);
    let mut sent = Vec::new();
    for _ in 0..4 {
        let mut client = post.app().await;
        sent.push(tokio::spawn(async move { to(&mut client, 1).await }));
        // A message counts from its MAIL on.
        sleep(Duration::from_millis(300)).await;
    }
    for reply in sent {
        assert!(reply.await.expect("it does not panic").starts_with("250 "));
    }
    let carried = carried(&post, 4).await;
    assert_eq!(carried.iter().filter(|mailbox| *mailbox == "mail@acme.example").count(), 2, "{carried:?}");
}

#[tokio::test]
async fn the_account_with_the_most_budget_is_the_first() {
    let route = format!("{BOTH}select = \"most_budget\"\n");
    let account = "recipients_per_day = 10\nmessages_per_day = 0\n";
    let post = Post::with(&Usual { route: &route, account, ..Usual::default() }).await;
    let mut client = post.app().await;
    for recipients in [1, 3, 1, 1] {
        assert!(to(&mut client, recipients).await.starts_with("250 "));
    }
    let (gmail, outlook) = ("mail@acme.example", "box@acme.example");
    assert_eq!(carried(&post, 4).await, [gmail, outlook, gmail, gmail]);
}

#[tokio::test]
async fn a_sender_keeps_its_account_while_that_is_ready() {
    let route = format!("{BOTH}select = \"sticky_sender\"\n");
    let post = Post::with(&Usual { route: &route, ..Usual::default() }).await;
    let mut client = post.app().await;
    for round in 0..2 {
        for sender in 0..12 {
            let from = format!("user{sender}@acme.example");
            assert!(send(&mut client, &from, &["ann@example.org"], MAIL).await.starts_with("250 "), "{round}");
        }
    }
    let carried = carried(&post, 24).await;
    assert_eq!(carried[..12], carried[12..]);
    assert!(carried.iter().any(|mailbox| *mailbox != carried[0]), "both are used: {carried:?}");
}

#[tokio::test]
async fn what_was_counted_still_counts_under_other_limits() {
    let limits =
        |minute: u32, day: u32| format!("[limits]\nmessages_per_minute = {minute}\nrecipients_per_day = {day}\n");
    let files = Files::with(&limits(2, 100)).await;
    let mut client = files.client(APP).await;
    for _ in 0..2 {
        assert!(to(&mut client, 1).await.starts_with("250 "));
    }
    assert!(to(&mut client, 1).await.starts_with("451 4.7.1 the tenant's rate"));
    let report = files.change("tenants/acme.toml", &files.acme(&limits(4, 100))).await;
    assert!(report.is_good(), "{report}");
    assert!(to(&mut client, 1).await.starts_with("250 "));
    let report = files.change("tenants/acme.toml", &files.acme(&limits(4, 3))).await;
    assert!(report.is_good(), "{report}");
    assert!(to(&mut client, 1).await.starts_with("451 4.7.1 this tenant is over its budget of 3 recipients"));
}
