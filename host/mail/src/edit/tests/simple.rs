//! Edits against the simple way of applying them: one after the other, each looking at every field.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::super::{Edits, Which};
use crate::header::HeaderBlock;

/// An edit, as a policy would ask for it.
#[derive(Debug, Clone)]
enum Asked {
    Prepend(String, String),
    Append(String, String),
    Replace(String, Which, String),
    Remove(String, Which),
}

/// Field by field: a name and its octets.
fn simply(content: &[u8], asked: &[Asked]) -> Vec<u8> {
    let block = HeaderBlock::parse(content);
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let kept = block.fields().iter().map(|field| (text(field.name(content)), field.octets(content).to_vec()));
    let mut middle: Vec<(String, Vec<u8>)> = kept.collect();
    let (mut above, mut below): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let line = |name: &str, body: &str| format!("{name}: {body}\r\n").into_bytes();
    for edit in asked {
        match edit {
            Asked::Prepend(name, body) => above.insert(0, line(name, body)),
            Asked::Append(name, body) => below.push(line(name, body)),
            Asked::Remove(name, which) => meant(&middle, name, *which).into_iter().rev().for_each(|at| {
                middle.remove(at);
            }),
            Asked::Replace(name, which, body) => {
                let meant = meant(&middle, name, *which);
                let Some((first, others)) = meant.split_first() else {
                    below.push(line(name, body));
                    continue;
                };
                middle[*first].1 = line(name, body);
                for at in others.iter().rev() {
                    middle.remove(*at);
                }
            }
        }
    }
    let mut out = [above.concat(), middle.into_iter().flat_map(|(_, octets)| octets).collect()].concat();
    if !below.is_empty() && !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    [out, below.concat()].concat()
}

fn meant(fields: &[(String, Vec<u8>)], name: &str, which: Which) -> Vec<usize> {
    let named = (0..fields.len()).filter(|at| fields[*at].0.eq_ignore_ascii_case(name));
    match which {
        Which::All => named.collect(),
        Which::Nth(index) => named.skip(index).take(1).collect(),
    }
}

fn edits(asked: &[Asked]) -> Edits {
    let mut edits = Edits::default();
    for edit in asked {
        match edit {
            Asked::Prepend(name, body) => edits.prepend(name, body),
            Asked::Append(name, body) => edits.append(name, body),
            Asked::Replace(name, which, body) => edits.replace(name, *which, body),
            Asked::Remove(name, which) => edits.remove(name, *which),
        }
        .expect("names and bodies of this test are well-formed");
    }
    edits
}

/// Few names, so that many fields and edits have the same one, in any case.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[aA]", "[xX]-[bB]", "[cC]{1,2}"]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![Just(Which::All), (0usize..5).prop_map(Which::Nth)]
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        (name(), "[a-z]{1,3}").prop_map(|(name, body)| Asked::Prepend(name, body)),
        (name(), "[a-z]{1,3}").prop_map(|(name, body)| Asked::Append(name, body)),
        (name(), which(), "[a-z]{1,3}").prop_map(|(name, which, body)| Asked::Replace(name, which, body)),
        (name(), which()).prop_map(|(name, which)| Asked::Remove(name, which)),
    ]
}

/// A field of this name, with what real ones have: folds, space before the colon, no line end at the very end.
fn field() -> impl Strategy<Value = String> {
    let long = "[aA]{75,80}";
    let end = prop_oneof![Just("\r\n"), Just("\r\n folded\r\n"), Just("\n")];
    (prop_oneof![8 => name(), 1 => long], "[ ]?", "[a-z]{0,4}", end).prop_map(|(n, s, b, e)| format!("{n}{s}:{b}{e}"))
}

proptest! {
    #[test]
    fn edits_come_to_the_same_as_one_by_one(fields in vec(field(), 0..12), asked in vec(asked(), 0..12), cut in any::<bool>()) {
        let mut content = fields.concat().into_bytes();
        if cut {
            content.truncate(content.len().saturating_sub(2));
        }
        let applied = edits(&asked).apply(&content, &HeaderBlock::parse(&content));
        let applied = String::from_utf8_lossy(&applied).into_owned();
        prop_assert_eq!(applied, String::from_utf8_lossy(&simply(&content, &asked)).into_owned());
    }
}
