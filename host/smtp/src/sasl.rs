//! SASL mechanisms as a server reads them (RFC 4954, RFC 4616, RFC 7628, XOAUTH2).
//!
//! What a client presents becomes a value or is refused; nothing is verified here.

use std::fmt;

/// A mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The undocumented one that devices speak.
    Login,
    /// Google's and Microsoft's.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl Mechanism {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Login, Self::XOAuth2, Self::OAuthBearer];

    /// The name as it goes over the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The mechanism of this name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// A set of mechanisms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mechanisms(u8);

impl Mechanisms {
    /// The set of these.
    pub fn of(mechanisms: &[Mechanism]) -> Self {
        mechanisms.iter().fold(Self::default(), |set, mechanism| set.with(*mechanism))
    }

    /// The set and this one.
    pub const fn with(self, mechanism: Mechanism) -> Self {
        Self(self.0 | 1 << mechanism as u8)
    }

    /// Whether this one is in the set.
    pub const fn contains(self, mechanism: Mechanism) -> bool {
        self.0 & (1 << mechanism as u8) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in the set, in the order in which they are offered.
    pub fn iter(self) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL.into_iter().filter(move |mechanism| self.contains(*mechanism))
    }
}

/// A password or token: it prints as `[redacted]` and is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps these octets.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// The octets, to be used and not kept.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // The octets are looked at after they were overwritten, so that overwriting is not optimised away.
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a client presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// PLAIN and LOGIN.
    Password {
        /// As whom it wants to act; empty where it did not say (RFC 4616 2).
        authorization_id: String,
        /// Who it is.
        login: String,
        /// Its proof.
        password: Secret,
    },
    /// XOAUTH2 and OAUTHBEARER.
    Bearer {
        /// The mailbox.
        user: String,
        /// Its proof.
        token: Secret,
    },
}

/// PLAIN: `[authzid] NUL authcid NUL passwd` (RFC 4616 2).
pub fn plain(message: &[u8]) -> Option<Credentials> {
    let mut parts = message.split(|octet| *octet == 0);
    let (authorization_id, login, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || login.is_empty() || password.is_empty() {
        return None;
    }
    Some(Credentials::Password {
        authorization_id: identity(authorization_id)?,
        login: identity(login)?,
        password: Secret::new(password),
    })
}

/// LOGIN: the answers to its two questions.
pub fn login(user: &[u8], password: &[u8]) -> Option<Credentials> {
    let login = identity(user).filter(|login| !login.is_empty())?;
    let password = (!password.is_empty()).then(|| Secret::new(password))?;
    Some(Credentials::Password { authorization_id: String::new(), login, password })
}

/// XOAUTH2: `user=` U ^A `auth=Bearer ` T ^A ^A.
pub fn xoauth2(message: &[u8]) -> Option<Credentials> {
    let mut fields = message.strip_suffix(b"\x01\x01")?.split(|octet| *octet == 1);
    let user = identity(fields.next()?.strip_prefix(b"user=")?)?;
    let token = bearer(fields.next()?)?;
    fields.next().is_none().then_some(Credentials::Bearer { user, token })
}

/// OAUTHBEARER: `n,a=` U `,` ^A (key=value ^A)* ^A (RFC 7628 3.1).
pub fn oauthbearer(message: &[u8]) -> Option<Credentials> {
    let mut fields = message.strip_suffix(b"\x01\x01")?.split(|octet| *octet == 1);
    let header = fields.next()?.strip_prefix(b"n,a=")?.strip_suffix(b",")?;
    let user = identity(header)?.replace("=2C", ",").replace("=3D", "=");
    let token = fields.find_map(bearer)?;
    Some(Credentials::Bearer { user, token })
}

fn bearer(field: &[u8]) -> Option<Secret> {
    let (scheme, token) = field.strip_prefix(b"auth=")?.split_at_checked(7)?;
    let legal = !token.is_empty() && token.iter().all(|octet| (0x21..=0x7e).contains(octet));
    (scheme.eq_ignore_ascii_case(b"Bearer ") && legal).then(|| Secret::new(token))
}

/// A name in UTF-8 without control characters, of a length that a name can have.
fn identity(octets: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(octets).ok()?;
    (name.len() <= 320 && !name.contains(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
