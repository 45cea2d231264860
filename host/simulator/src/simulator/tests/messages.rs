//! Messages, by what is in the ledger.

use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_net::connector::{Connector, Trust};
use posthouse_net::stream::Stream;

use super::client::{Client, auth, fresh_token};
use super::{GMAIL, OUTLOOK, options, started};
use crate::options::{Options, Plaintext};
use crate::provider::Provider;

#[tokio::test]
async fn a_message_is_in_the_ledger_as_it_was_sent() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    client.say("MAIL FROM:<> SIZE=30\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n").await;
    for expected in ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354 "] {
        assert!(client.reply().await.starts_with(expected));
    }
    let taken = client.ask("A: b\r\n\r\n..dot\r\n...\r\n.\r\n").await;
    assert!(taken.starts_with("250 2.0.0 OK ") && taken.ends_with("- gsmtp\r\n"), "{taken}");
    let messages = simulator.ledger().wait_for(1).await;
    let [message] = &messages[..] else { panic!("one message") };
    assert_eq!(message.bytes(), b"A: b\r\n\r\n.dot\r\n..\r\n");
    assert_eq!((message.provider, &*message.mailbox, &*message.reverse_path), (Provider::Gmail, GMAIL, ""));
    assert_eq!(message.recipients, ["a@example.net", "b@example.net"]);
    assert_eq!((message.connection, message.index), (1, 1));
    let report = simulator.report(Provider::Gmail, GMAIL).unwrap();
    assert_eq!((report.messages, report.recipients, report.connections), (1, 2, 1));
}

#[tokio::test]
async fn a_whole_transaction_by_bdat_comes_in_one_write_and_is_answered_in_one() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    let batch = format!("MAIL FROM:<{OUTLOOK}>\r\nRCPT TO:<a@example.net>\r\nBDAT 14 LAST\r\nA: b\r\n\r\ntext\r\n");
    for index in 1..=3 {
        client.say(&batch).await;
        for expected in ["250 2.1.0", "250 2.1.5", "250 2.0.0 OK <"] {
            assert!(client.reply().await.starts_with(expected));
        }
        let messages = simulator.ledger().wait_for(index).await;
        assert_eq!(messages.last().unwrap().bytes(), b"A: b\r\n\r\ntext\r\n");
        assert_eq!(messages.last().unwrap().index, index);
    }
    assert!(client.ask("QUIT\r\n").await.starts_with("221 "));
    simulator.ledger().wait_until_open(Provider::Outlook, 0).await;
    let connections = simulator.ledger().connections();
    assert_eq!((connections[0].messages, connections[0].open), (3, false));
}

#[tokio::test]
async fn a_batch_waits_for_one_latency_and_no_more() {
    let latency = Duration::from_millis(500);
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    simulator.set_latency(Provider::Outlook, latency);
    let start = Instant::now();
    client.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<a@example.net>\r\n").await;
    // The second part of the batch arrives while the first one's replies are on their way.
    tokio::time::sleep(latency / 4).await;
    client.say("BDAT 6 LAST\r\ntext\r\n").await;
    for _ in 0..3 {
        assert!(client.reply().await.starts_with("250 "));
    }
    let taken = start.elapsed();
    assert!(taken >= latency * 5 / 4 && taken < latency * 2, "{taken:?}");
}

#[tokio::test]
async fn recipients_with_a_fixed_answer_get_it() {
    let simulator = started(options()).await;
    let cases = [
        ("unknown@example.net", "550 5.1.1 "),
        ("full@example.net", "452 4.2.2 "),
        ("busy@example.net", "450 4.2.1 "),
        ("rejected@example.net", "550 5.7.1 "),
        ("deferred@example.net", "451 4.3.0 "),
        ("quota@example.net", "554 5.2.0 "),
        ("throttled@example.net", "432 4.3.2 "),
        ("slow@example.net", "250 2.0.0 "),
    ];
    for (recipient, expected) in cases {
        let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
        let reply = client.send(OUTLOOK, recipient).await;
        assert!(reply.starts_with(expected), "{recipient}: {reply}");
    }
    assert_eq!(simulator.ledger().accepted(), 1);
    for (recipient, recorded) in [("dropped@example.net", 0), ("lost@example.net", 1)] {
        let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
        assert_eq!(client.send(GMAIL, recipient).await, "");
        assert_eq!(simulator.ledger().messages_to(recipient).len(), recorded, "{recipient}");
    }
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    client.say(format!("MAIL FROM:<{GMAIL}>\r\nRCPT TO:<stalled@example.net>\r\nBDAT 2 LAST\r\n\r\n")).await;
    assert!(client.reply().await.starts_with("250 ") && client.reply().await.starts_with("250 "));
    assert!(client.is_quiet_for(Duration::from_millis(100)).await);
    assert!(simulator.ledger().messages_to("stalled@example.net").is_empty());
}

