//! The scenarios in which everything changes while mail flows: swaps under load, very many swaps, and how soon a change holds.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use posthouse_relay::config::password;
use posthouse_simulator::options::Keep;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::admin::Admin;
use crate::bars::Bars;
use crate::client::{Client, Manner, Message, Proof};
use crate::drive::{Load, Outcome};
use crate::peers::{self, Peer, Surroundings};
use crate::policies::{distinct, policy, repository};
use crate::report::{heading, median, row, say};
use crate::scenarios::{Extent, load, mib};
use crate::world::World;

const CONNECTIONS: usize = 50;
const POLICY_EVERY: Duration = Duration::from_millis(100);
const RELOAD_EVERY: Duration = Duration::from_secs(1);
const CERTIFICATE_EVERY: Duration = Duration::from_secs(5);

/// The settings of the scripted guest that make it say which of them it decided with, and on what.
fn tagged(tag: u64) -> String {
    format!("{{\"message\": \"add-header X-Tag: {tag}; echo transaction\", \"recipient\": \"count asked 1\"}}")
}

/// Mail at full rate, without and with a policy each 100 ms, a configuration each second, a certificate each 5 s.
pub(crate) async fn swaps(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("everything is swapped while mail flows, 50 connections, 1 KiB, closed loop");
    let world = World::keeping(CONNECTIONS, Duration::ZERO, Keep::Whole).await?;
    let guest = repository()?.join("tests/guests/prebuilt/scripted.wasm");
    let original = std::fs::read(&guest)?;
    let own = policy(&guest, "message = \"add-header X-Tag: 0; echo transaction\"\nrecipient = \"count asked 1\"");
    let certificate = certificates(&world)?;
    let around =
        Surroundings { policy: &own, certificate: Some(&certificate), has_admin: true, ..Surroundings::default() };
    let relay = peers::posthouse_in(&world, 1, "info", &around, &[]).await?;
    let admin = Admin::of(&relay)?;
    let senders = || peers::clients_of_posthouse(&world, CONNECTIONS);
    let (warmed, _) = world.run(&relay, load(&relay, senders(), extent.messages(40_000))).await?;
    let seconds = if extent == Extent::Full { 60.0 } else { 3.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of messages")]
    let messages = (warmed.rate() * seconds) as u64;
    world.forget();
    let (alone, cost) = world.run(&relay, load(&relay, senders(), messages)).await?;
    row("nothing is swapped", &alone, &cost);
    world.forget();
    let swapping = Swapping::begin(&world, &admin, original);
    let (beside, cost) = world.run(&relay, load(&relay, senders(), messages)).await?;
    let swapped = swapping.end().await?;
    row("everything is", &beside, &cost);
    let Swapped { policies, reloads, certificates, refused, .. } = &swapped;
    say(&format!(
        "  {policies} policies, {reloads} configurations, {certificates} certificates; {refused} were not taken"
    ));
    bars.holds("each swap was taken", *refused == 0 && *policies > 0 && *reloads > 0 && *certificates > 0);
    let failed = |outcome: &Outcome| outcome.refused > 0 || !outcome.errors.is_empty();
    if failed(&alone) || failed(&beside) {
        relay.tell_refusals();
    }
    bars.holds("no message failed", !failed(&alone) && !failed(&beside));
    bars.holds("every 250 has one copy", world.has_each_once(beside.accepted));
    let (checked, mixed) = mixed(&world, &relay, &swapped.tags)?;
    say(&format!("  {checked} messages were decided by the generation of their MAIL, {mixed} by another"));
    bars.holds("none was decided by a mixed generation", mixed == 0 && checked == beside.accepted);
    if extent == Extent::Full {
        bars.at_most("p99 with swaps, of that without", beside.percentile(0.99) / alone.percentile(0.99), 1.2);
    }
    Ok(())
}

/// Messages whose header field says another generation than the one that was written down for them.
fn mixed(world: &World, relay: &Peer, tags: &HashMap<u64, u64>) -> io::Result<(u64, u64)> {
    let mut generations = HashMap::new();
    for line in std::fs::read_to_string(&relay.log)?.lines().filter(|line| line.contains("\"delivered\"")) {
        if let (Some(transaction), Some(generation)) = (text(line, "transaction"), number(line, "policy_generation")) {
            generations.insert(transaction.to_owned(), generation);
        }
    }
    let (mut checked, mut mixed) = (0, 0);
    for message in world.simulator.ledger().messages() {
        let content = String::from_utf8_lossy(message.content.bytes().unwrap_or_default()).into_owned();
        let field = |name: &str| content.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let tag = field("X-Tag: ").and_then(|tag| tag.parse::<u64>().ok());
        let generation = field("X-transaction: ").and_then(|transaction| generations.get(transaction));
        match (tag, generation.and_then(|generation| tags.get(generation))) {
            (Some(said), Some(decided)) if said == *decided => checked += 1,
            (said, decided) => {
                if mixed == 0 {
                    let transaction = field("X-transaction: ").unwrap_or("of which nothing is known");
                    let line = format!("{said:?} was said, and {decided:?} by generation {generation:?}");
                    say(&format!("  the first that differs is {transaction}: {line}"));
                }
                mixed += 1;
            }
        }
    }
    Ok((checked, mixed))
}

/// The value of a text in a line of the log.
fn text<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.split_once(&format!("\"{key}\":\""))?.1.split('"').next()
}

