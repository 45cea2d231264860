//! What is written for a new policy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::kit::{KIT, LOCK};
use super::{TEMPLATES, check_name, packages_from_elsewhere, type_name};

#[test]
fn the_kit_is_all_of_the_sdk_and_of_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("plugins/sdk"), root.join("wit")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if ["released", "target"].contains(&name.as_str()) {
                // Earlier contracts, and what cargo makes, are not needed to build.
            } else if path.is_dir() {
                folders.push(path);
            } else if [".rs", ".wit", ".toml", ".md"].iter().any(|kind| name.ends_with(kind)) {
                found.insert(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let listed: BTreeSet<String> = KIT.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(listed, found, "new/kit.rs lists what is in plugins/sdk and wit");
}

#[test]
fn a_name_is_one_for_cargo_and_for_the_contract() {
    for name in ["acme", "acme-routing", "a2_b"] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    for name in ["", "2acme", "Acme", "acme routing", "-acme", "test", "posthouse_policy", &"a".repeat(65)] {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn a_type_has_the_name_in_capitals() {
    assert_eq!(["acme", "acme-routing", "a2_b"].map(type_name), ["Acme", "AcmeRouting", "A2B"]);
}

#[test]
fn the_versions_are_those_of_other_peoples_packages() {
    let lock = packages_from_elsewhere(LOCK);
    assert!(lock.contains("name = \"wit-bindgen\"") && !lock.contains("header-hygiene"), "{lock}");
    assert!(toml::from_str::<toml::Table>(&lock).is_ok());
}

#[test]
fn the_templates_cases_can_be_read() {
    let (_, cases) = TEMPLATES.iter().find(|(path, _)| *path == "cases.toml").unwrap();
    assert!(toml::from_str::<crate::trial::cases::Cases>(cases).is_ok());
}
