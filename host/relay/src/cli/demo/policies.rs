//! The tenants' policies of the demonstration: reference policies, as files for as long as they are loaded.

use std::path::PathBuf;

const ACCOUNT_BY_SENDER: &[u8] = include_bytes!("../../../../../plugins/prebuilt/account-by-sender.wasm");
const RECIPIENT_GUARD: &[u8] = include_bytes!("../../../../../plugins/prebuilt/recipient-guard.wasm");

/// The files; gone again when this is dropped.
pub(super) struct PolicyFiles {
    directory: PathBuf,
}

impl PolicyFiles {
    pub(super) fn write() -> Result<Self, String> {
        let directory = std::env::temp_dir().join(format!("posthouse-demo-{}-policies", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
        std::fs::create_dir_all(&directory).map_err(failed)?;
        std::fs::write(directory.join("account-by-sender.wasm"), ACCOUNT_BY_SENDER).map_err(failed)?;
        std::fs::write(directory.join("recipient-guard.wasm"), RECIPIENT_GUARD).map_err(failed)?;
        Ok(Self { directory })
    }

    /// Bills go out by their own mailbox, all other mail by Gmail.
    pub(super) fn of_acme(&self) -> String {
        let settings = "\"billing@acme.example\" = \"outlook\"\n\"acme.example\" = \"gmail\"\n";
        self.policy("account-by-sender", settings)
    }

    /// Scans go to people whom the settings name.
    pub(super) fn of_globex(&self) -> String {
        self.policy("recipient-guard", "allow = \"example.org\"\n")
    }

    fn policy(&self, name: &str, settings: &str) -> String {
        let file = self.directory.join(name).with_extension("wasm");
        format!("[policy]\nfile = \"{}\"\n\n[policy.settings]\n{settings}\n", file.display())
    }
}

impl Drop for PolicyFiles {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
