//! Limits, each run into by a client of raw octets.

use std::time::{Duration, Instant};

use super::client::{Client, auth, fresh_token, user};
use super::{GMAIL, OUTLOOK, options, started};
use crate::limits::{Excess, Limits, Rate, SendAs};
use crate::options::Options;
use crate::provider::Provider;

const TO: &str = "to@example.net";

fn limited(provider: Provider, change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = options();
    change(&mut options.provider_mut(provider).limits);
    options
}

#[tokio::test]
async fn outlooks_fourth_connection_gets_432_behind_its_content() {
    let simulator = started(options()).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Client::logged_in(&simulator, Provider::Outlook).await);
    }
    assert!(clients[3].send(OUTLOOK, TO).await.starts_with("432 4.3.2 "));
    assert!(clients[0].send(OUTLOOK, TO).await.starts_with("250 "));
    assert!(clients[0].ask("QUIT\r\n").await.starts_with("221 "));
    assert!(clients[3].send(OUTLOOK, TO).await.starts_with("250 "));
    let report = simulator.report(Provider::Outlook, OUTLOOK).unwrap();
    assert_eq!((report.highest_connections, report.connections), (4, 3));
    assert_eq!((report.violations.connections, report.violations.total(), report.messages), (1, 1, 2));
}

#[tokio::test]
async fn gmails_sixteenth_connection_is_ended_at_auth() {
    let simulator = started(options()).await;
    let mut clients = Vec::new();
    for _ in 0..15 {
        clients.push(Client::logged_in(&simulator, Provider::Gmail).await);
    }
    let mut client = Client::greeted(&simulator, Provider::Gmail).await;
    client.ask("EHLO client.test\r\n").await;
    let token = fresh_token(&simulator, Provider::Gmail).await;
    assert!(client.ask(auth(GMAIL, &token)).await.starts_with("421 4.7.0 "));
    assert_eq!(client.reply().await, "");
    assert_eq!(simulator.report(Provider::Gmail, GMAIL).unwrap().violations.connections, 1);
    clients.clear();
    simulator.ledger().wait_until_open(Provider::Gmail, 0).await;
    Client::logged_in(&simulator, Provider::Gmail).await;
}

#[tokio::test]
async fn submissions_at_a_time_are_counted_from_their_content_to_their_reply() {
    let simulator = started(limited(Provider::Outlook, |limits| limits.submissions = Some(1))).await;
    let mut first = Client::logged_in(&simulator, Provider::Outlook).await;
    let mut second = Client::logged_in(&simulator, Provider::Outlook).await;
    for client in [&mut first, &mut second] {
        client.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<to@example.net>\r\nDATA\r\n").await;
        for expected in ["250 ", "250 ", "354 "] {
            assert!(client.reply().await.starts_with(expected));
        }
    }
    assert!(second.ask("\r\n.\r\n").await.starts_with("432 "));
    assert!(first.ask("\r\n.\r\n").await.starts_with("250 "));
    assert!(second.send(OUTLOOK, TO).await.starts_with("250 "));
    let report = simulator.report(Provider::Outlook, OUTLOOK).unwrap();
    assert_eq!((report.highest_submissions, report.violations.submissions), (2, 1));
}

#[tokio::test]
async fn messages_beyond_the_rate_are_refused_or_delayed() {
    let rate = |excess| limited(Provider::Gmail, |limits| limits.rate = Some(Rate { messages: 2, excess }));
    for excess in [Excess::Refuse, Excess::Delay] {
        let simulator = started(rate(excess)).await;
        let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
        for _ in 0..2 {
            assert!(client.send(GMAIL, TO).await.starts_with("250 "));
        }
        client.say("MAIL FROM:<a@example.com>\r\nRCPT TO:<to@example.net>\r\nBDAT 2 LAST\r\n\r\n").await;
        assert!(client.reply().await.starts_with("250 ") && client.reply().await.starts_with("250 "));
        match excess {
            Excess::Refuse => assert!(client.reply().await.starts_with("421 4.7.28 ")),
            Excess::Delay => assert!(client.is_quiet_for(Duration::from_millis(100)).await),
        }
        assert_eq!(simulator.ledger().accepted(), 2);
        assert_eq!(simulator.report(Provider::Gmail, GMAIL).unwrap().violations.rate, 1);
    }
}

