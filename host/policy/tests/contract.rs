//! The contract as it was released, against the contract as it is: what an author has built stays good.

use std::fs;
use std::path::{Path, PathBuf};

use wit_component::semver_check;
use wit_parser::{PackageId, Resolve};

/// The version that stands in the files, and the one that the released text is given beside them.
const PACKAGE: &str = "package posthouse:policy@0.1.0;";
const ASIDE: &str = "package posthouse:policy@0.1.0-released;";

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The contract in a folder as one text, in the order of its files' names.
fn contract(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder of the contract").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "wit")).collect();
    files.sort();
    assert!(files.len() > 10, "{} has lost files", folder.display());
    let texts = files.iter().map(|file| {
        let text = fs::read_to_string(file).expect("a file of the contract");
        assert!(text.starts_with(PACKAGE), "{} does not begin with `{PACKAGE}`", file.display());
        text.replacen(PACKAGE, "", 1)
    });
    format!("{PACKAGE}\n{}", texts.collect::<String>())
}

fn released() -> String {
    contract(&wit().join("released/0.1.0"))
}

/// Whether each world of the released text is served by the same world of the current one.
fn check(released: &str, current: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let mut add = |name: &str, text: &str| resolve.push_str(name, text).map_err(|error| format!("{name}: {error:#}"));
    let old: PackageId = add("released.wit", &released.replacen(PACKAGE, ASIDE, 1))?;
    let new: PackageId = add("current.wit", current)?;
    assert!(resolve.packages[old].worlds.len() >= 4, "the released contract has lost worlds");
    for (name, world) in &resolve.packages[old].worlds {
        let served = resolve.packages[new].worlds.get(name).ok_or_else(|| format!("world `{name}` is gone"))?;
        semver_check(resolve.clone(), *world, *served).map_err(|error| format!("world `{name}`: {error:#}"))?;
    }
    Ok(())
}

/// The outcome for the released contract with one piece of it changed.
fn changed(piece: &str, by: &str) -> Result<(), String> {
    let released = released();
    assert!(released.contains(piece), "{piece}");
    check(&released, &released.replacen(piece, by, 1))
}

#[test]
fn policies_for_the_released_contract_run_on_the_current_one() {
    check(&released(), &contract(&wit())).expect("wit/README.md says which changes are allowed");
}

#[test]
fn the_folders_of_released_contracts_are_no_part_of_the_current_one() {
    let mut resolve = Resolve::default();
    let (package, files) = resolve.push_path(wit()).expect("the contract");
    assert_eq!(resolve.packages.len(), 1);
    assert_eq!(resolve.packages[package].worlds.len(), 4);
    let released = files.paths().filter(|path| path.components().any(|part| part.as_os_str() == "released"));
    assert_eq!(released.count(), 0);
}

#[test]
fn a_contract_may_grow_where_policies_import() {
    changed("    least-loaded: func", "    idle: func() -> u32;\n    least-loaded: func").expect("a function");
    changed("        is-encrypted: func", "        is-late: func() -> bool;\n        is-encrypted: func")
        .expect("a method");
    let interface = "interface weather {\n    rains: func() -> bool;\n}\nworld imports {\n    import weather;";
    changed("world imports {", interface).expect("an interface");
    changed("world recipient-policy {", "world next-policy {\n    include imports;\n}\nworld recipient-policy {")
        .expect("a world");
}

#[test]
fn a_contract_may_not_change_what_policies_were_built_for() {
    let breaking = [
        ("a function that is gone", "    least-loaded: func() -> list<string>;", ""),
        ("a method that is gone", "        is-encrypted: func() -> bool;", ""),
        ("another type", "        declared-size: func() -> option<u64>;", "        declared-size: func() -> u64;"),
        ("one more parameter", "    is-ready: func(id: string)", "    is-ready: func(id: string, at: u64)"),
        ("a field", "        needs-body: bool,", "        needs-body: bool,\n        needs-time: bool,"),
        ("a case of a variant", "        defer(reply),", "        defer(reply),\n        hold,"),
        ("a case of an enum", "        next-account,", "        next-account,\n        same-account,"),
        ("a function to export", "    describe: func", "    explain: func() -> string;\n    describe: func"),
        ("a hook to export", "    export on-outcome;", "    export on-outcome;\n    export settings;"),
        ("an import that is gone", "    import key-value;\n", ""),
        ("a world that is gone", "world recipient-policy", "world addressee-policy"),
    ];
    for (what, piece, by) in breaking {
        let error = changed(piece, by).err().unwrap_or_else(|| panic!("{what} has to be found"));
        assert!(error.contains("not semver-compatible") || error.contains("is gone"), "{what}: {error}");
    }
}
