//! What is kept, and what is not believed.

use std::fs::Permissions;

use super::*;

/// A state directory that nobody else has.
fn state(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("posthouse-cache-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the temporary directory can be written");
    path
}

fn entry(state: &Path) -> PathBuf {
    let entries = fs::read_dir(state.join("policies")).expect("the cache is there");
    let paths: Vec<_> = entries.map(|entry| entry.expect("the cache can be read").path()).collect();
    let [path] = &paths[..] else { panic!("one entry, and nothing left aside: {paths:?}") };
    path.clone()
}

#[test]
fn code_is_found_again_by_its_file_and_mode_also_by_the_next_process() {
    let (state, digest) = (state("found"), Digest::of(b"file"));
    let cache = Cache::open(&state).expect("the directory can be written");
    cache.store(digest, Mode::Fast, b"code").expect("the directory can be written");
    let cache = Cache::open(&state).expect("the key is there");
    assert_eq!(cache.load(digest, Mode::Fast), Some(b"code".to_vec()));
    assert_eq!(cache.load(digest, Mode::Metered), None);
    assert_eq!(cache.load(Digest::of(b"another"), Mode::Fast), None);
}

#[test]
fn a_changed_octet_anywhere_is_a_miss() {
    let (state, digest) = (state("changed"), Digest::of(b"file"));
    let cache = Cache::open(&state).expect("the directory can be written");
    cache.store(digest, Mode::Fast, b"code").expect("the directory can be written");
    let good = fs::read(entry(&state)).expect("the entry is there");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(entry(&state), bad).expect("the entry can be written");
        assert_eq!(cache.load(digest, Mode::Fast), None, "octet {at}");
    }
    for length in 0..good.len() {
        fs::write(entry(&state), &good[..length]).expect("the entry can be written");
        assert_eq!(cache.load(digest, Mode::Fast), None, "length {length}");
    }
}

#[test]
fn an_entry_under_another_name_or_key_is_a_miss() {
    let (state, other) = (state("moved"), state("other"));
    let (digest, moved) = (Digest::of(b"file"), Digest::of(b"moved"));
    let cache = Cache::open(&state).expect("the directory can be written");
    cache.store(digest, Mode::Fast, b"code").expect("the directory can be written");
    fs::copy(cache.path(digest, Mode::Fast), cache.path(moved, Mode::Fast)).expect("the entry can be copied");
    assert_eq!(cache.load(moved, Mode::Fast), None);
    let stranger = Cache::open(&other).expect("the directory can be written");
    fs::copy(cache.path(digest, Mode::Fast), stranger.path(digest, Mode::Fast)).expect("the entry can be copied");
    assert_eq!(stranger.load(digest, Mode::Fast), None);
}

#[test]
fn key_and_entries_are_for_the_relay_alone() {
    let (state, digest) = (state("alone"), Digest::of(b"file"));
    let cache = Cache::open(&state).expect("the directory can be written");
    cache.store(digest, Mode::Fast, b"code").expect("the directory can be written");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&state.join("policies")), 0o700);
    assert_eq!(mode(&state.join(KEY)), 0o600);
    assert_eq!(mode(&entry(&state)), 0o600);
    fs::set_permissions(state.join(KEY), Permissions::from_mode(0o644)).expect("the key is ours");
    for _ in 0..2 {
        // It is not mended by having been looked at.
        let refused = Cache::open(&state).expect_err("others could read the key");
        assert!(refused.to_string().contains("others could read it"), "{refused}");
    }
    fs::remove_file(state.join(KEY)).expect("the key is ours");
    fs::write(state.join(KEY), b"short").expect("the key is ours");
    fs::set_permissions(state.join(KEY), Permissions::from_mode(0o600)).expect("the key is ours");
    assert!(Cache::open(&state).expect_err("half a key").to_string().contains("no key of 32 octets"));
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let state = state("swept");
    let cache = Cache::open(&state).expect("the directory can be written");
    let digests = [b"one", b"two", b"six"].map(|file| Digest::of(file));
    for (digest, age) in digests.iter().zip([30, 20, 10]) {
        cache.store(*digest, Mode::Fast, b"code").expect("the directory can be written");
        let file = fs::File::open(cache.path(*digest, Mode::Fast)).expect("the entry is there");
        let then = SystemTime::now() - std::time::Duration::from_secs(age);
        file.set_modified(then).expect("the entry is ours");
    }
    assert!(cache.load(digests[0], Mode::Fast).is_some());
    cache.sweep(2 * (MAC as u64 + 4));
    let left = digests.map(|digest| cache.load(digest, Mode::Fast).is_some());
    assert_eq!(left, [true, false, true]);
}
