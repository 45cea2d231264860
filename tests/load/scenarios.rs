//! The scenarios, each with its bars.

use std::io;
use std::time::Duration;

use crate::bars::Bars;
use crate::changes;
use crate::client::Manner;
use crate::drive::{Load, Outcome, Sender};
use crate::peers::{self, Peer};
use crate::policies;
use crate::report::{heading, row, say};
use crate::tokens;
use crate::world::{Cost, World};

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Enough to see that it works.
    Short,
    /// Enough to measure.
    Full,
}

impl Extent {
    pub(crate) fn messages(self, full: u64) -> u64 {
        if self == Self::Full { full } else { full / 20 }
    }
}

/// Lasting connections of the comparisons.
const CONNECTIONS: usize = 50;
/// The rate that the work to be beaten aimed at.
pub(crate) const TARGET_PER_SECOND: f64 = 50_000.0 / 60.0;

/// Runs those that are asked for, or all; whether all bars were cleared.
pub(crate) async fn all(extent: Extent, only: &[String]) -> io::Result<bool> {
    let mut bars = Bars::default();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|asked| asked == name);
    if wanted("beside") {
        beside_haproxy(extent, &mut bars).await?;
    }
    if wanted("latency") {
        provider_away(extent, &mut bars).await?;
    }
    if wanted("offered") {
        offered(extent, &mut bars).await?;
    }
    if wanted("kinds") {
        kinds(extent, &mut bars).await?;
    }
    if wanted("accounts") {
        many_accounts(extent, &mut bars).await?;
    }
    if wanted("tokens") {
        tokens::steady(extent, false, &mut bars).await?;
    }
    // It takes twenty minutes, and so has to be asked for.
    if only.iter().any(|asked| asked == "tokens-as-they-are") {
        tokens::steady(extent, true, &mut bars).await?;
    }
    if wanted("large") {
        large(&mut bars).await?;
    }
    if wanted("policy") {
        policies::beside_native(extent, &mut bars).await?;
        policies::at_the_target(extent, &mut bars).await?;
    }
    if wanted("neighbour") {
        policies::hostile_neighbour(extent, &mut bars).await?;
    }
    if wanted("tenants") {
        policies::many_tenants(extent, &mut bars).await?;
    }
    if wanted("swaps") {
        changes::swaps(extent, &mut bars).await?;
    }
    if wanted("many-swaps") {
        changes::many_swaps(extent, &mut bars).await?;
    }
    if wanted("publish") {
        changes::publish(extent, &mut bars).await?;
    }
    Ok(bars.all_cleared())
}

pub(crate) fn load(peer: &Peer, senders: Vec<Sender>, messages: u64) -> Load {
    let (target, size, manner) = (peer.address, 1024, Manner::Lockstep);
    Load { target, senders, size, manner, reconnect: false, messages, offered: None }
}

/// Warm-up, then the measured run; the account is taken over both.
pub(crate) async fn measured(world: &World, peer: &Peer, load: Load, bars: &mut Bars) -> io::Result<(Outcome, Cost)> {
    world.forget();
    let warm = Load { messages: (load.messages / 20).max(load.senders.len() as u64), offered: None, ..load.clone() };
    let (warmed, _) = world.run(peer, warm).await?;
    let (outcome, cost) = world.run(peer, load).await?;
    let accepted = warmed.accepted + outcome.accepted;
    let told = warmed.refused + outcome.refused == 0 && warmed.errors.is_empty() && outcome.errors.is_empty();
    if !(told && world.has_each_once(accepted)) {
        peer.tell_refusals();
        bars.holds(&format!("every 250 has one copy, and nothing was refused ({accepted} accepted)"), false);
    }
    Ok((outcome, cost))
}

async fn beside_haproxy(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("50 lasting connections, 1 KiB, closed loop, provider over TLS");
    let world = World::new(CONNECTIONS, Duration::ZERO).await?;
    let messages = extent.messages(60_000);
    let logging = peers::posthouse(&world, 1, "info").await?;
    let senders = peers::clients_of_posthouse(&world, CONNECTIONS);
    let logged = measured(&world, &logging, load(&logging, senders, messages), bars).await?;
    row("Posthouse, a log line a message", &logged.0, &logged.1);
    drop(logging);
    // HAProxy's log is off; like is compared with like.
    let relay = peers::posthouse(&world, 1, "warn").await?;
    let senders = peers::clients_of_posthouse(&world, CONNECTIONS);
    let ours = measured(&world, &relay, load(&relay, senders.clone(), messages), bars).await?;
    row("Posthouse", &ours.0, &ours.1);
    let pipelined = Load { manner: Manner::Pipelined, ..load(&relay, senders, messages) };
    let quick = measured(&world, &relay, pipelined, bars).await?;
    row("Posthouse, client pipelines", &quick.0, &quick.1);
    drop(relay);
    let Some(haproxy) = peers::haproxy(&world).await? else {
        say("  skipped: haproxy is not installed (apt-get install haproxy)");
        return Ok(());
    };
    let senders = peers::clients_of_haproxy(&world, CONNECTIONS).await?;
    let theirs = measured(&world, &haproxy, load(&haproxy, senders, messages), bars).await?;
    row("HAProxy pass-through", &theirs.0, &theirs.1);
    if extent == Extent::Full {
        bars.at_most("CPU per message, of HAProxy's", ours.1.micros_per_message / theirs.1.micros_per_message, 0.75);
        bars.at_least("throughput, of HAProxy's", ours.0.rate() / theirs.0.rate(), 1.3);
        bars.at_most("peak RSS in MiB", mib(quick.1.peak_rss_kib.max(ours.1.peak_rss_kib)), 64.0);
    }
    Ok(())
}