fn number(line: &str, key: &str) -> Option<u64> {
    line.split_once(&format!("\"{key}\":"))?.1.split([',', '}']).next()?.trim().parse().ok()
}

/// What was swapped.
#[derive(Debug, Default)]
struct Swapped {
    policies: u64,
    reloads: u64,
    certificates: u64,
    refused: u64,
    /// The tag of each generation.
    tags: HashMap<u64, u64>,
}

/// Who swaps, until told to end.
struct Swapping {
    ending: Arc<AtomicBool>,
    policies: JoinHandle<io::Result<HashMap<u64, u64>>>,
    files: JoinHandle<io::Result<(u64, u64)>>,
    admin: Admin,
}

impl Swapping {
    fn begin(world: &World, admin: &Admin, original: Vec<u8>) -> Self {
        let ending = Arc::new(AtomicBool::new(false));
        let policies = tokio::spawn(push_policies(admin.clone(), original, Arc::clone(&ending)));
        let files = tokio::spawn(change_files(world.directory.clone(), Arc::clone(&ending)));
        Self { ending, policies, files, admin: admin.clone() }
    }

    async fn end(self) -> io::Result<Swapped> {
        self.ending.store(true, Ordering::SeqCst);
        let tags = self.policies.await.map_err(io::Error::other)??;
        let (reloads, certificates) = self.files.await.map_err(io::Error::other)??;
        // The last change of a file takes a moment.
        sleep(Duration::from_secs(3)).await;
        let metrics = self.admin.get("/metrics").await?;
        let count = |result: &str| -> u64 {
            let name = format!("posthouse_reloads_total{{cause=\"files\",result=\"{result}\"}} ");
            metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
        };
        let (published, refused) = (count("published"), count("refused"));
        let missed = (reloads + certificates).saturating_sub(published);
        Ok(Swapped { policies: tags.len() as u64 - 1, reloads, certificates, refused: refused + missed, tags })
    }
}

