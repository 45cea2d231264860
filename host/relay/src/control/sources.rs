//! What the files of a configuration look like just now: cheaply, and to the octet.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use blake2::{Blake2s256, Digest};

use crate::config::files::{self, Sources};

/// A digest over files; two that are equal are of the same files.
pub type Fingerprint = [u8; 32];

/// By what the file system says of them, following links: no file is read.
pub fn outside(sources: &Sources) -> Fingerprint {
    fingerprint(sources, |path| match fs::metadata(path) {
        Ok(found) => {
            let numbers = [found.dev(), found.ino(), found.size(), found.mtime().cast_unsigned()];
            let mut seen: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
            seen.extend(found.mtime_nsec().to_be_bytes());
            seen.extend(found.ctime_nsec().to_be_bytes());
            seen
        }
        Err(error) => error.to_string().into_bytes(),
    })
}

/// By what is in them: this tells a file that is still being written from a whole one, when it stays the same.
pub fn inside(sources: &Sources) -> Fingerprint {
    fingerprint(sources, |path| match fs::read(path) {
        Ok(octets) => Blake2s256::digest(&octets).to_vec(),
        Err(error) => error.to_string().into_bytes(),
    })
}

/// The directories in which something is to be noticed: those of the files, and where their links lead.
pub fn directories(sources: &Sources) -> Vec<PathBuf> {
    let real = |file: &PathBuf| fs::canonicalize(file).ok();
    let files = sources.files.iter().flat_map(|file| [Some(file.clone()), real(file)]).flatten();
    let parents = files.filter_map(|file| file.parent().map(Path::to_owned));
    let mut directories: Vec<PathBuf> = parents
        .chain(sources.tenants.clone())
        .map(|directory| if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory })
        .collect();
    directories.sort();
    directories.dedup();
    directories
}

fn fingerprint(sources: &Sources, look: impl Fn(&Path) -> Vec<u8>) -> Fingerprint {
    let mut digest = Blake2s256::new();
    let mut note = |octets: &[u8]| {
        digest.update((octets.len() as u64).to_be_bytes());
        digest.update(octets);
    };
    // A file that appears in the tenants' directory is in no list yet.
    let tenants = sources.tenants.as_deref().map(files::tenants);
    for path in tenants.into_iter().flatten().flatten().chain(sources.files.iter().cloned()) {
        note(path.as_os_str().as_encoded_bytes());
        note(&look(&path));
    }
    digest.finalize().into()
}
