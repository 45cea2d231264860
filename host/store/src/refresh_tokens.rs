//! Refresh tokens that took another's place, sealed, each bound to the record that it stands in.
//!
//! Invariant: a token that [`RefreshTokens::put`] has taken is on the disk. One that no key opens stays as it is until
//! somebody puts another there: reading never writes. A chain is its tenant's and its origin's: what the account is called
//! is for people, and an account that has another id now finds what was kept under the old one. An id finds nothing that
//! is of another origin, whoever had that id before.

use redb::{ReadableTable, TableDefinition, Value};

use crate::database::{Database, Fault, next_name, table};
use crate::error::Error;
use crate::keys::Keys;
use crate::keys::seal::{Unopened, sealed_under};
use crate::lives;
use crate::secret::Secret;

/// How the origin of a chain begins that grew from no configured token, but from what `posthouse account login` brought. No
/// digest is like it. Alone it is the origin of all such chains that were kept before origins said whose consent it is:
/// those were found by the account's id alone.
pub const LOGIN: &str = "login";

pub(crate) type Key = (&'static str, &'static str, &'static str);
const TABLE: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("refresh-tokens");

/// What a token is kept by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The tenant: no tenant ever gets another's token.
    pub tenant: String,
    /// The account, by the id that it had when the token was kept.
    pub account: String,
    /// What the chain grew from: a digest of the configured grant, or of whose consent `posthouse account login` brought.
    /// Another one begins a new chain, and the old one's tokens are not taken for it.
    pub origin: String,
}

impl Chain {
    pub(crate) fn key(&self) -> (&str, &str, &str) {
        (&self.tenant, &self.account, &self.origin)
    }

    fn place(&self) -> [&str; 3] {
        [&self.tenant, &self.account, &self.origin]
    }

    pub(crate) fn of((tenant, account, origin): (&str, &str, &str)) -> Self {
        Self { tenant: tenant.to_owned(), account: account.to_owned(), origin: origin.to_owned() }
    }
}

/// The refresh tokens of a store.
#[derive(Debug, Clone, Copy)]
pub struct RefreshTokens<'s> {
    database: &'s Database,
    keys: &'s Keys,
}

impl<'s> RefreshTokens<'s> {
    pub(crate) fn new(database: &'s Database, keys: &'s Keys) -> Self {
        Self { database, keys }
    }

    /// Keeps the newest token of a chain, and forgets those of the same origin under other accounts. It is durable
    /// on return.
    ///
    /// # Errors
    /// It could not be written; the one before stays.
    pub fn put(&self, chain: &Chain, token: &Secret) -> Result<(), Error> {
        let sealed = self.keys.seal(&chain.place(), token);
        self.database.write("keep a refresh token", |transaction| {
            let mut tokens = transaction.open_table(TABLE)?;
            for older in of_origin(&tokens, chain)? {
                tokens.remove(older.key())?;
            }
            tokens.insert(chain.key(), sealed.as_slice())?;
            Ok(())
        })
    }

    /// The newest token of a chain, if one was put, be it when its account had another id.
    ///
    /// # Errors
    /// No key opens it, it was altered, or it could not be read. It stays as it is.
    pub fn get(&self, chain: &Chain) -> Result<Option<Secret>, Error> {
        let kept = self.database.read("read a refresh token", |transaction| {
            let Some(tokens) = table(transaction, TABLE)? else { return Ok(None) };
            let Some(kept) = kept_as(&tokens, chain)? else { return Ok(None) };
            Ok(tokens.get(kept.key())?.map(|sealed| (kept.clone(), sealed.value().to_vec())))
        })?;
        kept.map(|(kept, sealed)| self.open(&kept, &sealed)).transpose()
    }

    /// Copies each token that was found by its account's id alone (of the origin [`LOGIN`]) to the chain that it belongs to,
    /// with what is known of its life. Says which there are, and which of them are nobody's. A release that knows no other
    /// origin is the only one that writes such, so that what is there is newer than what its new chain may hold. For such a
    /// release, should it go on after all, nothing has changed before [`Self::forget_logins`].
    ///
    /// # Errors
    /// A token does not open, or nothing could be written: then nothing has changed.
    pub fn copy_logins(&self, whose: impl Fn(&Chain) -> Option<Chain>) -> Result<Vec<(Chain, Option<Chain>)>, Error> {
        let logins = self.logins()?;
        if logins.is_empty() {
            return Ok(Vec::new());
        }
        self.database.write("copy refresh tokens", |transaction| {
            let mut tokens = transaction.open_table(TABLE)?;
            let mut copied = Vec::new();
            for login in logins {
                let Some(sealed) = tokens.get(login.key())?.map(|sealed| sealed.value().to_vec()) else { continue };
                let chain = whose(&login);
                // What was copied before and used since is the newer one: the copied one was only not forgotten.
                let is_outlived = |chain: &Chain| lives::is_newer(transaction, chain, &login);
                if let Some(chain) = &chain
                    && !(tokens.get(chain.key())?.is_some() && is_outlived(chain)?)
                {
                    let token = self.open(&login, &sealed).map_err(Fault::Ours)?;
                    for older in of_origin(&tokens, chain)? {
                        tokens.remove(older.key())?;
                    }
                    tokens.insert(chain.key(), self.keys.seal(&chain.place(), &token).as_slice())?;
                    lives::copy(transaction, &login, chain)?;
                }
                copied.push((login, chain));
            }
            Ok(copied)
        })
    }