/// Brings one of two components with other settings, over and over; the tag of each generation.
async fn push_policies(admin: Admin, original: Vec<u8>, ending: Arc<AtomicBool>) -> io::Result<HashMap<u64, u64>> {
    let components = [original.clone(), distinct(&original, 1)];
    let mut tags = HashMap::from([(1, 0)]);
    let mut turn = interval(POLICY_EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tag in 1.. {
        turn.tick().await;
        if ending.load(Ordering::SeqCst) {
            break;
        }
        let component = &components[usize::try_from(tag % 2).unwrap_or(0)];
        let answer = admin.push("load", component, &tagged(tag)).await?;
        let generation = number(&answer, "number").ok_or_else(|| io::Error::other(answer.clone()))?;
        tags.insert(generation, tag);
    }
    Ok(tags)
}

/// Another configuration each second and another certificate each five, by renaming: how many of each.
async fn change_files(directory: std::path::PathBuf, ending: Arc<AtomicBool>) -> io::Result<(u64, u64)> {
    let tenant = std::fs::read_to_string(directory.join("tenants/load.toml"))?;
    let (mut reloads, mut certificates) = (0, 0);
    let mut turn = interval(RELOAD_EVERY);
    turn.tick().await;
    let each = CERTIFICATE_EVERY.as_secs() / RELOAD_EVERY.as_secs();
    for round in 1_u64.. {
        turn.tick().await;
        if ending.load(Ordering::SeqCst) {
            break;
        }
        // In turns, so that each reload has one cause.
        if round % each == 2 {
            let link = directory.join("certificate.new");
            std::os::unix::fs::symlink(format!("certificate-{}", certificates % 2), &link)?;
            std::fs::rename(&link, directory.join("certificate"))?;
            certificates += 1;
        } else {
            let route = format!("\n[[routes]]\nname = \"route-{round}\"\naccounts = [\"g0\"]\n");
            replace(
                &directory.join("tenants/load.toml"),
                &(tenant.replacen("[policy]", &format!("{route}[policy]"), 1)),
            )?;
            reloads += 1;
        }
    }
    Ok((reloads, certificates))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

/// Two certificates in directories of their own, and a link to the second: the lines of a listener that follows it.
fn certificates(world: &World) -> io::Result<String> {
    for number in 0..2 {
        let directory = world.directory.join(format!("certificate-{number}"));
        std::fs::create_dir_all(&directory)?;
        let made = world.simulator.issue_certificate("localhost").map_err(io::Error::other)?;
        std::fs::write(directory.join("chain.pem"), made.certificate)?;
        std::fs::write(directory.join("key.pem"), made.key)?;
    }
    let link = world.directory.join("certificate");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink("certificate-1", link)?;
    let address = crate::world::free_port()?;
    Ok(format!(
        "[[listeners]]\nname = \"tls\"\naddress = \"{address}\"\ntls = \"implicit\"\n\
         certificate = \"certificate/chain.pem\"\nkey = \"certificate/key.pem\"\n"
    ))
}

/// Ten thousand swaps of one tenant's policy: what is left of them.
pub(crate) async fn many_swaps(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    let (count, step) = if extent == Extent::Full { (10_000, 1_000) } else { (200, 50) };
    heading(&format!("{count} swaps of a policy"));
    let world = World::new(1, Duration::ZERO).await?;
    let guest = repository()?.join("tests/guests/prebuilt/scripted.wasm");
    let around = Surroundings { policy: &policy(&guest, ""), has_admin: true, ..Surroundings::default() };
    let relay = peers::posthouse_in(&world, 1, "warn", &around, &[]).await?;
    let admin = Admin::of(&relay)?;
    let swap = async |from: u64, to: u64| -> io::Result<()> {
        for tag in from..to {
            let answer = admin.settings("load", &tagged(tag)).await?;
            number(&answer, "number").ok_or_else(|| io::Error::other(answer))?;
        }
        Ok(())
    };
    let fresh = relay.process.rss_kib();
    let first = settled(step, &relay, swap).await?;
    let loaded = async || -> io::Result<u64> {
        let metrics = admin.get("/metrics").await?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("posthouse_policies_loaded "));
        line.and_then(|count| count.parse().ok()).ok_or_else(|| io::Error::other("no posthouse_policies_loaded"))
    };
    let before = (relay.process.rss_kib(), relay.process.descriptors(), loaded().await?);
    let began = Instant::now();
    swap(first, first + count).await?;
    let took = began.elapsed().as_secs_f64();
    let after = (relay.process.rss_kib(), relay.process.descriptors(), loaded().await?);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let each = took * 1000.0 / count as f64;
    say(&format!(
        "  {each:.2} ms each, after {first}; RSS {:.1} MiB at the start, {:.1} -> {:.1} MiB, descriptors {} -> {}, policies loaded {} -> {}",
        mib(fresh),
        mib(before.0),
        mib(after.0),
        before.1,
        after.1,
        before.2,
        after.2
    ));
    bars.holds("descriptors and policies are as many as before", after.1 <= before.1 && after.2 == before.2);
    if extent == Extent::Full {
        bars.at_most("RSS afterwards, of that before", mib(after.0) / mib(before.0), 1.05);
    }
    Ok(())
}

/// Swaps until what is allocated once is: the store's cache, twenty generations that are over, the last changes, and the
/// places of the pool for calls, which are taken into use one after the other. How many swaps that took: memory has then
/// grown by less than a hundredth in two steps one after the other, or there were ten.
async fn settled(step: u64, relay: &Peer, swap: impl AsyncFn(u64, u64) -> io::Result<()>) -> io::Result<u64> {
    let (mut done, mut quiet, mut held) = (0, 0, relay.process.rss_kib());
    while quiet < 2 && done < 10 * step {
        swap(done, done + step).await?;
        done += step;
        let now = relay.process.rss_kib();
        quiet = if now <= held + held / 100 { quiet + 1 } else { 0 };
        held = now;
    }
    Ok(done)
}

/// How soon a change holds: a policy that was never compiled, and one tenant of a thousand.
pub(crate) async fn publish(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("from a file's change to the first decision by what is in it");
    let world = World::new(1, Duration::ZERO).await?;
    let guest = world.directory.join("guest.wasm");
    let original = std::fs::read(repository()?.join("tests/guests/prebuilt/scripted.wasm"))?;
    std::fs::write(&guest, &original)?;
    let own = policy(&guest, "message = \"reject 5.7.1 generation-0\"");
    let around = Surroundings { policy: &own, ..Surroundings::default() };
    let relay = peers::posthouse_in(&world, 1, "info", &around, &[]).await?;
    let proof = Proof::Plain { login: "load".to_owned(), password: "load".to_owned() };
    let mut client = Client::log_in(relay.address, &proof, Manner::Lockstep).await?;
    let file = world.directory.join("tenants/load.toml");
    let text = std::fs::read_to_string(&file)?;
    let mut took = Vec::new();
    for round in 1..=(if extent == Extent::Full { 10 } else { 2 }) {
        sleep(Duration::from_millis(300)).await;
        let beside = world.directory.join("guest.new");
        std::fs::write(&beside, distinct(&original, 1000 + round))?;
        replace(&file, &text.replace("generation-0", &format!("generation-{round}")))?;
        let began = Instant::now();
        std::fs::rename(&beside, &guest)?;
        took.push(until(&mut client, &format!("generation-{round}"), began).await?);
    }
    took.sort_by(f64::total_cmp);
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    say(&format!("  a Rust policy, compiled anew: median {median:.0} ms, at most {most:.0} ms"));
    if extent == Extent::Full {
        bars.at_most("ms to the first decision by a policy compiled anew", most, 500.0);
    }
    drop(relay);
    thousand(extent, bars).await
}

/// Sends until the reply names what is waited for; the milliseconds since `began`.
async fn until(client: &mut Client, wanted: &str, began: Instant) -> io::Result<f64> {
    loop {
        let message = Message { sender: "g0@load.example", number: 0, content: b"Subject: x\r\n\r\nx" };
        let said = client.send_for_reply(&message).await?;
        if said.contains(wanted) {
            return Ok(began.elapsed().as_secs_f64() * 1000.0);
        }
        if began.elapsed() > Duration::from_secs(20) {
            return Err(io::Error::other(format!("{wanted} does not come: {said}")));
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// One tenant of a thousand, with two accounts each, changes while others' mail flows.
async fn thousand(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    let count = if extent == Extent::Full { 1_000 } else { 50 };
    heading(&format!("a reload of {count} tenants with two accounts each, beside 200 messages a second"));
    let world = World::new(20, Duration::ZERO).await?;
    let hash = password::hash(b"load");
    let others: Vec<_> = (0..count).map(|number| peers::tenant_with_two(&format!("t{number}"), &hash)).collect();
    let around = Surroundings { has_admin: true, ..Surroundings::default() };
    let relay = peers::posthouse_in(&world, 1, "info", &around, &others).await?;
    let admin = Admin::of(&relay)?;
    let (rounds, seconds) = if extent == Extent::Full { (5, 10) } else { (1, 4) };
    let steady = Load { offered: Some(200.0), ..load(&relay, peers::clients_of_posthouse(&world, 20), 200 * seconds) };
    let (_, _) = world.run(&relay, Load { messages: 200, ..steady.clone() }).await?;
    let failed = |outcome: &Outcome| outcome.refused > 0 || !outcome.errors.is_empty();
    let (took, mut worst_alone, mut worst_beside) = (Arc::new(AtomicU64::new(0)), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (alone, cost) = world.run(&relay, steady.clone()).await?;
        row("no reload", &alone, &cost);
        let numbers = (round * seconds..round * seconds + seconds / 2 - 1).collect();
        let changing = reload_often(admin.clone(), world.directory.clone(), others[0].clone(), numbers, &took);
        let (beside, changed) = tokio::join!(world.run(&relay, steady.clone()), changing);
        let ((beside, cost), ()) = (beside?, changed?);
        row("a reload every two seconds", &beside, &cost);
        if failed(&alone) || failed(&beside) {
            relay.tell_refusals();
        }
        bars.holds("no message failed", !failed(&alone) && !failed(&beside));
        worst_alone.push(alone.percentile(1.0));
        worst_beside.push(beside.percentile(1.0));
    }
    let (alone, beside) = (median(worst_alone), median(worst_beside));
    say(&format!("  median of the slowest message's time: {alone:.1} ms with no reload, {beside:.1} ms with some"));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    let took = took.load(Ordering::SeqCst) as f64;
    say(&format!("  the longest took {took:.0} ms from the change to the generation that has it"));
    if extent == Extent::Full {
        bars.at_most("ms of the longest reload", took, 1000.0);
        bars.at_most("ms that the slowest message took longer than without", beside - alone, 20.0);
    }
    Ok(())
}

/// Changes a tenant's file once for each number, waiting for its generation each time; the longest wait in milliseconds.
async fn reload_often(
    admin: Admin,
    directory: std::path::PathBuf,
    (name, text): (String, String),
    numbers: Vec<u64>,
    longest: &AtomicU64,
) -> io::Result<()> {
    let file = directory.join("tenants").join(format!("{name}.toml"));
    for round in numbers {
        sleep(Duration::from_secs(2)).await;
        let before = number(&admin.get("/v1/status").await?, "generation").unwrap_or(0);
        let began = Instant::now();
        let login = format!("[[logins]]\nname = \"late-{round}\"\nsenders = [\"@late.example\"]\n");
        replace(&file, &format!("{login}{text}"))?;
        while number(&admin.get("/v1/status").await?, "generation").unwrap_or(0) == before {
            if began.elapsed() > Duration::from_secs(20) {
                return Err(io::Error::other("the change of a tenant's file is not noticed"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        longest.fetch_max(took, Ordering::SeqCst);
    }
    Ok(())
}
