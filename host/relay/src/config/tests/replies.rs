//! `[replies]`: an operator's rows, and what is told of those that are wrong.

use std::sync::Arc;

use posthouse_upstream::replies::Table;

use super::fixture::{ACME, MAIN, config, directory, errors};

/// A main text that names a file with these rows.
fn main_with(name: &str, rows: &str) -> (String, String) {
    let file = directory(name).join("replies.toml").display().to_string();
    std::fs::write(&file, rows).unwrap();
    (format!("{MAIN}[replies]\nfile = \"{file}\"\n"), file)
}

#[test]
fn without_a_file_the_table_is_the_shipped_one() {
    assert!(Arc::ptr_eq(&config(MAIN, ACME).replies, &Table::shipped()));
    assert!(Arc::ptr_eq(&config(&format!("{MAIN}[replies]\n"), ACME).replies, &Table::shipped()));
}

#[test]
fn the_rows_of_the_file_come_first() {
    let (main, _) = main_with("replies-first", "[[row]]\nname = \"mine\"\nstage = \"mail\"\nmeaning = \"deferred\"\n");
    assert_eq!(config(&main, ACME).replies.rows().next(), Some("mine"));
}

#[test]
fn a_fault_names_the_file_the_line_and_the_key() {
    let rows = "[[row]]\nname = \"mine\"\nstage = \"mail\"\nmeaning = \"deferred\"\nclient = \"250 2.0.0 fine\"\n";
    let (main, file) = main_with("replies-fault", rows);
    let reason =
        "expected \"verbatim\", or a code of 400 to 599 (not 421), an enhanced code of the same class and some words";
    assert_eq!(errors(&main, ACME), [format!("{file}:5: row[mine].client: {reason}")]);
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let faults = errors(&format!("{MAIN}[replies]\nfile = \"/nowhere/replies.toml\"\n"), ACME);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with("/nowhere/replies.toml: cannot read this file"), "{}", faults[0]);
}