async fn provider_away(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("the provider 20 ms away for each reply, 50 connections, 1 KiB");
    let world = World::new(CONNECTIONS, Duration::from_millis(20)).await?;
    let messages = extent.messages(20_000);
    let relay = peers::posthouse(&world, 1, "info").await?;
    let senders = peers::clients_of_posthouse(&world, CONNECTIONS);
    let ours = measured(&world, &relay, load(&relay, senders, messages), bars).await?;
    row("Posthouse", &ours.0, &ours.1);
    drop(relay);
    if let Some(haproxy) = peers::haproxy(&world).await? {
        let senders = peers::clients_of_haproxy(&world, CONNECTIONS).await?;
        let theirs = measured(&world, &haproxy, load(&haproxy, senders, messages), bars).await?;
        row("HAProxy pass-through", &theirs.0, &theirs.1);
    }
    if extent == Extent::Full {
        bars.at_most("p50 in ms: one round trip to the provider", ours.0.percentile(0.5), 35.0);
    }
    Ok(())
}

async fn offered(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("50,000 messages a minute offered, open loop, 200 connections, 1 KiB");
    let world = World::new(CONNECTIONS, Duration::ZERO).await?;
    let relay = peers::posthouse(&world, 4, "info").await?;
    let senders = peers::clients_of_posthouse(&world, 200);
    let messages = extent.messages(25_000);
    let load = Load { offered: Some(TARGET_PER_SECOND), ..load(&relay, senders, messages) };
    let (outcome, cost) = measured(&world, &relay, load, bars).await?;
    row("Posthouse", &outcome, &cost);
    bars.holds("no error at the offered rate", outcome.refused == 0 && outcome.errors.is_empty());
    if extent == Extent::Full {
        bars.at_most("p95 of the added latency in ms (the provider answers at once)", outcome.percentile(0.95), 5.0);
        bars.at_most("peak RSS in MiB", mib(cost.peak_rss_kib), 64.0);
    }
    Ok(())
}

async fn kinds(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    heading("sizes and manners, 20 connections");
    let world = World::new(20, Duration::ZERO).await?;
    let relay = peers::posthouse(&world, 1, "info").await?;
    let senders = peers::clients_of_posthouse(&world, 20);
    for (name, size, messages) in [("16 KiB", 16, 10_000), ("128 KiB", 128, 3_000), ("1 MiB, flows through", 1024, 600)]
    {
        let load = Load { size: size * 1024, ..load(&relay, senders.clone(), extent.messages(messages)) };
        let (outcome, cost) = measured(&world, &relay, load, bars).await?;
        row(name, &outcome, &cost);
    }
    let load = Load { reconnect: true, ..load(&relay, senders, extent.messages(10_000)) };
    let (outcome, cost) = measured(&world, &relay, load, bars).await?;
    row("1 KiB, one message a connection", &outcome, &cost);
    Ok(())
}

async fn many_accounts(extent: Extent, bars: &mut Bars) -> io::Result<()> {
    let accounts = if extent == Extent::Full { 2_000 } else { 100 };
    heading(&format!("{accounts} accounts in use, a session each, 1 KiB"));
    let world = World::new(accounts, Duration::ZERO).await?;
    let relay = peers::posthouse(&world, 3, "info").await?;
    let idle = mib(relay.process.rss_kib());
    let senders = peers::clients_of_posthouse(&world, accounts);
    let (outcome, cost) = measured(&world, &relay, load(&relay, senders, extent.messages(40_000)), bars).await?;
    row("Posthouse", &outcome, &cost);
    say(&format!("  before the first message: {idle:.1} MiB"));
    if extent == Extent::Full {
        bars.at_most("peak RSS in MiB, with as many client connections", mib(cost.peak_rss_kib), 100.0);
    }
    Ok(())
}

/// One message of 150 MB: it flows through.
async fn large(bars: &mut Bars) -> io::Result<()> {
    heading("one message of 150 MB");
    let world = World::new(1, Duration::ZERO).await?;
    let relay = peers::posthouse(&world, 1, "info").await?;
    let senders = peers::clients_of_posthouse(&world, 1);
    let (_, before) = measured(&world, &relay, load(&relay, senders.clone(), 20), bars).await?;
    let load = Load { size: 150_000_000, ..load(&relay, senders, 1) };
    let (outcome, cost) = world.run(&relay, load).await?;
    row("Posthouse", &outcome, &cost);
    bars.holds("it was accepted", outcome.accepted == 1);
    bars.at_most("rise of the peak RSS in MiB", mib(cost.peak_rss_kib.saturating_sub(before.peak_rss_kib)), 8.0);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
