//! What is left of tenants that are gone, and the threads that policies are on.

use std::sync::Arc;

use posthouse_policy::key_value::{Entry, Value};
use posthouse_store::keys::Keys;
use posthouse_store::store::Store;
use rustix::process::{Pid, getpriority_process};
use tokio::time::{Duration, Instant};

use super::Policies;
use crate::aside::Aside;
use crate::config::from_toml;
use crate::generations::archive::Archive;

const MAIN: &str =
    "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"none\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n";

fn policies(archive: Archive) -> Policies {
    let tenant = "[[logins]]\nname = \"nobody\"\nsenders = [\"@nobody.example\"]\n";
    let loaded = from_toml(MAIN, &[("nobody", tenant)]);
    Policies::open(loaded.config.as_ref().unwrap(), archive).unwrap()
}

#[tokio::test]
async fn nothing_of_a_deleted_tenant_stays_in_memory_and_what_was_kept_comes_back_with_it() {
    let directory = std::env::temp_dir().join(format!("posthouse-policies-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let store = Arc::new(Store::open(&directory, Keys::parse(&[7; 32]).unwrap()).unwrap());
    let policies = policies(Archive::of(Arc::clone(&store)));
    let entry = |key: &str| Entry { key: key.to_owned(), value: Value::Number(3), left: Duration::from_secs(600) };
    for tenant in ["acme", "globex"] {
        policies.memory_of(tenant).await.key_value.restore(vec![entry(tenant)], Instant::now());
    }
    policies.forget_all_but(|tenant| tenant == "acme").await;
    assert_eq!(policies.memories().keys().collect::<Vec<_>>(), ["acme"]);
    let keys = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    let back = policies.memory_of("globex").await;
    assert_eq!(keys(back.key_value.entries(Instant::now())), ["globex"]);
    assert!(Arc::ptr_eq(&back, &policies.memory_of("globex").await));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn threads_of_the_engine_have_mails_priority_whoever_loads_the_first_policy() {
    let policies = Arc::new(policies(Archive::default()));
    let aside = Aside::new().unwrap();
    let engine = aside.spawn(async move { policies.new_engine().await }).await.unwrap().unwrap();
    // A thread names itself once it runs.
    let until = Instant::now() + Duration::from_secs(20);
    let mut priorities = ticker_priorities();
    while priorities.is_empty() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
        priorities = ticker_priorities();
    }
    assert!(!priorities.is_empty() && priorities.iter().all(|priority| *priority == 0), "{priorities:?} of {engine:?}");
}

/// The niceness of each thread that moves an engine's epoch on.
fn ticker_priorities() -> Vec<i32> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let priority = |path: std::path::PathBuf| {
        // Threads of other tests end meanwhile. The system keeps fifteen octets of a name.
        let name = std::fs::read_to_string(path.join("comm")).ok().filter(|name| name.trim() == "posthouse-ticke");
        let thread = name.and_then(|_| path.file_name()?.to_str()?.parse().ok())?;
        getpriority_process(Pid::from_raw(thread)).ok()
    };
    threads.filter_map(|thread| priority(thread.unwrap().path())).collect()
}

#[tokio::test]
async fn generations_that_are_in_memory_only_go_with_their_tenant() {
    use posthouse_store::generations::{Stage, Upload};
    let archive = Archive::default();
    let upload = Upload {
        policy: String::new(),
        version: String::new(),
        settings: std::collections::BTreeMap::new(),
        who: "someone".to_owned(),
        when: 0,
        from: String::new(),
        signer: None,
        note: String::new(),
    };
    archive.append("acme", b"component", upload, Stage::Uploaded).await.unwrap();
    let policies = policies(archive);
    policies.forget_all_but(|_| true).await;
    assert_eq!(policies.archive().list("acme").await.unwrap().len(), 1);
    policies.forget_all_but(|_| false).await;
    assert!(policies.archive().list("acme").await.unwrap().is_empty());
}