#[tokio::test]
async fn a_refused_recipient_is_not_among_those_of_the_message() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    client.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<unknown@c.test>\r\nRCPT TO:<ok@c.test>\r\nDATA\r\n").await;
    for expected in ["250 ", "550 ", "250 ", "354 "] {
        assert!(client.reply().await.starts_with(expected));
    }
    assert!(client.ask("\r\n.\r\n").await.starts_with("250 "));
    assert_eq!(simulator.ledger().messages()[0].recipients, ["ok@c.test"]);
}

#[tokio::test]
async fn both_ports_speak_tls_with_a_certificate_of_the_authority() {
    let simulator = started(options()).await;
    let connector = Connector::new(&Trust::Pem(simulator.ca_pem().into_bytes())).unwrap();
    for provider in Provider::ALL {
        let implicit = simulator.implicit_address(provider);
        let mut stream = connector.connect_tcp("127.0.0.1", implicit.port(), None).await.unwrap();
        stream.connect_tls(&connector, provider.hostname()).await.unwrap();
        assert!(line(&mut stream).await.starts_with("220 "));

        let starttls = simulator.starttls_address(provider);
        let mut stream = connector.connect_tcp("127.0.0.1", starttls.port(), None).await.unwrap();
        assert!(line(&mut stream).await.starts_with("220 "));
        stream.send(b"EHLO client.test\r\n").await.unwrap();
        assert!(line(&mut stream).await.contains("-STARTTLS\r\n"));
        stream.send(b"STARTTLS\r\n").await.unwrap();
        assert!(line(&mut stream).await.starts_with("220 "));
        stream.connect_tls(&connector, "127.0.0.1").await.unwrap();
        stream.send(b"EHLO client.test\r\n").await.unwrap();
        let hello = line(&mut stream).await;
        assert!(!hello.contains("STARTTLS") && hello.contains("AUTH LOGIN"), "{hello}");
        let token = fresh_token(&simulator, provider).await;
        stream.send(auth(super::client::user(provider), &token).as_bytes()).await.unwrap();
        assert!(line(&mut stream).await.starts_with("235 "));
        assert_eq!(simulator.ledger().counters(provider).handshakes, 2);
    }
}

#[tokio::test]
async fn without_leave_nothing_is_sent_in_the_clear() {
    let mut options = options();
    options.plaintext = Plaintext::Refused;
    let simulator = started(options).await;
    let mut client = Client::greeted(&simulator, Provider::Gmail).await;
    assert!(!client.ask("EHLO client.test\r\n").await.contains("AUTH"));
    assert!(client.ask(auth(GMAIL, "token")).await.starts_with("538 "));
    assert!(client.ask("MAIL FROM:<a@example.com>\r\n").await.starts_with("530 "));
}

#[tokio::test]
async fn a_stopped_simulator_has_cut_all_off_and_refuses() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Gmail).await;
    let address = simulator.starttls_address(Provider::Gmail);
    simulator.stop().await;
    assert!(["", "reset"].contains(&&*client.reply().await));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert!(tokio::net::TcpStream::connect(simulator.token_address()).await.is_err());
}

/// What came in one read: the simulator writes a batch's replies at once.
async fn line(stream: &mut Stream) -> String {
    stream.receive(|octets| String::from_utf8(octets.to_vec()).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_all_is_counted_and_nothing_kept() {
    let mailboxes = options().mailboxes;
    let options = Options { plaintext: Plaintext::Allowed, ..Options::for_load(mailboxes) };
    let simulator = Arc::new(started(options).await);
    let mut clients = Vec::new();
    for number in 0..40 {
        let simulator = Arc::clone(&simulator);
        clients.push(tokio::spawn(async move {
            let provider = Provider::ALL[number % 2];
            let mut client = Client::logged_in(&simulator, provider).await;
            for _ in 0..25 {
                client.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nBDAT 6 LAST\r\ntext\r\n").await;
                for _ in 0..3 {
                    assert!(client.reply().await.starts_with("250 "));
                }
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(simulator.ledger().accepted(), 1_000);
    assert!(simulator.ledger().messages().is_empty());
    for report in simulator.reports() {
        assert_eq!((report.messages, report.recipients, report.violations.total()), (500, 500, 0));
        let counters = simulator.ledger().counters(report.provider);
        assert_eq!((counters.logins, counters.messages, counters.octets), (20, 500, 3_000));
        simulator.ledger().wait_until_open(report.provider, 0).await;
    }
    assert!(simulator.ledger().connections().is_empty());
}

#[tokio::test]
async fn a_dropped_simulator_has_ended() {
    let simulator = started(options()).await;
    let mut client = Client::logged_in(&simulator, Provider::Outlook).await;
    drop(simulator);
    assert!(["", "reset"].contains(&&*client.reply().await));
}
