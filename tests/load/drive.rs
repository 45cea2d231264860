//! The load itself: closed loop (as fast as it goes) and open loop (at an offered rate).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::{Client, Manner, Message, Proof};

/// Who sends: one connection's login and sender.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) proof: Proof,
    pub(crate) address: String,
}

/// What to send, and how.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) target: SocketAddr,
    /// One entry for each connection.
    pub(crate) senders: Vec<Sender>,
    pub(crate) size: usize,
    pub(crate) manner: Manner,
    /// A new connection for each message.
    pub(crate) reconnect: bool,
    pub(crate) messages: u64,
    /// Messages in a second that are offered; none is a closed loop.
    pub(crate) offered: Option<f64>,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) errors: Vec<String>,
    /// Microseconds from the moment a message was due to its 250, sorted.
    pub(crate) latencies: Vec<u32>,
    pub(crate) took: Duration,
}

impl Outcome {
    /// The latency that this share of the messages did not exceed, in milliseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is an index")]
        let index = (last as f64 * share).round() as usize;
        self.latencies.get(index).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }

    pub(crate) fn rate(&self) -> f64 {
        self.accepted as f64 / self.took.as_secs_f64()
    }
}

/// Sends the load and waits for its end.
pub(crate) async fn run(load: Load, numbers: Arc<AtomicU64>) -> io::Result<Outcome> {
    let clients = connect(&load).await?;
    Ok(send(load, clients, numbers).await)
}

/// Sends two loads at the same time: who logs in while the other one sends would be measured in its latencies.
pub(crate) async fn run_both(loads: [Load; 2], numbers: Arc<AtomicU64>) -> io::Result<[Outcome; 2]> {
    let [ours, theirs] = loads;
    let clients = [connect(&ours).await?, connect(&theirs).await?];
    let [our_clients, their_clients] = clients;
    let (ours, theirs) =
        tokio::join!(send(ours, our_clients, Arc::clone(&numbers)), send(theirs, their_clients, Arc::clone(&numbers)));
    Ok([ours, theirs])
}

async fn send(load: Load, clients: Vec<Client>, numbers: Arc<AtomicU64>) -> Outcome {
    let started = Instant::now();
    let mut outcome = match load.offered {
        None => closed(&load, clients, &numbers).await,
        Some(rate) => open(&load, clients, &numbers, rate).await,
    };
    outcome.took = started.elapsed();
    outcome.latencies.sort_unstable();
    outcome
}

async fn connect(load: &Load) -> io::Result<Vec<Client>> {
    let mut clients = Vec::new();
    // Some at a time: a thousand logins at once would measure password hashing.
    for group in load.senders.chunks(32) {
        let mut joining = JoinSet::new();
        for sender in group.iter().cloned() {
            let (target, manner) = (load.target, load.manner);
            joining.spawn(async move { Client::log_in(target, &sender.proof, manner).await });
        }
        for client in joining.join_all().await {
            clients.push(client?);
        }
    }
    Ok(clients)
}

fn content(size: usize) -> Vec<u8> {
    let mut content = b"From: load@example.com\r\nTo: sink@example.org\r\nSubject: load\r\n\r\n".to_vec();
    while content.len() < size {
        let line = (size - content.len()).min(76);
        content.extend(std::iter::repeat_n(b'x', line.saturating_sub(2)));
        content.extend_from_slice(b"\r\n");
    }
    content.truncate(content.len() - 2);
    content
}

async fn closed(load: &Load, clients: Vec<Client>, numbers: &Arc<AtomicU64>) -> Outcome {
    let left = Arc::new(AtomicU64::new(load.messages));
    let content: Arc<[u8]> = content(load.size).into();
    let mut tasks = JoinSet::new();
    for (mut client, sender) in clients.into_iter().zip(load.senders.clone()) {
        let (left, numbers, content) = (Arc::clone(&left), Arc::clone(numbers), Arc::clone(&content));
        let (reconnect, target, manner) = (load.reconnect, load.target, load.manner);
        tasks.spawn(async move {
            let mut part = Outcome::default();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let due = Instant::now();
                if reconnect {
                    match Client::log_in(target, &sender.proof, manner).await {
                        Ok(fresh) => std::mem::replace(&mut client, fresh).quit().await,
                        Err(error) => {
                            part.errors.push(error.to_string());
                            continue;
                        }
                    }
                }
                one(&mut client, &sender, &numbers, &content, due, &mut part).await;
            }
            client.quit().await;
            part
        });
    }
    merge(tasks).await
}

async fn open(load: &Load, clients: Vec<Client>, numbers: &Arc<AtomicU64>, rate: f64) -> Outcome {
    let content: Arc<[u8]> = content(load.size).into();
    let (due, queue) = mpsc::unbounded_channel::<Instant>();
    let queue = Arc::new(Mutex::new(queue));
    let mut tasks = JoinSet::new();
    for (mut client, sender) in clients.into_iter().zip(load.senders.clone()) {
        let (queue, numbers, content) = (Arc::clone(&queue), Arc::clone(numbers), Arc::clone(&content));
        tasks.spawn(async move {
            let mut part = Outcome::default();
            loop {
                let Some(due) = queue.lock().await.recv().await else { break };
                one(&mut client, &sender, &numbers, &content, due, &mut part).await;
            }
            client.quit().await;
            part
        });
    }
    let start = Instant::now();
    for number in 0..load.messages {
        let at = start + Duration::from_secs_f64(number as f64 / rate);
        sleep_until(at).await;
        // What is late was due all the same: the clock of a message begins when it was due.
        let _ = due.send(at);
    }
    drop(due);
    merge(tasks).await
}

async fn one(
    client: &mut Client,
    sender: &Sender,
    numbers: &AtomicU64,
    content: &[u8],
    due: Instant,
    part: &mut Outcome,
) {
    let message = Message { sender: &sender.address, number: numbers.fetch_add(1, Ordering::Relaxed), content };
    match client.send(&message).await {
        Ok(true) => {
            part.accepted += 1;
            part.latencies.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(false) => part.refused += 1,
        Err(error) => part.errors.push(error.to_string()),
    }
}

async fn merge(tasks: JoinSet<Outcome>) -> Outcome {
    tasks.join_all().await.into_iter().fold(Outcome::default(), |mut all, part| {
        all.accepted += part.accepted;
        all.refused += part.refused;
        all.errors.extend(part.errors);
        all.latencies.extend(part.latencies);
        all
    })
}