    /// Forgets all that are found by an account's id alone, and their lives: no account that gets the id later may find
    /// them.
    ///
    /// # Errors
    /// They could not be read, or nothing could be written: then nothing has changed.
    pub fn forget_logins(&self) -> Result<(), Error> {
        let logins = self.logins()?;
        if logins.is_empty() {
            return Ok(());
        }
        self.database.write("remove refresh tokens", |transaction| {
            let mut tokens = transaction.open_table(TABLE)?;
            for login in &logins {
                tokens.remove(login.key())?;
                lives::forget(transaction, login)?;
            }
            Ok(())
        })
    }

    fn logins(&self) -> Result<Vec<Chain>, Error> {
        Ok(self.chains()?.into_iter().filter(|chain| chain.origin == LOGIN).collect())
    }

    /// Forgets a chain; says whether there was one.
    ///
    /// # Errors
    /// It could not be written.
    pub fn remove(&self, chain: &Chain) -> Result<bool, Error> {
        self.database.write("remove a refresh token", |transaction| {
            Ok(transaction.open_table(TABLE)?.remove(chain.key())?.is_some())
        })
    }

    /// All chains, without their tokens.
    ///
    /// # Errors
    /// They could not be read.
    pub fn chains(&self) -> Result<Vec<Chain>, Error> {
        self.database.read("list refresh tokens", |transaction| {
            let Some(tokens) = table(transaction, TABLE)? else { return Ok(Vec::new()) };
            tokens.iter()?.map(|entry| Ok(Chain::of(entry?.0.value()))).collect()
        })
    }

    /// Seals everything anew that is not sealed under the first key, and says how much that was. Copies of the file from
    /// before, and its free pages until they are used again, still open with the old key.
    ///
    /// # Errors
    /// A token does not open, or nothing could be written: then nothing has changed.
    pub fn reencrypt(&self) -> Result<usize, Error> {
        if self.keys_in_use()?.iter().all(|(id, _)| *id == self.keys.ids()[0].to_string()) {
            return Ok(0);
        }
        self.database.write("seal refresh tokens anew", |transaction| {
            let mut tokens = transaction.open_table(TABLE)?;
            let mut anew = Vec::new();
            for entry in tokens.iter()? {
                let (chain, sealed) = entry?;
                if !self.keys.is_newest(sealed.value()) {
                    let chain = Chain::of(chain.value());
                    let token = self.open(&chain, sealed.value()).map_err(Fault::Ours)?;
                    anew.push((self.keys.seal(&chain.place(), &token), chain));
                }
            }
            for (sealed, chain) in &anew {
                tokens.insert(chain.key(), sealed.as_slice())?;
            }
            Ok(anew.len())
        })
    }

    fn open(&self, chain: &Chain, sealed: &[u8]) -> Result<Secret, Error> {
        let record = || format!("the refresh token of {}/{}", chain.tenant, chain.account);
        self.keys.open(&chain.place(), sealed).map_err(|unopened| match unopened {
            Unopened::Malformed => self.database.unreadable(record(), &"it is no sealed secret of a known form"),
            Unopened::Forged(key) => Error::Forged { record: record(), key },
            Unopened::KeyMissing(wanted) => {
                let given: Vec<String> = self.keys.ids().iter().map(ToString::to_string).collect();
                Error::KeyMissing { record: record(), wanted, given: given.join(", ") }
            }
        })
    }

    /// The names of the keys that tokens are sealed under, with the number of tokens.
    ///
    /// # Errors
    /// They could not be read.
    pub fn keys_in_use(&self) -> Result<Vec<(String, usize)>, Error> {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        self.database.read("list refresh tokens", |transaction| {
            let Some(tokens) = table(transaction, TABLE)? else { return Ok(()) };
            for entry in tokens.iter()? {
                if let Some(id) = sealed_under(entry?.1.value()) {
                    *counts.entry(id.to_string()).or_default() += 1;
                }
            }
            Ok(())
        })?;
        Ok(counts.into_iter().collect())
    }
}

/// Under which chain something is kept of this one's origin: as a rule under itself, which is found without a search.
pub(crate) fn kept_as<V: Value + 'static>(
    table: &impl ReadableTable<Key, V>,
    chain: &Chain,
) -> Result<Option<Chain>, Fault> {
    if table.get(chain.key())?.is_some() {
        return Ok(Some(chain.clone()));
    }
    Ok(of_origin(table, chain)?.into_iter().next())
}

/// All chains under which something is kept of this one's origin, whatever their accounts are called.
fn of_origin<V: Value + 'static>(table: &impl ReadableTable<Key, V>, chain: &Chain) -> Result<Vec<Chain>, Fault> {
    let mut kept = Vec::new();
    for entry in table.range((&*chain.tenant, "", "")..(&*next_name(&chain.tenant), "", ""))? {
        let of = Chain::of(entry?.0.value());
        let is_found = if chain.origin == LOGIN { of == *chain } else { of.origin == chain.origin };
        if is_found {
            kept.push(of);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
