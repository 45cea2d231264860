//! A process that writes to a store until it is killed: for `crashes`.
//!
//! It says `begin STEP NUMBER` before and `done STEP NUMBER` after each step. A second thread takes from a budget all the
//! while, so that folds meet takes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use posthouse_store::audit::Entry;
use posthouse_store::error::Error;
use posthouse_store::generations::{Stage, Upload};
use posthouse_store::keys::Keys;
use posthouse_store::refresh_tokens::Chain;
use posthouse_store::secret::Secret;
use posthouse_store::store::Store;

/// All of it happens in one second: nothing leaves the window.
const NOW: u64 = 1_700_000_000;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, keys, first] = arguments.as_slice() else { panic!("usage: store-writer DIRECTORY KEYS FIRST") };
    let first: u64 = first.parse().expect("a number");
    let store = step("open", first, || {
        Store::open(Path::new(directory), Keys::parse(keys.replace(',', "\n").as_bytes()).expect("keys"))
    })?;
    std::thread::scope(|scope| {
        scope.spawn(|| take(&store, first));
        // Lives begin with different steps: many are short.
        (first..).zip(first / 1_000_000..).try_for_each(|(number, part)| match part % 4 {
            0 => tokens(&store, number),
            1 => step("fold", number, || store.budgets().fold(NOW)).map(drop),
            2 => generations(&store),
            _ => step("audit", number, || store.audit().append(&[entry(number)])),
        })
    })
}

fn take(store: &Store, first: u64) {
    for number in first.. {
        let taken = match number % 5 {
            0 => step("give_back", number, || store.budgets().give_back("k", 1, NOW)),
            _ => step("take", number, || store.budgets().take("k", number % 7 + 1, NOW)),
        };
        taken.expect("the disk has place");
        std::thread::yield_now();
    }
}

fn tokens(store: &Store, number: u64) -> Result<(), Error> {
    let chain = Chain { tenant: "acme".to_owned(), account: "one".to_owned(), origin: "consent".to_owned() };
    step("reencrypt", number, || store.refresh_tokens().reencrypt())?;
    step("put", number, || store.refresh_tokens().put(&chain, &Secret::new(format!("token {number}"))))
}

fn generations(store: &Store) -> Result<(), Error> {
    let generations = store.generations();
    let all = generations.list("acme")?;
    let next = all.last().map_or(1, |last| last.number + 1);
    let octets = component(next);
    let added = step("append", next, || generations.append("acme", &octets, upload(), Stage::Uploaded))?;
    let mut stages = vec![(added.number, Stage::Active)];
    let active = all.iter().filter(|generation| generation.stage == Stage::Active);
    stages.extend(active.map(|before| (before.number, Stage::Retired)));
    step("promote", added.number, || generations.set_stages("acme", &stages, None))?;
    step("prune", added.number, || generations.prune("acme", 2, None)).map(drop)
}

/// Two generations in turn have the same component.
fn component(number: u64) -> Vec<u8> {
    (number / 2).to_be_bytes().repeat(3000)
}

fn upload() -> Upload {
    let (policy, version) = ("p".to_owned(), "1".to_owned());
    let (who, from, note) = ("w".to_owned(), "f".to_owned(), String::new());
    Upload { policy, version, settings: BTreeMap::new(), who, when: NOW, from, signer: None, note }
}

fn entry(number: u64) -> Entry {
    let (who, from, action) = ("w".to_owned(), "f".to_owned(), "a".to_owned());
    Entry { when: number, who, from, action, tenant: None, detail: String::new() }
}

fn step<T>(name: &str, number: u64, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    say(&format!("begin {name} {number}\n"));
    let done = act()?;
    say(&format!("done {name} {number}\n"));
    Ok(done)
}

/// In one piece, without a buffer.
fn say(line: &str) {
    std::io::stdout().lock().write_all(line.as_bytes()).expect("the test listens");
    std::io::stdout().flush().expect("the test listens");
}