#[tokio::test]
async fn the_days_recipients_run_out_and_come_back() {
    let simulator = started(limited(Provider::Gmail, |limits| limits.recipients_per_day = Some(2))).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    for _ in 0..2 {
        assert!(client.send(GMAIL, TO).await.starts_with("250 "));
    }
    assert!(client.send(GMAIL, TO).await.starts_with("550 5.4.5 "));
    simulator.forget_quotas(Provider::Gmail, GMAIL).unwrap();
    assert!(client.send(GMAIL, TO).await.starts_with("250 "));
    assert_eq!(simulator.report(Provider::Gmail, GMAIL).unwrap().violations.daily, 1);
}

#[tokio::test]
async fn recipients_of_a_message_are_bounded() {
    let simulator = started(limited(Provider::Outlook, |limits| limits.recipients_per_message = 1)).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    client.ask("MAIL FROM:<a@example.org>\r\n").await;
    assert!(client.ask("RCPT TO:<one@example.net>\r\n").await.starts_with("250 "));
    assert!(client.ask("RCPT TO:<two@example.net>\r\n").await.starts_with("452 4.5.3 "));
    assert!(client.ask("BDAT 2 LAST\r\n\r\n").await.starts_with("250 "));
    assert_eq!(simulator.ledger().messages()[0].recipients, ["one@example.net"]);
    assert_eq!(simulator.report(Provider::Outlook, OUTLOOK).unwrap().violations.recipients, 1);
}

#[tokio::test]
async fn logins_have_a_rate_and_its_refusal_comes_without_a_challenge() {
    for provider in Provider::ALL {
        let simulator = started(limited(provider, |limits| limits.logins_per_minute = Some(1))).await;
        Client::logged_in(&simulator, provider).await;
        let mut client = Client::greeted(&simulator, provider).await;
        client.ask("EHLO client.test\r\n").await;
        let token = fresh_token(&simulator, provider).await;
        assert!(client.ask(auth(user(provider), &token)).await.starts_with("454 4.7.0 "));
        assert_eq!(simulator.report(provider, user(provider)).unwrap().violations.logins, 1);
    }
}

#[tokio::test]
async fn a_connection_takes_so_many_messages() {
    let simulator = started(limited(Provider::Gmail, |limits| limits.messages_per_connection = Some(1))).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    assert!(client.send(GMAIL, TO).await.starts_with("250 "));
    assert!(client.send(GMAIL, TO).await.starts_with("421 4.7.0 "));
    assert_eq!(client.reply().await, "");
    assert_eq!(simulator.report(Provider::Gmail, GMAIL).unwrap().violations.messages_per_connection, 1);
}

#[tokio::test]
async fn a_message_has_a_size() {
    let simulator = started(limited(Provider::Gmail, |limits| limits.message_size = 100)).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    assert!(client.ask("MAIL FROM:<a@example.com> SIZE=101\r\n").await.starts_with("552 5.3.4 "));
    client.say("MAIL FROM:<a@example.com>\r\nRCPT TO:<to@example.net>\r\nDATA\r\n").await;
    for expected in ["250 ", "250 ", "354 "] {
        assert!(client.reply().await.starts_with(expected));
    }
    assert!(client.ask(format!("{}\r\n.\r\n", "x".repeat(101))).await.starts_with("552 5.3.4 "));
    assert_eq!(simulator.ledger().accepted(), 0);
}

#[tokio::test]
async fn nobody_sends_as_somebody_else_where_that_is_denied() {
    let simulator = started(limited(Provider::Outlook, |limits| limits.send_as = SendAs::OwnAddress)).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    assert!(client.send("somebody@example.org", TO).await.starts_with("554 5.2.252 SendAsDenied"));
    assert!(client.send("Office@Example.org", TO).await.starts_with("250 "));
    assert_eq!(simulator.report(Provider::Outlook, OUTLOOK).unwrap().violations.send_as, 1);
}

#[tokio::test]
async fn who_says_nothing_is_told_so_and_let_go() {
    let simulator = started(limited(Provider::Gmail, |limits| limits.idle = Duration::from_secs(1))).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let heard = Instant::now();
    assert!(client.ask("NOOP\r\n").await.starts_with("250 "));
    assert!(client.reply().await.starts_with("421 4.4.2 "));
    assert!(heard.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.reply().await, "");
}
