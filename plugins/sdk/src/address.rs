//! Addresses as text: their parts, and lists of them.

/// What is behind an address's last `@`, in small letters; empty where there is none.
pub fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_ascii_lowercase())
}

/// What is before an address's last `@`, as it is written.
pub fn local_part_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local_part, _)| local_part)
}

/// Whether a field's body holds one mailbox, its display name and address: `Ann <ann@example.org>` is
/// `("Ann", "ann@example.org")`, and `ann@example.org` has an empty name. `None` for lists, groups and comments.
pub fn mailbox(body: &str) -> Option<(&str, &str)> {
    let body = body.trim();
    let (name, address) = match body.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<')?,
        None => ("", body),
    };
    let plain = |text: &str| !text.contains([' ', ',', ':', ';', '<', '>', '(', ')', '"']);
    let name = name.trim();
    let quoted = name.len() >= 2 && name.starts_with('"') && name.ends_with('"') && is_one_quoted_text(name);
    let bare = !name.contains([',', ':', ';', '<', '>', '(', ')', '"', '@']);
    ((quoted || bare) && plain(address) && address.contains('@')).then_some((name, address))
}

/// Whether the closing quote is the one at the end.
fn is_one_quoted_text(name: &str) -> bool {
    let inner = &name[1..name.len() - 1];
    let mut escaped = false;
    for character in inner.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

/// Addresses and domains: `ann@example.org`, `example.org`, and `.example.org` for all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    entries: Vec<String>,
}

impl Addresses {
    /// A list of these. An address's letters count alike, in its local part too.
    pub fn new<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Self {
        Addresses { entries: entries.into_iter().map(|entry| entry.as_ref().to_ascii_lowercase()).collect() }
    }

    /// Whether there is nothing on the list.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an address, its domain or a domain above it is on the list.
    pub fn contains(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        let domain = domain_of(&address);
        self.entries.iter().any(|entry| match entry {
            entry if entry.contains('@') => *entry == address,
            entry if entry.starts_with('.') => domain.ends_with(entry.as_str()),
            entry => *entry == domain,
        })
    }
}

#[cfg(test)]
mod tests;
