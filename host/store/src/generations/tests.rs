//! Generations, by what is listed after another opening.

use std::collections::BTreeMap;

use super::{Generation, Stage, Upload};
use crate::digest::Digest;
use crate::error::Error;
use crate::scratch::Scratch;

fn upload(note: &str) -> Upload {
    Upload {
        policy: "by-region".to_owned(),
        version: "1.2.0".to_owned(),
        settings: BTreeMap::from([("region".to_owned(), "eu".to_owned())]),
        who: "ann".to_owned(),
        when: 1_700_000_000,
        from: "127.0.0.1".to_owned(),
        signer: Some("key 1".to_owned()),
        note: note.to_owned(),
    }
}

fn stages(generations: &[Generation]) -> Vec<(u64, Stage)> {
    generations.iter().map(|generation| (generation.number, generation.stage)).collect()
}

#[test]
fn a_generation_comes_back_as_it_was_added() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let first = store.generations().append("acme", b"component", upload("first"), Stage::Uploaded).unwrap();
    let second = store.generations().append("acme", b"other", upload("second"), Stage::Canary { percent: 5 }).unwrap();
    store.generations().append("globex", b"component", upload("theirs"), Stage::Active).unwrap();
    assert_eq!((first.number, first.digest, second.number), (1, Digest::of(b"component"), 2));
    drop(store);
    let store = scratch.store();
    assert_eq!(store.generations().list("acme").unwrap(), [first.clone(), second]);
    assert_eq!(store.generations().list("acm").unwrap(), []);
    assert_eq!(store.generations().component(&first.digest).unwrap(), b"component");
    assert_eq!(store.generations().tenants().unwrap().into_iter().collect::<Vec<_>>(), ["acme", "globex"]);
}

#[test]
fn a_promotion_is_whole_or_not_at_all() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let generations = store.generations();
    generations.append("acme", b"1", upload(""), Stage::Active).unwrap();
    generations.append("acme", b"2", upload(""), Stage::Shadow).unwrap();
    let error = generations.set_stages("acme", &[(1, Stage::Retired), (3, Stage::Active)], None).unwrap_err();
    assert!(matches!(error, Error::NoGeneration { number: 3, .. }), "{error}");
    assert_eq!(stages(&generations.list("acme").unwrap()), [(1, Stage::Active), (2, Stage::Shadow)]);
    generations.set_stages("acme", &[(1, Stage::Retired), (2, Stage::Active)], None).unwrap();
    assert_eq!(stages(&generations.list("acme").unwrap()), [(1, Stage::Retired), (2, Stage::Active)]);
}

#[test]
fn pruning_keeps_the_newest_and_components_go_with_their_last_generation() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let generations = store.generations();
    for (component, stage) in [
        (&b"a"[..], Stage::Retired),
        (b"b", Stage::Refused),
        (b"a", Stage::Retired),
        (b"c", Stage::Retired),
        (b"a", Stage::Active),
        (b"d", Stage::Refused),
    ] {
        generations.append("acme", component, upload(""), stage).unwrap();
    }
    assert_eq!(generations.prune("acme", 1, None).unwrap(), 3);
    let left: Vec<u64> = generations.list("acme").unwrap().iter().map(|generation| generation.number).collect();
    assert_eq!(left, [4, 5, 6]);
    assert!(matches!(generations.component(&Digest::of(b"b")), Err(Error::NoComponent { .. })));
    assert_eq!(generations.component(&Digest::of(b"a")).unwrap(), b"a");
    generations.set_stages("acme", &[(5, Stage::Retired)], None).unwrap();
    assert_eq!(generations.prune("acme", 0, None).unwrap(), 3);
    assert!(generations.component(&Digest::of(b"a")).is_err());
    let next = generations.append("acme", b"a", upload(""), Stage::Uploaded).unwrap();
    assert_eq!(next.number, 7);
}

#[test]
fn a_record_reads_as_operators_would_write_it() {
    let generation = Generation {
        number: 2,
        digest: Digest::of(b""),
        stage: Stage::Canary { percent: 5 },
        decided: Some(1),
        upload: upload("why"),
    };
    let text = serde_json::to_string(&generation).unwrap();
    let expected = concat!(
        r#"{"number":2,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
        r#""stage":{"canary":{"percent":5}},"decided":1,"policy":"by-region","version":"1.2.0","settings":{"region":"eu"},"#,
        r#""who":"ann","when":1700000000,"from":"127.0.0.1","signer":"key 1","note":"why"}"#
    );
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Generation>(&text).unwrap(), generation);
}
