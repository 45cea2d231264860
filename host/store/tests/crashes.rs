//! A process is killed while it writes, again and again, and what it has said to be done is looked for.
//!
//! `POSTHOUSE_STORE_KILLS` says how often; 200 take some 15 s.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use posthouse_store::digest::Digest;
use posthouse_store::error::Error;
use posthouse_store::generations::Stage;
use posthouse_store::keys::Keys;
use posthouse_store::refresh_tokens::Chain;
use posthouse_store::store::Store;

const NOW: u64 = 1_700_000_000;
/// Lives of one directory; then the next one begins anew, so that making a store is cut off as well.
const LIVES: u64 = 20;

/// What one life has said.
#[derive(Default)]
struct Heard {
    done: BTreeMap<String, u64>,
    begun: BTreeMap<String, u64>,
    taken: i64,
    /// What was begun and not done when it died.
    cut_off: BTreeMap<String, u64>,
}

/// What has to be there.
#[derive(Default)]
struct Expected {
    token: u64,
    used: i64,
    generation: u64,
    promoted: u64,
    audited: u64,
}

#[test]
#[expect(clippy::print_stdout, reason = "what was cut off is worth seeing")]
fn nothing_that_was_said_to_be_done_is_lost_by_a_kill() {
    let kills = std::env::var("POSTHOUSE_STORE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(200_u64);
    let (mut random, mut cut_off) = (Random(0x9e37_79b9_7f4a_7c15), BTreeMap::<String, u64>::new());
    for from in (0..kills).step_by(usize::try_from(LIVES).expect("it is small")) {
        let (directory, mut expected) = (Directory::new(from), Expected::default());
        for life in from..kills.min(from + LIVES) {
            let heard = live(&directory.0, life, &mut random);
            heard.cut_off.keys().for_each(|step| *cut_off.entry(step.clone()).or_default() += 1);
            check(&directory.0, &heard, &mut expected, life);
        }
    }
    println!("{kills} kills; under way were {cut_off:?}");
    assert!(cut_off.len() > 5, "the kills come too early or too late: {cut_off:?}");
}

/// One life: from a start to a kill, after some lines or some time.
fn live(directory: &Path, life: u64, random: &mut Random) -> Heard {
    // Each life writes under another key, and so has something to seal anew.
    let keys = if life.is_multiple_of(2) { ["31", "32"] } else { ["32", "31"] }.map(|octet| octet.repeat(32)).join(",");
    let first = (life * 1_000_000 + 1).to_string();
    let mut writer = Command::new(env!("CARGO_BIN_EXE_store-writer"))
        .args([directory.as_os_str(), keys.as_ref(), first.as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let mut lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
    let mut heard = Heard::default();
    let mut hear = |line: Option<std::io::Result<String>>| line.is_some_and(|line| heard.hear(&line.expect("text")));
    match random.below(4) {
        0 => std::thread::sleep(Duration::from_micros(random.below(12_000))),
        1 => {
            let enough = random.below(400);
            for _ in 0..enough {
                hear(lines.next());
            }
        }
        _ => {
            let end = Instant::now() + Duration::from_micros(random.below(90_000));
            while Instant::now() < end && hear(lines.next()) {}
        }
    }
    writer.kill().expect("it lives");
    while hear(lines.next()) {}
    let status = writer.wait().expect("it has ended");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9),
        "life {life} ended by itself: {status}"
    );
    heard.cut_off = heard.begun.clone();
    heard
}

impl Heard {
    /// Whether the line was a whole one.
    fn hear(&mut self, line: &str) -> bool {
        let parts: Vec<&str> = line.split(' ').collect();
        let [what, step, number] = parts.as_slice() else { return false };
        let number = number.parse().expect("a number");
        if *what == "begin" {
            self.begun.insert((*step).to_owned(), number);
        } else {
            self.begun.remove(*step);
            self.done.insert((*step).to_owned(), number);
            self.taken += change(step, number);
        }
        true
    }

    fn done(&self, step: &str) -> Option<u64> {
        self.done.get(step).copied()
    }

    /// Whether this is what was done last, or was under way.
    fn allows(&self, step: &str, before: u64, found: u64) -> bool {
        found == self.done(step).unwrap_or(before) || self.cut_off.get(step) == Some(&found)
    }
}

/// What a step does to the budget.
fn change(step: &str, number: u64) -> i64 {
    match step {
        "take" => i64::try_from(number % 7 + 1).expect("it is small"),
        "give_back" => -1,
        _ => 0,
    }
}

fn check(directory: &Path, heard: &Heard, expected: &mut Expected, life: u64) {
    if !Store::exists(directory) {
        assert!(heard.done("open").is_none(), "life {life}: the store was open and is gone");
        return;
    }
    let keys = Keys::parse(format!("{}\n{}", "31".repeat(32), "32".repeat(32)).as_bytes()).expect("keys");
    let store = Store::open(directory, keys).unwrap_or_else(|error| panic!("life {life}: {error}"));
    check_token(&store, heard, expected, life);
    check_budget(&store, heard, expected, life);
    check_generations(&store, heard, expected, life);
    let audited = store.audit().list(1, None).expect("it reads").first().map_or(0, |entry| entry.when);
    assert!(heard.allows("audit", expected.audited, audited), "life {life}: audit {audited}");
    expected.audited = audited;
}

fn check_token(store: &Store, heard: &Heard, expected: &mut Expected, life: u64) {
    let chain = Chain { tenant: "acme".to_owned(), account: "one".to_owned(), origin: "consent".to_owned() };
    let token = store.refresh_tokens().get(&chain).unwrap_or_else(|error| panic!("life {life}: {error}"));
    let token = token.map_or(0, |token| token.expose().strip_prefix("token ").expect("whole").parse().expect("whole"));
    assert!(heard.allows("put", expected.token, token), "life {life}: token {token} after {:?}", heard.done);
    expected.token = token;
}

fn check_budget(store: &Store, heard: &Heard, expected: &mut Expected, life: u64) {
    let used = i64::try_from(store.budgets().used_by("k", NOW)).expect("it is small");
    let said = expected.used + heard.taken;
    let one_more: i64 = heard.cut_off.iter().map(|(step, number)| change(step, *number)).sum();
    assert!(
        used == said || used == said + one_more,
        "life {life}: {used} are counted, {said} were taken, {one_more} under way, {:?}",
        heard.cut_off
    );
    assert_eq!(store.budgets().torn(), 0, "life {life}: a kill tears no write");
    expected.used = used;
}

fn check_generations(store: &Store, heard: &Heard, expected: &mut Expected, life: u64) {
    let generations = store.generations().list("acme").expect("they read");
    let newest = generations.last().map_or(0, |generation| generation.number);
    assert!(heard.allows("append", expected.generation, newest), "life {life}: generation {newest}");
    let active: Vec<u64> = generations.iter().filter(|one| one.stage == Stage::Active).map(|one| one.number).collect();
    assert!(active.len() <= 1, "life {life}: {active:?} are active");
    let promoted = active.first().copied().unwrap_or(0);
    assert!(heard.allows("promote", expected.promoted, promoted), "life {life}: {promoted} is active");
    (expected.generation, expected.promoted) = (newest, promoted);
    for number in 1..=newest {
        let octets = (number / 2).to_be_bytes().repeat(3000);
        let is_named = generations.iter().any(|one| one.digest == Digest::of(&octets));
        match store.generations().component(&Digest::of(&octets)) {
            Ok(found) => assert!(is_named && found == octets, "life {life}: component {number} was left behind"),
            Err(Error::NoComponent { .. }) => assert!(!is_named, "life {life}: component {number} is gone"),
            Err(error) => panic!("life {life}: {error}"),
        }
    }
}

struct Directory(PathBuf);

impl Directory {
    fn new(life: u64) -> Self {
        let path = std::env::temp_dir().join(format!("posthouse-crashes-{}-{life}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// xorshift64: the same kills each time, as far as the machine lets them.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
