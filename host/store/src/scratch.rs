//! A state directory for a test, removed at its end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::keys::Keys;
use crate::store::Store;

pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("posthouse-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.0, keys(b"1")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A key for each octet, the first one writing.
pub(crate) fn keys(of: &[u8]) -> Keys {
    let lines: Vec<String> = of.iter().map(|octet| format!("{octet:02x}").repeat(32)).collect();
    Keys::parse(lines.join("\n").as_bytes()).unwrap()
}
