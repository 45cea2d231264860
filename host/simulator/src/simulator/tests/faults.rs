//! Faults, each seen by a client of raw octets.

use std::time::{Duration, Instant};

use super::client::{Client, auth, fresh_token};
use super::{GMAIL, OUTLOOK, options, started};
use crate::faults::{Action, Fault, Stage};
use crate::provider::Provider;
use crate::simulator::Simulator;

const TO: &str = "to@example.net";
const LATER: Duration = Duration::from_millis(100);

async fn set(stage: Stage, action: Action) -> Simulator {
    let simulator = started(options()).await;
    simulator.inject(Provider::Outlook, Fault::new(stage, action));
    simulator
}

/// One message as far as it goes: what was answered last.
async fn attempt(simulator: &Simulator) -> String {
    let mut client = Client::connect(simulator.starttls_address(Provider::Outlook)).await;
    let token = fresh_token(simulator, Provider::Outlook).await;
    for (command, expected) in
        [(String::new(), "220 "), ("EHLO client.test\r\n".to_owned(), "250"), (auth(OUTLOOK, &token), "235 ")]
    {
        client.say(command).await;
        let reply = client.reply().await;
        if !reply.starts_with(expected) {
            return reply;
        }
    }
    client.send(OUTLOOK, TO).await
}

#[tokio::test]
async fn a_connection_ends_at_each_stage_and_the_message_is_not_recorded() {
    let stages = [
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::Auth,
        Stage::Mail,
        Stage::Recipient,
        Stage::ContentStart,
        Stage::Content,
    ];
    for stage in stages {
        for (action, end) in [(Action::Close, ""), (Action::HalfClose, ""), (Action::Reset, "reset")] {
            let simulator = set(stage, action.clone()).await;
            let reply = attempt(&simulator).await;
            // A client that writes into a closed connection may hear of it by a reset.
            assert!(reply == end || (action == Action::Close && reply == "reset"), "{stage:?} {action:?}: {reply:?}");
            assert_eq!(simulator.ledger().accepted(), 0);
            assert!(attempt(&simulator).await.starts_with("250 "), "{stage:?} {action:?}: once");
            assert_eq!(simulator.ledger().accepted(), 1);
        }
    }
}

#[tokio::test]
async fn a_reply_at_each_stage_is_given_instead_of_the_usual_one() {
    let stages = [
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::Auth,
        Stage::Mail,
        Stage::Recipient,
        Stage::ContentStart,
        Stage::Content,
    ];
    for stage in stages {
        let simulator = set(stage, Action::reply("451 4.3.5 one\ntwo")).await;
        assert_eq!(attempt(&simulator).await, "451-4.3.5 one\r\n451 4.3.5 two\r\n", "{stage:?}");
        assert_eq!(simulator.ledger().accepted(), 0);
    }
}

#[tokio::test]
async fn a_421_is_followed_by_the_end_at_each_stage() {
    for stage in [Stage::Greeting, Stage::Ehlo, Stage::Auth, Stage::Mail, Stage::Recipient, Stage::ContentStart] {
        let simulator = set(stage, Action::reply("421 4.3.2 closing")).await;
        assert_eq!(attempt(&simulator).await, "421 4.3.2 closing\r\n", "{stage:?}");
        simulator.ledger().wait_until_open(Provider::Outlook, 0).await;
    }
}

#[tokio::test]
async fn a_recorded_message_whose_reply_is_lost_is_recorded_once() {
    for action in [Action::Close, Action::Reset] {
        let simulator = set(Stage::Recorded, action).await;
        assert!(["", "reset"].contains(&&*attempt(&simulator).await));
        assert_eq!(simulator.ledger().accepted(), 1);
    }
    let simulator = set(Stage::Recorded, Action::reply("451 4.3.0 a lie")).await;
    assert_eq!(attempt(&simulator).await, "451 4.3.0 a lie\r\n");
    assert_eq!(simulator.ledger().accepted(), 1);
}

#[tokio::test]
async fn a_stall_says_nothing_and_keeps_the_connection() {
    for action in [Action::Stall, Action::StopReading] {
        let simulator = set(Stage::Mail, action).await;
        let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
        client.say("MAIL FROM:<a@example.org>\r\n").await;
        assert!(client.is_quiet_for(LATER).await);
        assert_eq!(simulator.ledger().open_connections(Provider::Outlook), 1);
    }
}

#[tokio::test]
async fn a_delay_is_one_and_then_all_goes_on() {
    let simulator = started(options()).await;
    simulator.inject(Provider::Outlook, Fault::new(Stage::Content, Action::Proceed).delay(LATER));
    let start = Instant::now();
    assert!(attempt(&simulator).await.starts_with("250 "));
    assert!(start.elapsed() >= LATER);
}

