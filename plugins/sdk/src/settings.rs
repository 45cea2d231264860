//! What the tenant's file says under `[policy.settings]`, as the values that a policy means.
//!
//! Every error names the key, what stands there and what was expected.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use crate::bindings::posthouse::policy::settings as raw;
use crate::{Rate, quantity};

/// The settings of a call: keys and their texts.
#[derive(Debug, Clone)]
pub struct Settings {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Relay,
    Given(Vec<(String, String)>),
}

/// Settings for a policy's own unit tests: `Settings::from([("limit", "5")])`.
impl<const N: usize> From<[(&str, &str); N]> for Settings {
    fn from(entries: [(&str, &str); N]) -> Self {
        let owned = |(key, text): (&str, &str)| (key.to_owned(), text.to_owned());
        Settings { source: Source::Given(entries.map(owned).into()) }
    }
}

impl Settings {
    /// Those of the tenant whose message the call is about.
    pub(crate) fn of_call() -> Self {
        Settings { source: Source::Relay }
    }

    /// The text at a key, if there is one.
    pub fn get(&self, key: &str) -> Option<String> {
        match &self.source {
            Source::Relay => raw::get(key),
            Source::Given(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, text)| text.clone()),
        }
    }

    /// All keys and their texts, in the order of the keys.
    pub fn all(&self) -> Vec<(String, String)> {
        match &self.source {
            Source::Relay => raw::all(),
            Source::Given(entries) => entries.clone(),
        }
    }

    /// The keys that begin with a prefix, without it, and their texts.
    pub fn below(&self, prefix: &str) -> Vec<(String, String)> {
        let below = |(key, text): (String, String)| Some((key.strip_prefix(prefix)?.to_owned(), text));
        self.all().into_iter().filter_map(below).collect()
    }

    /// Refuses keys that the policy does not know, which are most often slips. A name that ends with `.` stands for
    /// all keys that begin so.
    pub fn allow_only(&self, known: &[&str]) -> Result<(), SettingsError> {
        let is_known =
            |key: &str| known.iter().any(|name| *name == key || (name.ends_with('.') && key.starts_with(name)));
        match self.all().iter().find(|(key, _)| !is_known(key)) {
            Some((key, _)) => Err(SettingsError::new(format!("{key}: unknown; there are {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    /// The text at a key that must be there.
    pub fn text(&self, key: &str) -> Result<String, SettingsError> {
        self.get(key).ok_or_else(|| SettingsError::new(format!("{key}: missing")))
    }

    /// The text at a key, or a default.
    pub fn text_or(&self, key: &str, default: &str) -> String {
        self.get(key).unwrap_or_else(|| default.to_owned())
    }

    /// The number at a key, or a default.
    pub fn number_or<T: FromStr>(&self, key: &str, default: T) -> Result<T, SettingsError> {
        self.parsed(key, "a number", |text| text.parse().ok()).map(|number| number.unwrap_or(default))
    }

    /// `true` or `false` at a key, or a default.
    pub fn flag_or(&self, key: &str, default: bool) -> Result<bool, SettingsError> {
        self.parsed(key, "true or false", |text| text.parse().ok()).map(|flag| flag.unwrap_or(default))
    }

    /// The duration at a key (`300 ms`, `90 s`, `5 min`, `2 h`, `1 d`), or a default.
    pub fn duration_or(&self, key: &str, default: Duration) -> Result<Duration, SettingsError> {
        let expected = "a whole number and ms, s, min, h or d";
        self.parsed(key, expected, quantity::duration).map(|duration| duration.unwrap_or(default))
    }

    /// The rate at a key (`20 per 1 h`), if there is one.
    pub fn rate(&self, key: &str) -> Result<Option<Rate>, SettingsError> {
        self.parsed(key, "a rate such as \"20 per 1 h\"", quantity::rate)
    }

    /// The texts at a key, between commas, without the white space around them; none where the key is not there.
    pub fn list(&self, key: &str) -> Vec<String> {
        let text = self.get(key).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// What `parse` makes of the text at a key, if there is one; an error says what was `expected`.
    pub fn parsed<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(text) = self.get(key) else { return Ok(None) };
        match parse(text.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(SettingsError::at(key, &text, format_args!("expected {expected}"))),
        }
    }
}

/// Why a policy cannot work with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    text: String,
}

impl SettingsError {
    /// An error of the policy's own: say what is wrong and what to do about it.
    pub fn new(text: impl Into<String>) -> Self {
        SettingsError { text: text.into() }
    }

    /// What is wrong with the text at a key: `SettingsError::at("limit", "many", "expected a number")`.
    pub fn at(key: &str, text: &str, wrong: impl Display) -> Self {
        SettingsError { text: format!("{key} = {text:?}: {wrong}") }
    }
}

impl Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests;
