//! The configuration's files, found and read: the main file and its tenants'.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::fault::Findings;
use crate::config::source::Source;

/// All files that a configuration is made of: a change in one of them is a change of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The main file, the tenants' files, and what they name: certificates, keys, secrets, policies.
    pub files: BTreeSet<PathBuf>,
    /// The directory of the tenants' files, where another one may appear.
    pub tenants: Option<PathBuf>,
}

/// A file's name and what is in it.
#[derive(Debug)]
pub(super) struct File {
    /// Its name in faults.
    pub(super) name: String,
    /// What paths in it are relative to.
    pub(super) directory: PathBuf,
    /// Its text; none where it could not be read, which was noted.
    pub(super) text: Option<String>,
}

impl File {
    /// A file of the disk. That it cannot be read is noted.
    pub(super) fn read(order: usize, path: &Path, findings: &Findings) -> Self {
        findings.made_of(path);
        let name = path.display().to_string();
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        let text = fs::read(path).map_err(|error| error.to_string());
        let text = text.and_then(|octets| String::from_utf8(octets).map_err(|_| "it is not UTF-8".to_owned()));
        let file = Self { name, directory, text: None };
        match text {
            Ok(text) => Self { text: Some(text), ..file },
            Err(reason) => {
                let source = file.source(order, findings);
                let whole = source.whole();
                let draft = whole.fault(format!("cannot read this file: {reason}"));
                // Tenants' files are found; the main file is named by somebody.
                if order == 0 {
                    draft.suggest("name the main file with --config").error()
                } else {
                    draft.error()
                }
                file
            }
        }
    }

    /// A text that is no file; paths in it are relative to the working directory.
    pub(super) fn of_text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), directory: PathBuf::new(), text: Some(text.to_owned()) }
    }

    /// The file as a place of faults.
    pub(super) fn source<'a>(&'a self, order: usize, findings: &'a Findings) -> Source<'a> {
        Source {
            order,
            file: self.name.clone(),
            directory: self.directory.clone(),
            text: self.text.as_deref(),
            findings,
        }
    }
}

/// The tenants' files in a directory, by name. Hidden files and those of editors are none.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn tenants(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|extension| extension == "toml") && !is_hidden {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
