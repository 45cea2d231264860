//! One engine and one code cache for all harms; a tenant of its own for each; and what must hold after every one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::cache::Cache;
use posthouse_policy::call::{Report, Settings};
use posthouse_policy::compile::Compiler;
use posthouse_policy::decided::{Decided, Next, Verdict};
use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::failure::{Failure, LoadError};
use posthouse_policy::limits::{self, Limits};
use posthouse_policy::policy::{Policy, Terms};
use posthouse_policy::tenant::TenantMemory;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::realm::{attempt, inquiry, mail};

pub(crate) const HOSTILE: &[u8] = include_bytes!("../../../../tests/guests/prebuilt/hostile.wasm");
pub(crate) const FORGER: &[u8] = include_bytes!("../../../../tests/guests/prebuilt/forger.wasm");

/// What a call's own limit of time is exceeded by at most, on a machine that is busy with other tests.
const GRACE: Duration = Duration::from_secs(2);

/// What harms are done to.
pub(crate) struct Grounds {
    pub(crate) engine: Arc<Engine>,
    pub(crate) compiler: Compiler,
}

/// How a call ended, and what it left.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) end: String,
    pub(crate) lines: Vec<String>,
    pub(crate) tenant: Arc<TenantMemory>,
    pub(crate) decided: Option<Decided>,
}

/// The usual limits, but for the clock: other tests run at the same time, and a call that waits for them is to end by
/// its own doing.
pub(crate) fn usual() -> Limits {
    Limits { time: limits::TIME_MOST, ..Limits::default() }
}

/// Limits for harms that end by their number, on any machine.
pub(crate) fn patient() -> Limits {
    Limits { cpu: limits::CPU_MOST, time: limits::TIME_MOST, share: limits::SHARE_MOST, ..Limits::default() }
}

