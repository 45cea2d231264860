//! The tenant's file and its secrets.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use posthouse_oauth::secret::Secret;
use posthouse_smtp::path::Mailbox;

use super::Record;
use super::fields::{Fate, Meaning, known};
use crate::cli::account::private::{self, Existing};
use crate::config::password;
use crate::config::provider::Provider;
use crate::config::provider::built_in::{BuiltIn, Cloud};

/// A tenant that is being put together.
pub(super) struct Tenant {
    id: String,
    accounts: Vec<(String, String)>,
    addresses: HashSet<String>,
    senders: Vec<String>,
    /// Secrets by file name.
    secrets: BTreeMap<String, Secret>,
}

/// One account's values, by meaning.
struct Values<'r>(Vec<(Meaning, &'r str)>);

impl<'r> Values<'r> {
    fn get(&self, wanted: Meaning) -> Option<&'r str> {
        self.0.iter().find(|(meaning, _)| *meaning == wanted).map(|(_, value)| *value)
    }
}

impl Tenant {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            accounts: Vec::new(),
            addresses: HashSet::new(),
            senders: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// The first account's id.
    pub(super) fn first(&self) -> &str {
        self.accounts.first().map_or("", |(id, _)| id)
    }

    /// Where the secrets are.
    pub(super) fn secrets(&self, output: &Path) -> PathBuf {
        output.join("secrets").join(&self.id)
    }

    /// One more account; what became of each of its fields, or why it is left out.
    pub(super) fn add(&mut self, index: usize, record: &Record) -> Result<Vec<(String, Fate)>, String> {
        let fates: Vec<_> = record.keys().map(|name| (name.clone(), known(name).1)).collect();
        let values = Values(record.iter().map(|(name, value)| (known(name).0, value.as_str())).collect());
        let place = values
            .get(Meaning::Id)
            .or(values.get(Meaning::Address))
            .map_or(String::new(), |name| format!(" ({})", cleaned(name)));
        let left_out = |why: &str| format!("account {}{place}: {why}", index + 1);
        let address = values.get(Meaning::Address).ok_or_else(|| left_out("it has no email"))?;
        let address: Mailbox = address.parse().map_err(|_| left_out("its email is no address"))?;
        if !self.addresses.insert(address.to_string().to_ascii_lowercase()) {
            return Err(left_out("another account is the same mailbox, whose limits would be used twice"));
        }
        let id = self.free_id(values.get(Meaning::Id).unwrap_or(address.local()));
        let mut text = String::new();
        let secrets = account(&mut text, &id, &address, &values).map_err(|why| {
            self.addresses.remove(&address.to_string().to_ascii_lowercase());
            left_out(&why)
        })?;
        for (key, secret) in secrets {
            let file = format!("{id}-{key}");
            let _ = writeln!(text, "{} = \"file:secrets/{}/{file}\"", key.replace('-', "_"), self.id);
            self.secrets.insert(file, secret);
        }
        self.senders.push(address.to_string());
        self.accounts.push((id, text));
        Ok(fates)
    }

    /// Writes everything; the tenant's file last, so that it names nothing that is not there.
    pub(super) fn write(&mut self, output: &Path) -> Result<PathBuf, String> {
        let file = output.join(format!("{}.toml", self.id));
        if file.exists() {
            return Err(format!(
                "{} exists, and is not overwritten; choose another --tenant or --output",
                file.display()
            ));
        }
        let mut octets = [0_u8; 18];
        getrandom::fill(&mut octets).map_err(|_| "the system has no randomness".to_owned())?;
        let mut word = Vec::new();
        posthouse_smtp::base64::encode(&octets, &mut word);
        let hash = password::hash(&word);
        let word = Secret::new(String::from_utf8_lossy(&word));
        self.secrets.insert("login-password".to_owned(), word);
        let directory = self.secrets(output);
        for (name, secret) in &self.secrets {
            private::write(&directory.join(name), secret.expose(), Existing::Kept)?;
        }
        private::write(&file, &self.text(&hash), Existing::Kept)?;
        Ok(file)
    }

    fn text(&self, hash: &str) -> String {
        let senders = self.senders.iter().map(|sender| quoted(sender)).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "# Imported by `posthouse account import`. A message leaves through the account whose address is its MAIL FROM.\n\n\
             [[logins]]\nname = {}\npassword = {}\nsenders = [{senders}]\n\n",
            quoted(&self.id),
            quoted(hash)
        );
        for (_, account) in &self.accounts {
            text.push_str(account);
            text.push('\n');
        }
        text
    }

    /// An id that a configuration takes and that no other account has.
    fn free_id(&self, wanted: &str) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() || "._@+-".contains(c) { c } else { '-' };
        let base: String = wanted.chars().map(fits).take(56).collect();
        let taken = |id: &str| self.accounts.iter().any(|(known, _)| known == id);
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        std::iter::once(base.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(base)
    }
}

/// The account's section up to its secrets, which are returned with their keys.
fn account(
    text: &mut String,
    id: &str,
    address: &Mailbox,
    values: &Values<'_>,
) -> Result<Vec<(&'static str, Secret)>, String> {
    let provider = provider(values)?;
    let _ = writeln!(text, "[[accounts]]\nid = {}\naddress = {}", quoted(id), quoted(address.as_str()));
    let _ = writeln!(text, "provider = {}", quoted(&provider.name));
    server(text, &provider, values)?;
    if let Some(source) = values.get(Meaning::SourceAddress) {
        let source: IpAddr = source.parse().map_err(|_| "its ip_address is no IP address".to_owned())?;
        let _ = writeln!(text, "source_address = \"{source}\"");
    }
    limits(text, values)?;
    if let Some(scope) = values.get(Meaning::Scope).filter(|scope| Some(*scope) != provider.scope.as_deref()) {
        let _ = writeln!(text, "scope = {}", quoted(scope));
    }
    grant(text, &provider, values)
}

