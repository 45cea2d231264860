//! The scenarios with policies: what one costs, what a neighbour feels of one that loops, and a thousand of them.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use posthouse_relay::config::password;
use tokio::time::Instant;

use crate::bars::Bars;
use crate::burner::Burner;
use crate::client::Proof;
use crate::drive::{Load, Outcome, Sender};
use crate::machine::Evenness;
use crate::peers::{self, Peer};
use crate::report::{heading, median, row, say};
use crate::scenarios::{Extent, TARGET_PER_SECOND, load, measured, mib};
use crate::world::{Cost, World};

const CONNECTIONS: usize = 50;
/// What both tenants offer in a second; the relay alone could take ten times that.
const OFFERED: f64 = 400.0;
/// How often the two are measured, in turns: one p99 alone says more of what else the machine does.
const ROUNDS: usize = 5;

/// The lines of a tenant's file for a policy of this repository.
pub(crate) fn policy(file: &Path, settings: &str) -> String {
    format!("[policy]\nfile = \"{}\"\n[policy.settings]\n{settings}\n", file.display())
}

pub(crate) fn repository() -> io::Result<std::path::PathBuf> {
    std::env::current_dir()
}

/// The same relay without and with the reference policy in Rust, which reads fields and edits three.
pub(crate) async fn beside_native(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("routing alone and a policy in Rust, 50 connections, 1 KiB, closed loop");
    let world = World::new(CONNECTIONS, Duration::ZERO).await?;
    let messages = extent.messages(60_000);
    let hygiene = hygiene()?;
    let (mut rates, mut costs) = ([0.0; 2], [0.0; 2]);
    // Twice in turns, so that a machine that slows down slows down both.
    for _ in 0..2 {
        for (index, (name, policy)) in [("without a policy", ""), ("header-hygiene", &hygiene)].into_iter().enumerate()
        {
            let relay = peers::posthouse_with(&world, 1, "info", policy, &[]).await?;
            let senders = peers::clients_of_posthouse(&world, CONNECTIONS);
            let (outcome, cost) = measured(&world, &relay, load(&relay, senders, messages), bars).await?;
            row(name, &outcome, &cost);
            rates[index] += outcome.rate();
            costs[index] += cost.micros_per_message / 2.0;
        }
    }
    say(&format!("  a decision with its edits costs {:.1} us of CPU", costs[1] - costs[0]));
    if extent == Extent::Full {
        bars.at_least("throughput with a policy, of that without", rates[1] / rates[0], 0.90);
    }
    Ok(())
}

/// The same where the product is to work: the provider 20 ms away, and the load that was aimed at.
pub(crate) async fn at_the_target(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("the same at 50,000 messages a minute offered, open loop, 200 connections, the provider 20 ms away");
    let world = World::new(CONNECTIONS, Duration::from_millis(20)).await?;
    let messages = extent.messages(15_000);
    let hygiene = hygiene()?;
    let (mut rates, mut tails) = ([0.0; 2], [0.0; 2]);
    for _ in 0..2 {
        for (index, (name, policy)) in [("without a policy", ""), ("header-hygiene", &hygiene)].into_iter().enumerate()
        {
            let relay = peers::posthouse_with(&world, 4, "info", policy, &[]).await?;
            let senders = peers::clients_of_posthouse(&world, 200);
            let load = Load { offered: Some(TARGET_PER_SECOND), ..load(&relay, senders, messages) };
            let (outcome, cost) = measured(&world, &relay, load, bars).await?;
            row(name, &outcome, &cost);
            bars.holds("no error at the offered rate", outcome.refused == 0 && outcome.errors.is_empty());
            rates[index] += outcome.rate() / 2.0;
            tails[index] += outcome.percentile(0.95) / 2.0;
        }
    }
    say(&format!("  p95 with a policy {:.2} ms, without {:.2} ms", tails[1], tails[0]));
    if extent == Extent::Full {
        bars.at_least("throughput with a policy at the target load, of that without", rates[1] / rates[0], 0.90);
    }
    Ok(())
}

/// The lines of the reference policy in Rust, which reads fields and edits three.
fn hygiene() -> io::Result<String> {
    let settings =
        "remove = \"X-Load\"\n\"add.X-Relayed\" = \"yes\"\nlist-unsubscribe = \"<mailto:leave@load.example>\"";
    Ok(policy(&repository()?.join("plugins/prebuilt/header-hygiene.wasm"), settings))
}

/// A tenant alone, and beside one whose policy does harm to processors. The first mostly rests behind its breaker; the
/// second stays below all limits, so that only its share bounds it; the third below the tick that the share begins with.
pub(crate) async fn hostile_neighbour(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    let guests = repository()?.join("tests/guests/prebuilt");
    let spin = |thousands: u32| {
        policy(&guests.join("scripted.wasm"), &format!("message = \"spin {thousands}; reject 5.7.1 spun\""))
    };
    for (what, harm) in [
        ("loops at each message", policy(&guests.join("hostile.wasm"), "do = \"loop\"")),
        ("takes some 6 ms a message", spin(12_000)),
        ("takes some 0.8 ms a message", spin(1_600)),
    ] {
        heading(&format!("a tenant at 400 messages a second, alone and beside a policy that {what}, open loop, 1 KiB"));
        beside_harm(extent, bars, [&harm, &spin(0)]).await?;
    }
    Ok(())
}

