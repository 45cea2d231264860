//! What stands at a key, read as what is wanted there; a fault is noted where it is something else.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use posthouse_oauth::certificate::midnight;
use toml::de::DeValue;
use toml::value::Datetime;

use crate::config::defaults;
use crate::config::nearest::{listed, nearest};
use crate::config::network::Network;
use crate::config::section::Section;
use crate::config::source::{Draft, Mark};
use crate::config::units::{self, NoQuantity};

/// The longest name; names stand in logs and in the labels of metrics.
const LONGEST_NAME: usize = 64;
/// How much of a value a fault shows.
const LONGEST_SHOWN: usize = 60;

/// A value and its place.
#[derive(Debug)]
pub(super) struct Entry<'s> {
    pub(super) mark: Mark<'s>,
    pub(super) value: &'s DeValue<'s>,
}

impl<'s> Entry<'s> {
    /// A fault at this value, which it shows.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Draft<'_> {
        self.mark.fault(reason).shown(shown(self.value))
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Option<&'s str> {
        self.text_of("a text")
    }

    /// A text that reads as `T`; `expected` says what that is.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, expected: &str) -> Option<T> {
        let parsed = self.text_of(expected)?.parse();
        parsed.map_err(|error| self.fault(format!("expected {expected}: {error}")).error()).ok()
    }

    /// A name: of a listener, a login, an account, a route.
    pub(super) fn name(&self) -> Option<&'s str> {
        let text = self.text_of("a name")?;
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._@+-".contains(&octet);
        if text.len() <= LONGEST_NAME && text.bytes().all(fits) {
            return Some(text);
        }
        let expected = format!("expected a name of at most {LONGEST_NAME} letters, digits and `.`, `_`, `@`, `+`, `-`");
        self.fault(expected).error();
        None
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => self.refused("expected `true` or `false`"),
        }
    }

    /// A whole number within these bounds.
    pub(super) fn number<T>(&self, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let within = match self.value {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .and_then(|value| T::try_from(value).ok())
                .filter(|value| bounds.contains(value)),
            _ => None,
        };
        let expected = || format!("expected a whole number from {} to {}", bounds.start(), bounds.end());
        within.or_else(|| self.refused(&expected()))
    }

    /// A duration within the bounds of all time-outs.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.duration_within(defaults::TIMEOUT_LEAST..=defaults::TIMEOUT_MOST)
    }

    /// A duration within these bounds.
    pub(super) fn duration_within(&self, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let duration = self.quantity(units::duration, "a duration with its unit", "90 s", "s")?;
        let (least, most) = (units::duration_text(*bounds.start()), units::duration_text(*bounds.end()));
        let is_within = bounds.contains(&duration);
        if is_within { Some(duration) } else { self.refused(&format!("expected from {least} to {most}")) }
    }

    /// A day as `2027-01-31`: its beginning in Greenwich, in seconds since 1970.
    pub(super) fn day(&self) -> Option<u64> {
        let written = match self.value {
            DeValue::String(text) => text.parse::<Datetime>().ok(),
            DeValue::Datetime(moment) => Some(*moment),
            _ => None,
        };
        let day = written.filter(|moment| moment.time.is_none()).and_then(|moment| moment.date);
        let begins = day.and_then(|day| midnight(day.year, day.month, day.day));
        let seconds = begins.and_then(|begins| begins.duration_since(SystemTime::UNIX_EPOCH).ok());
        seconds.map(|seconds| seconds.as_secs()).or_else(|| self.refused("expected a day, such as \"2027-01-31\""))
    }

    /// A size in octets within these bounds.
    pub(super) fn size(&self, bounds: RangeInclusive<u64>) -> Option<u64> {
        let size = self.quantity(units::size, "a size with its unit", "35 MiB", "B")?;
        let (least, most) = (units::size_text(*bounds.start()), units::size_text(*bounds.end()));
        if bounds.contains(&size) { Some(size) } else { self.refused(&format!("expected from {least} to {most}")) }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let expected = format!("expected {}", listed(names()));
        let DeValue::String(text) = self.value else { return self.refused(&expected) };
        if let Some((_, meaning)) = words.iter().find(|(name, _)| *name == text.as_ref()) {
            return Some(*meaning);
        }
        let draft = self.fault(expected);
        match nearest(text, names()) {
            Some(meant) => draft.suggest(format!("did you mean `{meant}`?")).error(),
            None => draft.error(),
        }
        None
    }

    /// A file or directory, relative to the file that names it.
    pub(super) fn path(&self) -> Option<PathBuf> {
        Some(self.mark.source.path(self.text_of("a path")?))
    }

    /// A list of networks.
    pub(super) fn networks(&self) -> Option<Vec<Network>> {
        Some(self.list()?.iter().filter_map(Self::network).collect())
    }

    /// A network.
    pub(super) fn network(&self) -> Option<Network> {
        self.parsed("a network as `192.0.2.0/24` or `2001:db8::/32`")
    }

    /// A list of anything.
    pub(super) fn list(&self) -> Option<Vec<Entry<'s>>> {
        let DeValue::Array(array) = self.value else { return self.refused("expected a list `[ .. ]`") };
        let entry = |(index, value): (usize, &'s toml::Spanned<DeValue<'s>>)| {
            let key = format!("{}[{}]", self.mark.key, label(value.get_ref(), index));
            let mark = Mark { source: self.mark.source, offset: Some(value.span().start), key };
            Entry { mark, value: value.get_ref() }
        };
        Some(array.iter().enumerate().map(entry).collect())
    }

    /// Whether it is a list that holds nothing.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.value, DeValue::Array(array) if array.is_empty())
    }

    /// A table.
    pub(super) fn section(&self) -> Option<Section<'s>> {
        match self.value {
            DeValue::Table(table) => Some(Section::new(self.mark.clone(), table)),
            _ => self.refused("expected a table"),
        }
    }

    fn text_of(&self, expected: &str) -> Option<&'s str> {
        match self.value {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.as_ref()),
            _ => self.refused(&format!("expected {expected}")),
        }
    }

    fn quantity<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, NoQuantity>,
        expected: &str,
        example: &str,
        unit: &str,
    ) -> Option<T> {
        let expected = format!("expected {expected}, such as \"{example}\"");
        let meant = match self.value {
            DeValue::String(text) => match read(text) {
                Ok(quantity) => return Some(quantity),
                Err(fault) => fault.meant,
            },
            DeValue::Integer(number) => Some(format!("{number} {unit}")),
            _ => None,
        };
        match meant {
            Some(meant) => self.fault(expected).suggest(format!("did you mean \"{meant}\"?")).error(),
            None => self.fault(expected).error(),
        }
        None
    }

    fn refused<T>(&self, reason: &str) -> Option<T> {
        self.fault(reason).error();
        None
    }
}

/// How people name an entry of a list: by its own name, or by its number from 1.
fn label(value: &DeValue<'_>, index: usize) -> String {
    let DeValue::Table(table) = value else { return (index + 1).to_string() };
    match table.get("name").or_else(|| table.get("id")).map(|name| name.get_ref()) {
        Some(DeValue::String(name)) => name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
        _ => (index + 1).to_string(),
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() > LONGEST_SHOWN => {
            format!("{:?}..", text.chars().take(LONGEST_SHOWN).collect::<String>())
        }
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(_) => "[..]".to_owned(),
        DeValue::Table(_) => "{..}".to_owned(),
    }
}
