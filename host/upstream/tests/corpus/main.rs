//! The reply table against real replies: each is read by the row that it names, and no row is without one.

use std::collections::BTreeSet;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use posthouse_upstream::error::Error;
use posthouse_upstream::provider::ProviderKind;
use posthouse_upstream::replies::Table;
use posthouse_upstream::stage::Stage;
use posthouse_upstream::verdict::Clients;
use toml::Table as Toml;

const CORPUS: &str = include_str!("replies.toml");

fn said() -> Vec<Toml> {
    let corpus: Toml = toml::from_str(CORPUS).expect("the corpus is TOML");
    corpus["said"].as_array().expect("a list").iter().map(|said| said.as_table().expect("a table").clone()).collect()
}

fn text<'s>(said: &'s Toml, key: &str) -> &'s str {
    said[key].as_str().expect("a text")
}

fn reply(line: &str) -> Reply {
    let (code, rest) = line.split_once(' ').expect("a code and a text");
    let (first, behind) = rest.split_once(' ').expect("some words");
    match first.parse::<EnhancedCode>() {
        Ok(enhanced) => Reply::new(code.parse().expect("a code"), enhanced, behind.to_owned()),
        Err(_) => Reply::new(code.parse().expect("a code"), None, rest.to_owned()),
    }
}

/// The reply, the row that reads it, and the delivery's end.
fn read(said: &Toml) -> (Option<String>, Error) {
    let provider =
        ProviderKind::ALL.into_iter().find(|kind| kind.word() == text(said, "provider")).expect("a provider");
    let stage = Stage::ALL.into_iter().find(|stage| stage.word() == text(said, "stage")).expect("a stage");
    let reply = reply(text(said, "reply"));
    let reading = Table::shipped().read(provider, stage, &reply);
    (reading.treatment.row.clone(), Error::Refused { stage, reading, reply, recipients: Vec::new() })
}

#[test]
fn every_real_reply_is_read_by_the_row_it_names_and_heard_as_it_says() {
    for said in said() {
        let line = text(&said, "reply");
        let (row, error) = read(&said);
        assert_eq!(row.as_deref(), Some(text(&said, "row")), "{line}");
        let queueing = text(&said, "heard");
        let interactive = said.get("interactive").map_or(queueing, |heard| heard.as_str().unwrap());
        for (clients, heard) in [(Clients::Queueing, queueing), (Clients::Interactive, interactive)] {
            let reply = error.verdict(clients).into_reply().to_string();
            assert!(reply.starts_with(&format!("{heard}: ")), "{line}\n{clients:?}: {reply}");
        }
    }
}

#[test]
fn every_row_reads_a_real_reply() {
    let read: BTreeSet<String> = said().iter().filter_map(|said| read(said).0).collect();
    let without: Vec<_> = Table::shipped().rows().filter(|row| !read.contains(*row)).map(str::to_owned).collect();
    assert!(without.is_empty(), "rows without a line in tests/corpus/replies.toml: {without:?}");
}

#[test]
fn every_real_reply_has_a_source() {
    assert!(said().len() >= 60);
    for said in said() {
        let source = text(&said, "source");
        let is_place = source.starts_with("https://") || source.starts_with("RFC ");
        assert!(is_place && !source.contains(" ("), "{source}");
    }
    // What was made here is the exception, and says so.
    let constructed = said().iter().filter(|said| said.contains_key("constructed")).count();
    assert!(constructed <= 9, "{constructed} lines are nobody's own words");
}