/// Beside it: a tenant with this policy; and, to compare with, one that sends as much and whose policy does no harm, while
/// another program takes as much of the processors as the harm took. What that does to latencies no relay can help.
async fn beside_harm(extent: Extent, bars: &mut Bars, [harm, harmless]: [&str; 2]) -> io::Result<()> {
    let world = World::new(20, Duration::ZERO).await?;
    let hash = password::hash(b"load");
    let others = [peers::tenant("harmful", &hash, harm), peers::tenant("harmless", &hash, harmless)];
    let relay = peers::posthouse_with(&world, 4, "info", "", &others).await?;
    let ours = Load {
        offered: Some(OFFERED),
        ..load(&relay, peers::clients_of_posthouse(&world, 40), extent.messages(4_000))
    };
    let theirs = |name: &str| {
        let proof = Proof::Plain { login: name.to_owned(), password: "load".to_owned() };
        let sender = Sender { proof, address: format!("box@{name}.example") };
        Load { senders: vec![sender; 40], ..ours.clone() }
    };
    let (mut alone, mut beside, mut compared) = (Vec::new(), Vec::new(), Vec::new());
    let mut evenness = Evenness::default();
    for _ in 0..(if extent == Extent::Full { ROUNDS } else { 1 }) {
        if extent == Extent::Full {
            evenness.look();
        }
        let (outcome, by_itself) = measured(&world, &relay, ours.clone(), bars).await?;
        row("alone", &outcome, &by_itself);
        alone.push(outcome.percentile(0.99));
        let (outcome, cost) =
            with_neighbour(&world, &relay, [&ours, &theirs("harmful")], "beside the harm", bars).await?;
        beside.push(outcome.percentile(0.99));
        // Messages that are refused cost less than ours: that much less is burnt.
        let harm = cost.cpu.saturating_sub(2 * by_itself.cpu).as_secs_f64() / outcome.took.as_secs_f64();
        let burner = Burner::start(harm);
        let name = format!("beside none, {:.0} % of a core burnt", harm * 100.0);
        let (outcome, _) = with_neighbour(&world, &relay, [&ours, &theirs("harmless")], &name, bars).await?;
        drop(burner);
        compared.push(outcome.percentile(0.99));
    }
    let [alone, beside, compared] = [alone, beside, compared].map(median);
    say(&format!(
        "  medians of p99: {alone:.2} ms alone, {beside:.2} ms beside the harm, {compared:.2} ms beside none"
    ));
    if extent == Extent::Full {
        let (usual, last_hundredth) = evenness.millis();
        say(&format!("  the same work takes this machine {usual:.2} ms at p50 and {last_hundredth:.2} ms at p99"));
        if evenness.is_even() {
            bars.at_most("p99 beside it, of that alone", beside / alone, 1.2);
        } else {
            say(&format!("  --   p99 beside it, of that alone: {:.2} (no bar on such a machine)", beside / alone));
        }
        bars.at_most("p99 beside it, of that beside as much of another program", beside / compared, 1.2);
    }
    Ok(())
}

/// Our load beside one of which nothing is accepted.
async fn with_neighbour(
    world: &World,
    relay: &Peer,
    [ours, theirs]: [&Load; 2],
    name: &str,
    bars: &mut Bars,
) -> io::Result<(Outcome, Cost)> {
    world.forget();
    let ([outcome, other], cost) = world.run_both(relay, [ours.clone(), theirs.clone()]).await?;
    row(&format!("{name}, {} refused", other.refused), &outcome, &cost);
    bars.holds("no error for the tenant", outcome.refused == 0 && outcome.errors.is_empty());
    bars.holds("every 250 has one copy", world.has_each_once(outcome.accepted));
    bars.holds("nothing of the neighbour was accepted", other.accepted == 0 && other.errors.is_empty());
    Ok((outcome, cost))
}

/// A thousand tenants, each with a policy of its own octets, from a warm cache.
pub(crate) async fn many_tenants(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    let count = if extent == Extent::Full { 1_000 } else { 40 };
    heading(&format!("{count} tenants, each with a policy of its own"));
    let world = World::new(1, Duration::ZERO).await?;
    let original = std::fs::read(repository()?.join("plugins/prebuilt/header-hygiene.wasm"))?;
    let hash = password::hash(b"load");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for number in 0..count {
        let name = format!("t{number}");
        let file = world.directory.join(format!("{name}.wasm"));
        std::fs::write(&file, distinct(&original, number))?;
        with.push(peers::tenant(&name, &hash, &policy(&file, "remove = \"X-Load\"")));
        without.push(peers::tenant(&name, &hash, ""));
    }
    let (bare, bare_took) = started(&world, &without).await?;
    let (_, cold_took) = started(&world, &with).await?;
    let (rss, took) = started(&world, &with).await?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let each = rss.saturating_sub(bare) as f64 / f64::from(count);
    say(&format!("  without policies: {:.1} MiB, {bare_took:.2} s", mib(bare)));
    say(&format!("  with policies: {:.1} MiB, {took:.2} s; compiling them took {cold_took:.1} s", mib(rss)));
    if extent == Extent::Full {
        bars.at_most("seconds to load from a warm cache", took, 10.0);
        bars.at_most("RSS of a tenant's policy in KiB", each, 300.0);
    }
    Ok(())
}

/// Starts a relay with these tenants: its resident memory in KiB, and the seconds until it listened.
async fn started(world: &World, tenants: &[(String, String)]) -> io::Result<(u64, f64)> {
    let began = Instant::now();
    let relay = peers::posthouse_with(world, 1, "info", "", tenants).await?;
    let took = began.elapsed().as_secs_f64();
    Ok((relay.process.rss_kib(), took))
}

/// The same policy with a custom section that no other has.
pub(crate) fn distinct(module: &[u8], number: u32) -> Vec<u8> {
    let mut content = String::new();
    let _ = write!(content, "{number:08}");
    [module, &[0, 13, 4], b"load", content.as_bytes()].concat()
}
