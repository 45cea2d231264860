//! Files in TOML that authors write: read as types of serde, with faults that name the file and the line.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use posthouse_policy::limits::{self, Limits};
use posthouse_smtp::path::Mailbox;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};

use crate::config::units;
use crate::tenant::Sender;

/// A file's name and text.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(format!("{name}: cannot read this file: {error}")),
        }
    }

    pub(crate) fn parsed<T: DeserializeOwned>(&self) -> Result<T, String> {
        toml::from_str(&self.text).map_err(|error| self.fault(error.span(), error.message().trim()))
    }

    /// `cases.toml:12: unknown field ..`
    pub(crate) fn fault(&self, span: Option<Range<usize>>, reason: &str) -> String {
        let line = span.and_then(|span| self.text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        match line {
            Some(line) => format!("{}:{line}: {reason}", self.name),
            None => format!("{}: {reason}", self.name),
        }
    }
}

/// A setting: a text; numbers and truths are taken as they are written, as in a tenant's file.
#[derive(Debug, Clone)]
struct Setting(String);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Setting;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, `true` or `false`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting(text.to_owned()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Setting, E> {
                Ok(Setting(number.to_string()))
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Setting, E> {
                Ok(Setting(truth.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// Settings by key.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct SettingsTable(BTreeMap<String, Setting>);

impl SettingsTable {
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(key, Setting(text))| (key.clone(), text.clone())).collect()
    }
}

/// The limits that a tenant's file may change, as it writes them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    #[serde(default, deserialize_with = "cpu")]
    pub(crate) cpu: Option<Duration>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) time: Option<Duration>,
    #[serde(default, deserialize_with = "memory")]
    pub(crate) memory: Option<usize>,
}

impl LimitsTable {
    /// These limits, and all of a core: an author waits for nobody's share.
    pub(crate) fn limits(&self) -> Limits {
        let cpu = self.cpu.unwrap_or(limits::CPU);
        let time = self.time.unwrap_or(limits::TIME.max(cpu));
        Limits { cpu, time, memory: self.memory.unwrap_or(limits::MEMORY), share: limits::SHARE_MOST }
    }
}

pub(crate) fn cpu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration_to(limits::CPU_MOST, deserializer)
}

pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration_to(limits::TIME_MOST, deserializer)
}

pub(crate) fn memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let size = units::size(&text).ok().and_then(|size| usize::try_from(size).ok());
    match size.filter(|size| (limits::MEMORY_LEAST..=limits::MEMORY_MOST).contains(size)) {
        Some(size) => Ok(Some(size)),
        None => {
            Err(D::Error::custom(format!("\"{text}\": expected a size such as \"16 MiB\", from 128 KiB to 256 MiB")))
        }
    }
}

fn duration_to<'de, D: Deserializer<'de>>(most: Duration, deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match units::duration(&text) {
        Ok(duration) if duration <= most && duration >= Duration::from_millis(1) => Ok(Some(duration)),
        _ => {
            let most = units::duration_text(most);
            Err(D::Error::custom(format!("\"{text}\": expected a duration such as \"10 ms\", from 1 ms to {most}")))
        }
    }
}

/// A span of time of any length.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    units::duration(&text)
        .map_err(|_| D::Error::custom(format!("\"{text}\": expected a duration such as \"90 s\" or \"1 h\"")))
}

/// `app@acme.example` or `@acme.example`, as in a login's `senders`.
pub(crate) fn senders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Sender>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| sender(text).map_err(D::Error::custom)).collect::<Result<_, _>>().map(Some)
}

fn sender(text: &str) -> Result<Sender, String> {
    if let Some(domain) = text.strip_prefix('@').filter(|domain| !domain.is_empty()) {
        return Ok(Sender::Domain(domain.to_owned()));
    }
    let address = text.parse::<Mailbox>();
    address.map(Sender::Address).map_err(|error| format!("\"{text}\": expected an address or an @domain: {error}"))
}
