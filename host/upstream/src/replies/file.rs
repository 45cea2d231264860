//! A table's text, read: TOML becomes rows, and all that is wrong is told at once.

use std::sync::Arc;
use std::time::Duration;

use posthouse_smtp::reply::EnhancedCode;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::row::{Codes, Row};
use super::{Answer, Fault, Treatment, check};
use crate::meaning::Meaning;
use crate::provider::ProviderKind;
use crate::stage::Stage;

/// What a text says.
pub(super) struct File {
    pub(super) rows: Vec<Row>,
    /// In the order of [`Meaning::ALL`].
    pub(super) meanings: Vec<Option<Arc<Treatment>>>,
}

/// The longest text of an answer or a fragment.
const LONGEST: usize = 200;
/// The longest pause: an account that is left alone for longer is better paused by its operator.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// The longest pause before the same message is tried again: its client waits meanwhile.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

const BEFORE_MAIL: [Stage; 4] = [Stage::Connection, Stage::Ehlo, Stage::StartTls, Stage::Auth];
const FROM_MAIL: [Stage; 4] = [Stage::MailFrom, Stage::RcptTo, Stage::Data, Stage::Content];

/// Reads a text; `meanings` is how meanings are treated of which it says nothing.
pub(super) fn read(text: &str, meanings: Option<&[Arc<Treatment>]>) -> Result<File, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| Fault {
            offset: error.span().map(|span| span.start),
            key: String::new(),
            reason: error.message().trim().to_owned(),
        })
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let root = Keys { table: table.get_ref(), name: String::new(), offset: None };
    root.only(&["meaning", "row"], &mut faults);
    let meanings = read_meanings(&root, meanings, &mut faults);
    let rows = read_rows(&root, &meanings, &mut faults);
    check::rows(&rows, &mut faults);
    faults.sort_by_key(|fault| fault.offset);
    if faults.is_empty() {
        Ok(File { rows: rows.into_iter().map(|(row, _)| row).collect(), meanings })
    } else {
        Err(faults)
    }
}

/// A table of the text.
struct Keys<'t> {
    table: &'t DeTable<'t>,
    name: String,
    offset: Option<usize>,
}

type Faults = Vec<Fault>;

impl<'t> Keys<'t> {
    fn of(value: &'t Spanned<DeValue<'t>>, name: String, faults: &mut Faults) -> Option<Self> {
        let offset = Some(value.span().start);
        match value.get_ref() {
            DeValue::Table(table) => Some(Self { table, name, offset }),
            _ => {
                faults.push(Fault { offset, key: name, reason: "expected a table".to_owned() });
                None
            }
        }
    }

    fn fault(&self, key: &str, reason: impl Into<String>) -> Fault {
        let offset = self.table.get(key).map(|value| value.span().start).or(self.offset);
        let name = [self.name.as_str(), key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        Fault { offset, key: name, reason: reason.into() }
    }

    fn only(&self, known: &[&str], faults: &mut Faults) {
        for key in self.table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            let reason = format!("unknown key; the keys here are {}", known.join(", "));
            faults.push(Fault { offset: Some(key.span().start), ..self.fault(key.get_ref(), reason) });
        }
    }

    /// What stands at the key, read; a fault that says what was expected is noted where it is something else.
    fn read<T>(
        &self,
        key: &str,
        expected: &str,
        faults: &mut Faults,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let read = read(self.table.get(key)?.get_ref());
        if read.is_none() {
            faults.push(self.fault(key, format!("expected {expected}")));
        }
        read
    }
}