impl Grounds {
    /// The same for all tests: each guest is compiled once.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Grounds> = OnceCell::const_new();
        SHARED.get_or_init(Self::prepare).await
    }

    async fn prepare() -> Self {
        let state = std::env::temp_dir().join(format!("posthouse-hostile-{}", std::process::id()));
        std::fs::create_dir_all(&state).expect("the temporary directory can be written");
        let cache = Cache::open(&state).expect("a new directory takes a cache");
        let compiler = Compiler::new(PathBuf::from(env!("CARGO_BIN_EXE_compile-worker")), Some(cache));
        let engine = Engine::new(Mode::Fast, limits::MEMORY_MOST).expect("the machine has room for an engine");
        let grounds = Self { engine, compiler };
        for guest in [HOSTILE, FORGER] {
            grounds.load(guest, terms(&[], usual())).await.expect("a guest that does nothing is taken");
        }
        grounds
    }

    pub(crate) async fn load(&self, file: &[u8], terms: Terms) -> Result<Policy, LoadError> {
        Policy::load(&self.engine, &self.compiler, file, terms, inquiry()).await
    }

    /// Does one harm in one place, and checks what must hold whatever it was.
    pub(crate) async fn suffer(&self, guest: &[u8], place: &str, settings: &[(&str, &str)], limits: Limits) -> Seen {
        let terms = terms(&[settings, &[("where", place)]].concat(), limits);
        let tenant = Arc::clone(&terms.tenant);
        let began = Instant::now();
        let seen = match self.load(guest, terms).await {
            Err(error) => Seen { end: not_loaded(&error), lines: Vec::new(), tenant, decided: None },
            Ok(policy) => ask(&policy, place).await,
        };
        let named = format!("{settings:?} at {place}");
        let took = began.elapsed();
        assert!(took <= limits.time + GRACE, "{named} took {took:?}");
        assert!(seen.tenant.counters.counts().len() <= limits::COUNTERS, "{named}");
        assert!(seen.tenant.key_value.bytes() <= limits::KEY_VALUE, "{named}");
        self.neighbour_is_well(&named).await;
        seen
    }

    /// A policy of another tenant, on the same engine.
    pub(crate) async fn neighbour_is_well(&self, after: &str) {
        let policy = self.load(HOSTILE, terms(&[], usual())).await.unwrap_or_else(|error| panic!("{after}: {error}"));
        let seen = ask(&policy, "message").await;
        assert_eq!(seen.end, "proceed", "a neighbour, after {after}");
    }

    /// Does all harms of a table in these places, and says at once all that ended in another way.
    pub(crate) async fn table(&self, guest: &[u8], places: &[&str], limits: Limits, table: &[(&str, &str)]) {
        let mut wrong = Vec::new();
        for place in places {
            for (harm, expected) in table {
                let seen = self.suffer(guest, place, &[("do", *harm)], limits).await;
                if !expected.split('|').any(|expected| seen.end == expected_at(place, expected)) {
                    wrong.push(format!("{harm} at {place}: expected {expected}, not {}", seen.end));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// What is expected of a message is expected elsewhere as well, in that place's words.
fn expected_at(place: &str, expected: &str) -> String {
    match (place, expected) {
        ("outcome", "proceed") => "done".to_owned(),
        ("describe" | "settings", "proceed") => "loaded".to_owned(),
        ("describe" | "settings", failure) if !failure.contains(':') => format!("undescribed: {failure}"),
        _ => expected.to_owned(),
    }
}

pub(crate) fn terms(settings: &[(&str, &str)], limits: Limits) -> Terms {
    let settings: BTreeMap<String, String> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Terms { limits, settings: Settings::new(settings), tenant: TenantMemory::new() }
}

/// Asks the hook of this place; elsewhere the harm was done by loading.
pub(crate) async fn ask(policy: &Policy, place: &str) -> Seen {
    match place {
        "recipient" => seen(policy, policy.recipient(inquiry(), "ann@example.org".to_owned()).await, |verdict| {
            (verdict_text(&verdict), None)
        }),
        "message" => {
            let (report, mail_back) = policy.message(inquiry(), mail()).await;
            assert_eq!(mail_back.content, mail().content, "the message is given back as it was");
            seen(policy, report, |decided| (verdict_text(&decided.verdict), Some(decided)))
        }
        "outcome" => seen(policy, policy.outcome(inquiry(), attempt()).await, |next| match next {
            Next::Done => ("done".to_owned(), None),
            Next::NextAccount => ("next-account".to_owned(), None),
        }),
        _ => {
            let tenant = Arc::clone(&policy.terms().tenant);
            Seen { end: "loaded".to_owned(), lines: Vec::new(), tenant, decided: None }
        }
    }
}

fn seen<T>(policy: &Policy, report: Report<T>, end: impl FnOnce(T) -> (String, Option<Decided>)) -> Seen {
    let terms = policy.terms();
    assert!(report.cost.memory <= terms.limits.memory, "{} octets of memory", report.cost.memory);
    let lines: Vec<String> = report.lines.iter().map(|line| line.text.clone()).collect();
    assert!(lines.len() <= limits::LOG_LINES, "{} lines", lines.len());
    // An octet is written as an escape of ten at most.
    assert!(lines.iter().map(String::len).sum::<usize>() <= 10 * limits::LOG_BYTES, "the lines are short");
    let is_clean = |text: &str| !text.chars().any(|character| character.is_control() || character == '\u{202e}');
    assert!(lines.iter().all(|line| is_clean(line)), "{lines:?}");
    let (end, decided) = match report.result {
        Ok(answer) => end(answer),
        Err(failure) => {
            assert!(is_clean(&failure.to_string()) && failure.to_string().len() <= 1000, "{failure}");
            (ended(&failure), None)
        }
    };
    Seen { end, lines, tenant: Arc::clone(&terms.tenant), decided }
}

fn ended(failure: &Failure) -> String {
    failure.reason().to_owned()
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proceed => "proceed".to_owned(),
        Verdict::Reject(reply) => format!("reject {}", reply.text),
        Verdict::Defer(reply) => format!("defer {}", reply.text),
    }
}

/// Why a policy is not loaded, in a word, and what it says of that.
pub(crate) fn not_loaded(error: &LoadError) -> String {
    let text = error.to_string();
    assert!(text.len() <= 8 * 1024 && !text.chars().any(char::is_control), "{text:?}");
    match error {
        LoadError::Unfit(_) => "unfit:".to_owned(),
        LoadError::Uncompilable(_) => "uncompilable:".to_owned(),
        LoadError::Undescribed(failure) => format!("undescribed: {}", failure.reason()),
        LoadError::Description(_) => "description:".to_owned(),
        LoadError::Settings(_) => "settings:".to_owned(),
        LoadError::Worker { .. } | LoadError::Cache { .. } | LoadError::Engine(_) => panic!("{error}"),
    }
}
