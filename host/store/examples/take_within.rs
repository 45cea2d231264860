//! What taking from a budget costs: `cargo run --release -p posthouse-store --example take_within`.

use std::time::{Duration, Instant};

use posthouse_store::error::Error;
use posthouse_store::keys::Keys;
use posthouse_store::store::Store;

const TAKES: u32 = 200_000;

#[expect(clippy::print_stdout, reason = "it is there to say something")]
fn main() -> Result<(), Error> {
    let directory = std::env::temp_dir().join(format!("posthouse-take-within-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
    let store = Store::open(&directory, Keys::generate()?.0)?;
    let keys: Vec<String> = (0..1000).map(|account| format!("tenant/account-{account}")).collect();
    // A day of buckets in each window, as with accounts that send all the time.
    for (key, bucket) in keys.iter().flat_map(|key| (0..144).map(move |bucket| (key, bucket))) {
        store.budgets().take(key, 1, 1_700_000_000 + bucket * 600)?;
    }
    let now = 1_700_000_000 + 144 * 600;
    store.budgets().fold(now)?;
    let mut took = Vec::new();
    let began = Instant::now();
    for key in keys.iter().cycle().take(TAKES as usize) {
        let at = Instant::now();
        store.budgets().take_within(key, 3, 1_000_000, now).expect("there is place");
        took.push(at.elapsed());
    }
    let all = began.elapsed();
    took.sort_unstable();
    let part = |of: usize| took[took.len() * of / 1000];
    println!(
        "take_within: {:?} a take over {TAKES}; p50 {:?}, p99 {:?}, p99.9 {:?}",
        all / TAKES,
        part(500),
        part(990),
        part(999)
    );
    let (full, _) = timed(|| store.budgets().take_within(&keys[0], 1_000_000, 1_000_000, now));
    let (fold, counts) = timed(|| store.budgets().fold(now));
    let (sync, _) = timed(|| store.budgets().sync());
    println!("refused: {full:?}; fold of {} counts: {fold:?}; sync: {sync:?}", counts?);
    drop(store);
    let (open, _) = timed(|| Store::open(&directory, Keys::generate().map(|(keys, _)| keys)?));
    println!("open: {open:?}");
    let _gone = std::fs::remove_dir_all(&directory);
    Ok(())
}

fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = act();
    (began.elapsed(), done)
}