fn read_meanings(
    root: &Keys<'_>,
    before: Option<&[Arc<Treatment>]>,
    faults: &mut Faults,
) -> Vec<Option<Arc<Treatment>>> {
    let said = root.table.get("meaning").and_then(|value| Keys::of(value, "meaning".to_owned(), faults));
    if let Some(said) = &said {
        said.only(&Meaning::ALL.map(Meaning::word), faults);
    }
    let read = |meaning: Meaning| {
        let before = before.map(|before| &before[meaning as usize]);
        let value = said.as_ref().and_then(|said| said.table.get(meaning.word()));
        let Some(value) = value else { return before.cloned() };
        let keys = Keys::of(value, format!("meaning.{}", meaning.word()), faults)?;
        keys.only(&["client", "interactive", "pause", "retry"], faults);
        let treatment = treatment(&keys, None, before.map(|before| &**before), faults)?;
        if BEFORE_MAIL.into_iter().any(|stage| meaning.is_possible_at(stage)) {
            faults.extend(check::impossible_before_mail(&treatment).map(|reason| keys.fault("client", reason)));
        }
        Some(Arc::new(treatment))
    };
    Meaning::ALL.map(read).into()
}

/// What a row or a meaning says of answers and pause, above what held before.
fn treatment(
    keys: &Keys<'_>,
    row: Option<String>,
    before: Option<&Treatment>,
    faults: &mut Faults,
) -> Option<Treatment> {
    let expected = "\"verbatim\", or a code of 400 to 599 (not 421), an enhanced code of the same class and some words";
    let client = keys.read("client", expected, faults, answer);
    let interactive = keys.read("interactive", expected, faults, answer);
    let [says_pause, says_retry] = ["pause", "retry"].map(|key| keys.table.contains_key(key));
    let expected = "\"none\" or a duration up to a day, such as \"45 min\"";
    let pause = keys.read("pause", expected, faults, |value| duration(value, LONGEST_PAUSE));
    let expected = "\"none\" or a duration up to 5 s, such as \"1 s\"";
    let retry = keys.read("retry", expected, faults, |value| duration(value, LONGEST_RETRY));
    let Some(queueing) = client.clone().or_else(|| before.map(|before| before.queueing.clone())) else {
        if !keys.table.contains_key("client") {
            faults.push(keys.fault("client", "missing: what the client hears"));
        }
        return None;
    };
    // Whoever says what clients hear means all of them, but where it is said apart.
    let inherited = before.filter(|_| client.is_none()).map(|before| before.interactive.clone());
    let interactive = interactive.or(inherited).unwrap_or_else(|| queueing.clone());
    let pause = if says_pause { pause.flatten() } else { before.and_then(|before| before.pause) };
    let retry = if says_retry { retry.flatten() } else { before.and_then(|before| before.retry) };
    Some(Treatment { row, queueing, interactive, pause, retry })
}

fn read_rows(root: &Keys<'_>, meanings: &[Option<Arc<Treatment>>], faults: &mut Faults) -> Vec<(Row, check::Place)> {
    let Some(value) = root.table.get("row") else { return Vec::new() };
    let DeValue::Array(array) = value.get_ref() else {
        faults.push(root.fault("row", "expected [[row]]"));
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (value, number) in array.iter().zip(1..) {
        let Some(mut keys) = Keys::of(value, format!("row[{number}]"), faults) else { continue };
        let name = keys.read("name", "a name", faults, |value| text(value).map(str::to_owned));
        if let Some(name) = &name {
            keys.name = format!("row[{name}]");
        }
        rows.extend(read_row(&keys, name, meanings, faults).map(|row| (row, keys.fault("", "").into())));
    }
    rows
}

fn read_row(
    keys: &Keys<'_>,
    name: Option<String>,
    meanings: &[Option<Arc<Treatment>>],
    faults: &mut Faults,
) -> Option<Row> {
    let known =
        ["name", "provider", "stage", "code", "enhanced", "text", "meaning", "client", "interactive", "pause", "retry"];
    keys.only(&known, faults);
    for (key, what) in [("name", "a name of its own"), ("stage", "where the reply comes"), ("meaning", "what it means")]
    {
        if !keys.table.contains_key(key) {
            faults.push(keys.fault(key, format!("missing: {what}")));
        }
    }
    let words = || Meaning::ALL.map(Meaning::word).join(", ");
    let provider = keys.read("provider", "gmail, outlook or generic", faults, provider);
    let expected =
        format!("one of {}, before_mail, from_mail, any, or a list of them", Stage::ALL.map(Stage::word).join(", "));
    let stages = keys.read("stage", &expected, faults, stages);
    let code = keys.read("code", "a code from 400 to 599: rows explain refusals", faults, code);
    let enhanced =
        keys.read("enhanced", "an enhanced code as \"5.7.1\" or \"5.7.500-699\" of class 4 or 5", faults, codes);
    let fragments = keys.read("text", "a fragment of at most 200 octets, or a list of them", faults, fragments);
    let meaning = keys.read("meaning", &format!("one of {}", words()), faults, |value| Meaning::of_word(text(value)?));
    let meaning = meaning?;
    let treatment = treatment(keys, name, meanings[meaning as usize].as_deref(), faults)?;
    let text = fragments.unwrap_or_default();
    Some(Row { provider, stages: stages?, code, enhanced, text, meaning, treatment: Arc::new(treatment) })
}

fn text<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::String(text) if !text.trim().is_empty() && text.len() <= LONGEST => Some(text),
        _ => None,
    }
}