fn provider(values: &Values<'_>) -> Result<Provider, String> {
    let said = values.get(Meaning::Provider).unwrap_or_default().to_lowercase();
    let hint = format!(
        "{said} {} {}",
        values.get(Meaning::Server).or(values.get(Meaning::Host)).unwrap_or_default(),
        values.get(Meaning::TokenUrl).unwrap_or_default()
    );
    let any = |words: &[&str]| words.iter().any(|word| hint.to_lowercase().contains(word));
    if any(&["gmail", "google"]) {
        Ok(BuiltIn::Gmail.provider())
    } else if any(&["partner.outlook.cn", "microsoftonline.cn"]) {
        Ok(BuiltIn::Outlook(Cloud::China).provider())
    } else if any(&["office365.us", "microsoftonline.us"]) {
        Ok(BuiltIn::Outlook(Cloud::UsGov).provider())
    } else if any(&["outlook", "office365", "o365", "microsoft", "m365"]) {
        Ok(BuiltIn::Outlook(Cloud::Worldwide).provider())
    } else if values.get(Meaning::Server).or(values.get(Meaning::Host)).is_some() {
        Ok(BuiltIn::Generic.provider())
    } else {
        Err("it is not clear who its provider is: neither `provider` nor a host says so".to_owned())
    }
}

fn server(text: &mut String, provider: &Provider, values: &Values<'_>) -> Result<(), String> {
    let (host, port) = match values.get(Meaning::Server) {
        Some(server) => match server.rsplit_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(server), None),
        },
        None => (values.get(Meaning::Host), values.get(Meaning::Port)),
    };
    let port = port.map(|port| port.parse::<u16>().map_err(|_| "its port is no port".to_owned())).transpose()?;
    if let Some(host) = host.filter(|host| *host != provider.host) {
        let _ = writeln!(text, "host = {}", quoted(host));
    }
    if let Some(port) = port.filter(|port| *port != provider.port) {
        // Each port has its way of protection, whatever the provider's own is.
        let tls = if port == 465 { "implicit" } else { "starttls" };
        let _ = writeln!(text, "port = {port}\ntls = \"{tls}\"");
    }
    Ok(())
}

fn limits(text: &mut String, values: &Values<'_>) -> Result<(), String> {
    let number = |meaning, name: &str| match values.get(meaning) {
        Some(value) => value
            .parse::<u32>()
            .map(|number| Some(number).filter(|number| *number > 0))
            .map_err(|_| format!("its {name} is no number")),
        None => Ok(None),
    };
    if let Some(sessions) = number(Meaning::Sessions, "number of connections")? {
        let _ = writeln!(
            text,
            "sessions = {}",
            sessions.min(crate::config::defaults::SESSIONS_MOST.try_into().unwrap_or(u32::MAX))
        );
    }
    let hourly = number(Meaning::MessagesPerHour, "max_messages_per_hour")?.map(|hourly| (hourly / 60).max(1));
    if let Some(rate) = number(Meaning::MessagesPerMinute, "max_messages_per_minute")?.or(hourly) {
        let _ = writeln!(text, "messages_per_minute = {rate}");
    }
    if let Some(messages) = number(Meaning::MessagesPerSession, "max_messages_per_connection")? {
        let _ = writeln!(text, "messages_per_session = {messages}");
    }
    Ok(())
}

fn grant(text: &mut String, provider: &Provider, values: &Values<'_>) -> Result<Vec<(&'static str, Secret)>, String> {
    let secret = |meaning| values.get(meaning).map(Secret::new);
    let Some(refresh_token) = secret(Meaning::RefreshToken) else {
        let password = secret(Meaning::Password).ok_or("it has neither a refresh_token nor a password")?;
        text.push_str("[accounts.grant]\nkind = \"password\"\n");
        return Ok(vec![("password", password)]);
    };
    let client_id = values.get(Meaning::ClientId).ok_or("it has a refresh_token and no client_id")?;
    let (own_url, directory) = place(provider, values);
    if let Some(url) = own_url {
        let _ = writeln!(text, "token_url = {}", quoted(url));
    }
    let _ = writeln!(text, "[accounts.grant]\nkind = \"refresh_token\"\nclient_id = {}", quoted(client_id));
    if let Some(directory) = directory {
        let _ = writeln!(text, "directory = {}", quoted(directory));
    }
    let mut secrets = vec![("refresh-token", refresh_token)];
    secrets.extend(secret(Meaning::ClientSecret).map(|secret| ("client-secret", secret)));
    Ok(secrets)
}

/// The token URL, where it is not the provider's own, and the directory that the provider's own has a place for.
fn place<'r>(provider: &Provider, values: &Values<'r>) -> (Option<&'r str>, Option<&'r str>) {
    let said = values.get(Meaning::Directory);
    let own = provider.token_url.as_deref().unwrap_or_default();
    let Some(url) = values.get(Meaning::TokenUrl).filter(|url| *url != own) else { return (None, said) };
    let parts = own.split_once(crate::config::provider::DIRECTORY_PLACE);
    let directory = parts.and_then(|(before, after)| url.strip_prefix(before)?.strip_suffix(after));
    match directory {
        Some(directory) => (None, Some(said.unwrap_or(directory))),
        None => (Some(url), None),
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What can be shown of a name that somebody wrote.
fn cleaned(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
