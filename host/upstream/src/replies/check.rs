//! What the values of rows amount to together: pairs that cannot be, and rows that are never reached.

use posthouse_smtp::reply::EnhancedCode;

use super::row::Row;
use super::{Answer, Fault, Treatment};
use crate::provider::ProviderKind;

/// Where a row stands.
#[derive(Debug)]
pub(super) struct Place {
    offset: Option<usize>,
    key: String,
}

impl From<Fault> for Place {
    fn from(fault: Fault) -> Self {
        Self { offset: fault.offset, key: fault.key }
    }
}

impl Place {
    fn fault(&self, reason: String) -> Fault {
        Fault { offset: self.offset, key: self.key.clone(), reason }
    }
}

/// Notes what is wrong with the rows of one text.
pub(super) fn rows(rows: &[(Row, Place)], faults: &mut Vec<Fault>) {
    for (at, (row, place)) in rows.iter().enumerate() {
        let before = &rows[..at];
        let reasons = [
            same_name(row, before),
            impossible_meaning(row),
            row.stages
                .iter()
                .any(|stage| stage.is_before_mail())
                .then(|| impossible_before_mail(&row.treatment))
                .flatten(),
            impossible_codes(row),
            shadowed(row, before),
        ];
        // One at a time: what is wrong first often makes the rest wrong.
        faults.extend(reasons.into_iter().flatten().next().map(|reason| place.fault(reason)));
    }
}

fn same_name(row: &Row, before: &[(Row, Place)]) -> Option<String> {
    let name = row.treatment.row.as_ref()?;
    before
        .iter()
        .any(|(other, _)| other.treatment.row.as_ref() == Some(name))
        .then(|| "an earlier row has this name; choose another".to_owned())
}

fn impossible_meaning(row: &Row) -> Option<String> {
    let stage = row.stages.iter().find(|stage| !row.meaning.is_possible_at(**stage))?;
    Some(format!("`{}` cannot be said at {stage}; choose other stages or another meaning", row.meaning.word()))
}

/// What clients cannot be told of a refusal that may come before MAIL: nothing is known of their message
/// then, and those that queue would return good mail.
pub(super) fn impossible_before_mail(treatment: &Treatment) -> Option<String> {
    match (&treatment.queueing, &treatment.interactive) {
        (Answer::Verbatim, _) | (_, Answer::Verbatim) => Some(
            "`verbatim` would be the reply to another command than the client's before MAIL; name a 4yz".to_owned(),
        ),
        (Answer::Own { code, .. }, Answer::Own { .. }) if *code >= 500 => Some(format!(
            "client = {code} before MAIL would have clients return good mail; name a 4yz (`interactive` may be 5yz)"
        )),
        (Answer::Own { .. }, Answer::Own { .. }) => None,
    }
}

fn impossible_codes(row: &Row) -> Option<String> {
    let EnhancedCode { class, .. } = row.enhanced?.first;
    let code = row.code?;
    (u16::from(class) != code / 100).then(|| format!("no reply has code {code} and an enhanced code of class {class}"))
}

fn shadowed(row: &Row, before: &[(Row, Place)]) -> Option<String> {
    let covering = |provider: ProviderKind| {
        let one = Row { provider: Some(provider), ..row.clone() };
        row.stages
            .iter()
            .map(|stage| before.iter().map(|(row, _)| row).find(|other| other.covers(&one, *stage)))
            .collect::<Option<Vec<_>>>()
    };
    let providers = ProviderKind::ALL.into_iter().filter(|kind| row.provider.is_none_or(|only| only == *kind));
    let covering: Vec<&Row> = providers.map(covering).collect::<Option<Vec<_>>>()?.concat();
    let first = covering.first()?.treatment.row.as_deref()?;
    Some(format!("it is never reached: the earlier row `{first}` takes what it would; put it before that one"))
}