#[tokio::test]
async fn garbage_takes_the_replys_place_and_a_stray_reply_follows_it() {
    let simulator = set(Stage::Content, Action::Garbage(b"\x01\x02 what?\r\n".to_vec())).await;
    assert_eq!(attempt(&simulator).await, "\x01\x02 what?\r\n");
    assert_eq!(simulator.ledger().accepted(), 1);

    let simulator = set(Stage::Mail, Action::Append(b"250 2.0.0 stray\r\n".to_vec())).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    assert!(client.ask("MAIL FROM:<a@example.org>\r\n").await.starts_with("250 2.1.0 "));
    assert_eq!(client.reply().await, "250 2.0.0 stray\r\n");
    assert!(client.ask("RSET\r\n").await.starts_with("250 "));
}

#[tokio::test]
async fn a_reply_may_come_amid_the_content() {
    let simulator = set(Stage::Body, Action::reply("421 4.3.0 enough")).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    client.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<to@example.net>\r\nDATA\r\n").await;
    for expected in ["250 ", "250 ", "354 "] {
        assert!(client.reply().await.starts_with(expected));
    }
    assert_eq!(client.ask("Subject: a part\r\n\r\nof the").await, "421 4.3.0 enough\r\n");
    assert_eq!(client.reply().await, "");
    assert_eq!(simulator.ledger().accepted(), 0);
}

#[tokio::test]
async fn the_end_may_come_behind_the_reply() {
    for (action, end) in [(Action::Close, ""), (Action::reply("421 4.3.2 bye"), "421 4.3.2 bye\r\n")] {
        let simulator = set(Stage::Replied, action).await;
        for latency in [Duration::ZERO, Duration::from_millis(20)] {
            simulator.clear_faults(Provider::Outlook);
            let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
            simulator.set_latency(Provider::Outlook, latency);
            let action = if end.is_empty() { Action::Close } else { Action::reply("421 4.3.2 bye") };
            simulator.inject(Provider::Outlook, Fault::new(Stage::Replied, action).recipient(TO));
            assert!(client.send(OUTLOOK, TO).await.starts_with("250 "));
            assert_eq!(client.reply().await, end);
        }
    }
}

#[tokio::test]
async fn idle_connections_suffer_too_and_busy_ones_do_not() {
    let simulator = started(options()).await;
    let mut idle = Client::logged_in(&simulator, Provider::Gmail).await;
    let mut busy = Client::logged_in(&simulator, Provider::Gmail).await;
    assert!(busy.ask("MAIL FROM:<a@example.com>\r\n").await.starts_with("250 "));
    let fault = Fault::new(Stage::Idle, Action::reply("421 4.4.2 away with you")).mailbox(GMAIL).always();
    let injected = simulator.inject(Provider::Gmail, fault);
    assert_eq!(idle.reply().await, "421 4.4.2 away with you\r\n");
    assert_eq!(idle.reply().await, "");
    assert!(busy.is_quiet_for(LATER).await);
    assert_eq!(injected.hits(), 1);

    simulator.clear_faults(Provider::Gmail);
    simulator.inject(Provider::Gmail, Fault::new(Stage::Idle, Action::Reset).delay(LATER));
    let start = Instant::now();
    let mut later = Client::logged_in(&simulator, Provider::Gmail).await;
    assert_eq!(later.reply().await, "reset");
    assert!(start.elapsed() >= LATER);
}

#[tokio::test]
async fn starttls_can_be_refused_and_injected_into() {
    let simulator = started(options()).await;
    simulator.inject(Provider::Gmail, Fault::new(Stage::StartTls, Action::reply("454 4.7.0 TLS not available")));
    let mut client = Client::greeted(&simulator, Provider::Gmail).await;
    client.ask("EHLO client.test\r\n").await;
    assert_eq!(client.ask("STARTTLS\r\n").await, "454 4.7.0 TLS not available\r\n");
    assert!(client.ask("EHLO client.test\r\n").await.contains("STARTTLS"));
    let stray = Action::Append(b"250 2.0.0 injected\r\n".to_vec());
    simulator.inject(Provider::Gmail, Fault::new(Stage::StartTls, stray));
    assert!(client.ask("STARTTLS\r\n").await.starts_with("220 "));
    assert_eq!(client.reply().await, "250 2.0.0 injected\r\n");
}

#[tokio::test]
async fn closed_ports_refuse_and_leave_connections_alone() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    let address = simulator.starttls_address(Provider::Gmail);
    simulator.close_ports(Provider::Gmail).await;
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(client.send(GMAIL, TO).await.starts_with("250 "));
    simulator.open_ports(Provider::Gmail).unwrap();
    assert_eq!(simulator.starttls_address(Provider::Gmail), address);
    Client::logged_in(&simulator, Provider::Gmail).await;
}

#[tokio::test]
async fn each_silence_of_a_connection_is_one_occasion() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    let injected = simulator.inject(Provider::Gmail, Fault::new(Stage::Idle, Action::Close).skip(1));
    assert!(client.is_quiet_for(LATER).await);
    assert_eq!(injected.hits(), 0);
    assert!(client.ask("NOOP\r\n").await.starts_with("250 "));
    assert_eq!(client.reply().await, "");
    assert_eq!(injected.hits(), 1);
}
