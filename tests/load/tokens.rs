//! Many accounts whose tokens end all the time: whether a message ever waits for one.

use std::io;
use std::time::Duration;

use posthouse_simulator::provider::Provider;

use crate::admin::Admin;
use crate::bars::Bars;
use crate::drive::Load;
use crate::peers::{self, Surroundings};
use crate::report::{heading, row, say};
use crate::scenarios::{Extent, load};
use crate::world::World;

/// How long tokens last, how long before that their sessions end, and how long mail flows. (Sessions would last for half an
/// hour by themselves.)
struct Lives {
    token: Duration,
    margin: Duration,
    run: Duration,
}

/// Tokens of ten minutes at seven times the pace: 32 renewals a second, of the 100 that an endpoint gets.
const QUICK: Lives =
    Lives { token: Duration::from_secs(90), margin: Duration::from_secs(9), run: Duration::from_secs(150) };
/// Tokens of ten minutes, at their own pace.
const AS_THEY_ARE: Lives =
    Lives { token: Duration::from_mins(10), margin: Duration::from_mins(1), run: Duration::from_mins(16) };
/// For a look at whether it works, too short to see a renewal: tokens that end sooner are none to the relay.
const SHORT: Lives =
    Lives { token: Duration::from_secs(90), margin: Duration::from_secs(9), run: Duration::from_secs(10) };

/// Steady mail over many accounts; each one's tokens are renewed several times while it flows.
pub(crate) async fn steady(extent: Extent, as_they_are: bool, bars: &mut Bars) -> io::Result<()> {
    let (lives, accounts, rate) = match (extent, as_they_are) {
        (Extent::Short, _) => (SHORT, 100, 50.0),
        (Extent::Full, false) => (QUICK, 2_000, 400.0),
        (Extent::Full, true) => (AS_THEY_ARE, 2_000, 100.0),
    };
    let Lives { token, margin, run } = lives;
    heading(&format!("{accounts} accounts whose tokens last {} s, open loop, 1 KiB", token.as_secs()));
    let world = World::new(accounts, Duration::ZERO).await?;
    world.simulator.set_token_lifetime(Provider::Gmail, token);
    let of_accounts = format!("token_margin = \"{} s\"\n", margin.as_secs());
    let around = Surroundings { of_accounts: &of_accounts, has_admin: true, ..Surroundings::default() };
    let relay = peers::posthouse_in(&world, 1, "warn", &around, &[]).await?;
    let admin = Admin::of(&relay)?;
    let senders = peers::clients_of_posthouse(&world, accounts);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of messages")]
    let messages = |run: Duration| (rate * run.as_secs_f64()) as u64;
    // Each account's first message has to ask for a token.
    let first = Load { offered: Some(rate), ..load(&relay, senders.clone(), accounts as u64 * 2) };
    let (_, _) = world.run(&relay, first).await?;
    let before = (asked(&world), waits(&admin).await?);
    let steady = Load { offered: Some(rate), ..load(&relay, senders, messages(run)) };
    let (outcome, cost) = world.run(&relay, steady).await?;
    row("Posthouse", &outcome, &cost);
    let (requests, waited) = (asked(&world) - before.0, waits(&admin).await? - before.1);
    say(&format!("  {requests} tokens were asked for meanwhile; {waited} logins waited for one"));
    bars.holds("no error", outcome.refused == 0 && outcome.errors.is_empty());
    if extent == Extent::Full {
        bars.holds("each account's token was renewed", requests >= accounts as u64);
    }
    bars.holds("no message waited for a token", waited == 0);
    Ok(())
}

fn asked(world: &World) -> u64 {
    world.simulator.ledger().counters(Provider::Gmail).token_requests
}

/// Logins that had no token at hand, so far.
async fn waits(admin: &Admin) -> io::Result<u64> {
    let metrics = admin.get("/metrics").await?;
    let count = metrics.lines().find_map(|line| line.strip_prefix("posthouse_token_wait_seconds_count "));
    count.and_then(|count| count.parse().ok()).ok_or_else(|| io::Error::other("no posthouse_token_wait_seconds"))
}