/// One text, or a list of them.
fn texts<'v>(value: &'v DeValue<'_>) -> Option<Vec<&'v str>> {
    match value {
        DeValue::Array(array) if !array.is_empty() => array.iter().map(|value| text(value.get_ref())).collect(),
        value => Some(vec![text(value)?]),
    }
}

fn provider(value: &DeValue<'_>) -> Option<ProviderKind> {
    ProviderKind::ALL.into_iter().find(|kind| Some(kind.word()) == text(value))
}

fn stages(value: &DeValue<'_>) -> Option<Vec<Stage>> {
    let mut stages = Vec::new();
    for word in texts(value)? {
        match word {
            "any" => stages.extend(Stage::ALL),
            "before_mail" => stages.extend(BEFORE_MAIL),
            "from_mail" => stages.extend(FROM_MAIL),
            word => stages.push(Stage::ALL.into_iter().find(|stage| stage.word() == word)?),
        }
    }
    stages.sort_unstable();
    stages.dedup();
    Some(stages)
}

fn code(value: &DeValue<'_>) -> Option<u16> {
    let DeValue::Integer(integer) = value else { return None };
    u16::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|code| (400..600).contains(code))
}

fn codes(value: &DeValue<'_>) -> Option<Codes> {
    let written = text(value)?;
    let (first, last) = written.split_once('-').map_or((written, None), |(first, last)| (first, Some(last)));
    let first: EnhancedCode = first.parse().ok()?;
    let last = last.map_or(Some(first.detail), |last| last.parse().ok())?;
    (first.class != 2 && first.detail <= last && last <= 999).then_some(Codes { first, last })
}

fn fragments(value: &DeValue<'_>) -> Option<Vec<String>> {
    Some(texts(value)?.into_iter().map(str::to_ascii_lowercase).collect())
}

fn answer(value: &DeValue<'_>) -> Option<Answer> {
    let written = text(value)?;
    if written == "verbatim" {
        return Some(Answer::Verbatim);
    }
    let (code, rest) = written.split_once(' ')?;
    let (enhanced, words) = rest.split_once(' ')?;
    let (code, enhanced): (u16, EnhancedCode) = (code.parse().ok()?, enhanced.parse().ok()?);
    let is_refusal = (400..600).contains(&code) && code != 421 && u16::from(enhanced.class) == code / 100;
    let is_plain = words.chars().all(|character| (' '..='~').contains(&character)) && !words.trim().is_empty();
    (is_refusal && is_plain).then(|| Answer::Own { code, enhanced, text: words.trim().to_owned() })
}

/// `Some(None)` is the word "none".
fn duration(value: &DeValue<'_>, longest: Duration) -> Option<Option<Duration>> {
    let written = text(value)?;
    if written == "none" {
        return Some(None);
    }
    let (number, unit) = written.split_at(written.find(|octet: char| !octet.is_ascii_digit())?);
    let seconds = match unit.trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    let duration = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?);
    (!duration.is_zero() && duration <= longest).then_some(Some(duration))
}
