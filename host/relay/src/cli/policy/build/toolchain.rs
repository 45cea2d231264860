//! A compiler for wasm32-unknown-unknown: the usual one where it has the target, else Debian's, which comes with
//! the standard library's source and builds that too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";
/// The relay wipes a call's memory, the stack with it: 64 KiB instead of the usual 1 MiB halve what a call costs.
const STACK: &str = "-Clink-arg=-zstack-size=65536";
/// Debian's packages rustc-web, cargo-web and rust-web-src.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";

/// What compiles.
#[derive(Debug)]
pub(super) struct Toolchain {
    cargo: PathBuf,
    /// Of the toolchain that builds the library too.
    linker: Option<PathBuf>,
    /// What it is, for people.
    pub(super) description: String,
}

impl Toolchain {
    /// The one to use in this folder, which may have a rust-toolchain.toml.
    pub(super) fn choose(folder: &Path) -> Result<Self, String> {
        let sysroot = answer("rustc", &["--print", "sysroot"], folder).map(PathBuf::from);
        if let Some(sysroot) = &sysroot
            && sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
        {
            let description = format!("with {}", version("rustc", folder));
            return Ok(Self { cargo: PathBuf::from("cargo"), linker: None, description });
        }
        let has_debian = [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LIBRARY].iter().all(|path| Path::new(path).exists());
        if let Some(linker) = linker(sysroot.as_deref()).filter(|_| has_debian) {
            let version = version(DEBIAN_RUSTC, folder);
            let description = format!(
                "with Debian's {version}; its first build compiles the standard library too, which takes a minute or two"
            );
            return Ok(Self { cargo: PathBuf::from(DEBIAN_CARGO), linker: Some(linker), description });
        }
        Err(missing(sysroot.is_some()))
    }

    /// `cargo build`, with its progress for people and its messages for this program.
    pub(super) fn cargo(&self, folder: &Path) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.current_dir(folder);
        cargo.args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
        if let Some(linker) = &self.linker {
            // RUSTC_BOOTSTRAP: a stable compiler builds its own library with the flags of a nightly one.
            cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC);
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker).arg("-Zbuild-std=std,panic_abort");
        }
        // Panics name source files: without this the octets would depend on where the folder lies.
        cargo.arg("--config").arg(format!("target.{TARGET}.rustflags={}", flags(folder)));
        cargo
    }

    pub(super) fn broken(&self, error: &io::Error) -> String {
        format!("{} cannot be run: {error}", self.cargo.display())
    }
}

fn flags(folder: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let flag = |from: &Path, to: &str| toml::Value::from(format!("--remap-path-prefix={}={to}", from.display()));
    toml::Value::from(vec![flag(folder, "/policy"), flag(&cargo, "/cargo"), STACK.into()]).to_string()
}

/// A linker for WebAssembly: rustup's, Debian's, or LLVM's own.
fn linker(sysroot: Option<&Path>) -> Option<PathBuf> {
    let hosts = sysroot.and_then(|sysroot| fs::read_dir(sysroot.join("lib/rustlib")).ok());
    let rustups = hosts.into_iter().flatten().flatten().map(|host| host.path().join("bin/rust-lld"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let llvms = std::env::split_paths(&paths).map(|folder| folder.join("wasm-ld")).collect::<Vec<_>>();
    rustups.chain([PathBuf::from("/usr/bin/rust-lld")]).chain(llvms).find(|path| path.is_file())
}

fn version(rustc: &str, folder: &Path) -> String {
    let version = answer(rustc, &["--version"], folder).unwrap_or_else(|| "rustc".to_owned());
    // Without the commit.
    version.split(" (").next().unwrap_or_default().to_owned()
}

/// What a program says, if it can be run.
fn answer(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn missing(has_rust: bool) -> String {
    let rust = if has_rust { "" } else { "install Rust (https://rustup.rs), then " };
    format!(
        "there is no compiler for {TARGET}: {rust}run `rustup target add {TARGET}`; where rustup reaches no server, on \
         Debian, `apt-get install rustc-web cargo-web rust-web-src lld`"
    )
}
