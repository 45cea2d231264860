//! What a file must be to become a policy: told before anything of it runs.
//!
//! A walk over the component's outside, in bounded time: sizes, names of imports and exports. It runs in the
//! compile worker for tenants' files, and in the author's own process for `posthouse policy check`.

use std::ops::RangeInclusive;

use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;
use wit_component::ComponentEncoder;

use crate::failure::LoadError;
use crate::limits;

/// The package of the contract.
const PACKAGE: &str = "posthouse:policy/";
/// The version of the contract that this relay speaks; a policy for an earlier 0.1 runs as well.
pub const VERSION: (u64, u64, u64) = (0, 1, 0);
/// The interfaces that a policy may import.
pub const IMPORTS: &[&str] = &[
    "types",
    "log",
    "settings",
    "counters",
    "key-value",
    "environment",
    "accounts",
    "envelope",
    "message",
    "decision",
    "attempt",
];
/// The hooks that a policy may export.
pub const HOOKS: &[&str] = &["on-recipient", "on-message", "on-outcome"];
/// Components in components: composed policies have two or three.
const DEPTH: usize = 8;
/// Core modules: Python's component has a few dozen, by dynamic linking.
const MODULES: RangeInclusive<usize> = 1..=64;

/// A file that may be compiled.
#[derive(Debug)]
pub struct Admitted {
    /// The component; a core module was wrapped into one.
    pub component: Vec<u8>,
    /// Whether the file was a core module.
    pub was_module: bool,
    /// The interfaces that it imports, such as `posthouse:policy/log@0.1.0`.
    pub imports: Vec<String>,
    /// The hooks that it exports, such as `on-message`.
    pub hooks: Vec<&'static str>,
    /// Core modules in it.
    pub modules: usize,
}

/// Looks at a file.
///
/// # Errors
/// It cannot be a policy; the text says why and what to do.
pub fn admit(file: &[u8]) -> Result<Admitted, LoadError> {
    if file.len() > limits::COMPONENT {
        let (size, most) = (file.len() / 1024, limits::COMPONENT / 1024);
        return unfit(format!("it has {size} KiB, and at most {most} KiB are taken"));
    }
    if Engine::detect_precompiled(file).is_some() {
        return unfit("it is code compiled for a processor, which is never taken: upload the WebAssembly component");
    }
    let was_module = match encoding(file)? {
        Encoding::Module => true,
        Encoding::Component => false,
    };
    if was_module {
        check_whole(file)?;
    }
    let component = if was_module { wrapped(file)? } else { file.to_vec() };
    let outside = Outside::read(&component)?;
    if was_module && outside.exports.is_empty() {
        return unfit("it is a core module without the component types that wit-bindgen puts into it");
    }
    let hooks = outside.hooks()?;
    outside.check_imports()?;
    Ok(Admitted { was_module, imports: outside.imports, hooks, modules: outside.modules, component })
}

fn unfit<T>(reason: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::Unfit(reason.into()))
}

fn encoding(file: &[u8]) -> Result<Encoding, LoadError> {
    match Parser::new(0).parse_all(file).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(encoding),
        _ => unfit("it is no WebAssembly: build a policy with `posthouse policy build`"),
    }
}

/// wit-component panics on a module that ends too early; a component is looked at anyway.
fn check_whole(module: &[u8]) -> Result<(), LoadError> {
    let damaged = |error: wasmparser::BinaryReaderError| LoadError::Unfit(format!("it is damaged: {error}"));
    Parser::new(0).parse_all(module).try_for_each(|payload| payload.map(drop).map_err(damaged))
}

/// The component around a core module that carries its component type.
fn wrapped(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| {
        let advice = "a core module needs the component types that wit-bindgen puts into it";
        LoadError::Unfit(format!("it cannot be made a component ({advice}): {error:#}"))
    })
}

/// What is seen of a component from outside.
#[derive(Debug, Default)]
struct Outside {
    imports: Vec<String>,
    exports: Vec<String>,
    modules: usize,
}

impl Outside {
    fn read(component: &[u8]) -> Result<Self, LoadError> {
        let damaged = |error: wasmparser::BinaryReaderError| LoadError::Unfit(format!("it is damaged: {error}"));
        let (mut outside, mut depth) = (Self::default(), 0_usize);
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(damaged)? {
                Payload::ModuleSection { .. } => {
                    depth += 1;
                    outside.modules += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        outside.imports.push(import.map_err(damaged)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        outside.exports.push(export.map_err(damaged)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
            if depth > DEPTH || outside.modules > *MODULES.end() {
                let (depth, modules) = (DEPTH, MODULES.end());
                return unfit(format!("components nest at most {depth} deep and have at most {modules} core modules"));
            }
        }
        if !MODULES.contains(&outside.modules) {
            return unfit("there is no code in it");
        }
        Ok(outside)
    }

    fn hooks(&self) -> Result<Vec<&'static str>, LoadError> {
        let exports = |interface: &str| self.exports.iter().any(|name| interface_of(name) == Some(interface));
        if !exports("policy") {
            return unfit("it does not export posthouse:policy/policy, by which every policy describes itself");
        }
        let hooks: Vec<_> = HOOKS.iter().copied().filter(|hook| exports(hook)).collect();
        if hooks.is_empty() {
            return unfit(format!("it decides nothing: it exports none of {}", HOOKS.join(", ")));
        }
        Ok(hooks)
    }

    fn check_imports(&self) -> Result<(), LoadError> {
        for name in &self.imports {
            match interface_of(name) {
                Some(interface) if IMPORTS.contains(&interface) => {}
                Some(_) => return unfit(format!("it imports `{name}`, which this relay does not know: {}", spoken())),
                None if name.starts_with(PACKAGE) => {
                    return unfit(format!("it imports `{name}`, another version of the contract: {}", spoken()));
                }
                None => return unfit(format!("it imports `{}`: {}", shown(name), foreign(name))),
            }
        }
        Ok(())
    }
}

fn spoken() -> String {
    let (major, minor, patch) = VERSION;
    format!("it speaks posthouse:policy@{major}.{minor}.{patch}")
}

fn foreign(name: &str) -> &'static str {
    if name.starts_with("wasi:") {
        "a policy has no files, no network and no clock; build Rust for wasm32-unknown-unknown, and JavaScript and \
         Python with --stub-wasi"
    } else {
        "a policy may import posthouse:policy only"
    }
}

fn shown(name: &str) -> String {
    crate::log::printable(&name.chars().take(120).collect::<String>())
}

/// The interface of the contract that a name means, if its version is one that is spoken here.
fn interface_of(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
    let (major, minor, patch) = (numbers.next()??, numbers.next()??, numbers.next()??);
    ((major, minor) == (VERSION.0, VERSION.1) && patch <= VERSION.2 && numbers.next().is_none()).then_some(interface)
}

#[cfg(test)]
mod tests;
