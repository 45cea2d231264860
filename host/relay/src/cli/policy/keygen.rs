//! `posthouse policy keygen`: a pair of keys to sign policies with.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use crate::cli::terminal::say;
use crate::hex;

/// Where the private key goes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The file for the private key; it is made with mode 0600, and never overwritten
    file: PathBuf,
    /// The signer's name
    #[arg(long, default_value = "me")]
    name: String,
}

pub(super) fn keygen(options: &Options) -> Result<ExitCode, String> {
    let path = options.file.display();
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| "the system has no randomness".to_owned())?;
    let pair =
        Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| "the key cannot be used; try again".to_owned())?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&options.file);
    let mut file = made.map_err(|error| format!("{path}: cannot make this file: {error}"))?;
    let text = zeroize::Zeroizing::new(hex::digits(&*seed));
    writeln!(file, "{}", *text).map_err(|error| format!("{path}: {error}"))?;
    say(&format!("# The private key is in {path}. This goes into the tenant's file:"));
    say(&format!(
        "[[policy.signers]]\nname = \"{}\"\nkey = \"{}\"",
        options.name,
        hex::digits(pair.public_key().as_ref())
    ));
    Ok(ExitCode::SUCCESS)
}
