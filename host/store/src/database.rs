//! The database's file: made whole, opened by one process, of a schema that is known; and transactions in it.
//!
//! Invariant: a transaction is durable when it has returned, and nothing of one that failed is seen.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Builder, CommitError, Database as Tables, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase,
    StorageError, TableDefinition, TableError, TransactionError, WriteTransaction,
};

use crate::error::Error;

/// The database, in the state directory.
pub(crate) const FILE: &str = "posthouse.redb";
/// The version of all tables and records. A change that an older release would misread raises it.
const SCHEMA: u64 = 1;
/// Pages kept in memory: nothing is read from here for each message, and what is not in them is in the system's own.
const CACHE_OCTETS: usize = 1 << 20;

/// Single numbers by name.
pub(crate) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
const SCHEMA_NUMBER: &str = "schema";

/// The file.
pub(crate) struct Database {
    /// None while another process has the file.
    tables: RwLock<Option<Tables>>,
    path: PathBuf,
}

/// What ends a transaction early.
pub(crate) enum Fault {
    /// The database says so.
    Database(redb::Error),
    /// We do.
    Ours(Error),
}

impl Database {
    /// Opens the database of a state directory; makes it where there is none.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let failed = |source| Error::File { attempt: "open", path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            make(&path)?;
        }
        let file = File::open(&path).map_err(failed)?;
        // A copy that was put in place may have been made readable for others on the way.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(failed)?;
        }
        let database = Self { tables: RwLock::new(Some(tables(&path, Builder::open)?)), path };
        match database.read("read the schema", |transaction| number(transaction, SCHEMA_NUMBER))? {
            Some(SCHEMA) => Ok(database),
            Some(found) if found > SCHEMA => Err(Error::Newer { path: database.path, found, known: SCHEMA }),
            found => {
                let reason = format!("it says schema {found:?}, and the first one is 1");
                Err(Error::Damaged { path: database.path, reason })
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file, once the transactions that have begun are over. Another process may open it then.
    pub(crate) fn close(&self) {
        drop(self.tables.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Opens the file again.
    pub(crate) fn reopen(&self) -> Result<(), Error> {
        let mut closed = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if closed.is_none() {
            *closed = Some(tables(&self.path, Builder::open)?);
        }
        Ok(())
    }

    /// Reads, all of one moment.
    pub(crate) fn read<T>(
        &self,
        attempt: &'static str,
        act: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let tables = self.tables();
        let transaction = begin(&tables, &self.path, |tables| tables.begin_read().map_err(Fault::from));
        transaction.and_then(|transaction| act(&transaction)).map_err(|fault| self.named(attempt, fault))
    }

    /// Writes, whole and durably, or nothing.
    pub(crate) fn write<T>(
        &self,
        attempt: &'static str,
        act: impl FnOnce(&WriteTransaction) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let transact = || {
            let tables = self.tables();
            let begun = |tables: &Tables| tables.begin_write().map_err(Fault::from);
            let mut transaction = begin(&tables, &self.path, begun)?;
            // Tenants choose octets that are stored here: with one phase a commit that was cut off is told from a whole one
            // by a checksum that is no cryptographic one.
            transaction.set_two_phase_commit(true);
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        transact().map_err(|fault| self.named(attempt, fault))
    }

    /// A record that does not read.
    pub(crate) fn unreadable(&self, record: impl Into<String>, reason: &impl ToString) -> Error {
        Error::Record { path: self.path.clone(), record: record.into(), reason: reason.to_string() }
    }

    fn tables(&self) -> RwLockReadGuard<'_, Option<Tables>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, attempt: &'static str, fault: Fault) -> Error {
        let path = self.path.clone();
        match fault {
            Fault::Ours(error) => error,
            Fault::Database(redb::Error::Corrupted(reason)) => Error::Damaged { path, reason },
            Fault::Database(redb::Error::Io(source)) => Error::File { attempt, path, source },
            Fault::Database(error) => Error::Failed { attempt, path, reason: error.to_string() },
        }
    }
}

/// Begins a transaction, if the file is open.
fn begin<T>(tables: &Option<Tables>, path: &Path, how: impl FnOnce(&Tables) -> Result<T, Fault>) -> Result<T, Fault> {
    match tables {
        Some(tables) => how(tables),
        None => Err(Error::HandedOver { path: path.to_owned() }.into()),
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Makes a database with its schema, aside, and puts it in place whole: a file that was cut off would be taken for a damaged
/// one. Of two makers the first one wins.
fn make(path: &Path) -> Result<(), Error> {
    let unique = getrandom::u64().map_err(|_| Error::Randomness)?;
    let aside = path.with_extension(format!("{unique:016x}.new"));
    let failed = |source| Error::File { attempt: "make", path: path.to_owned(), source };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed);
    let made = made.and_then(|_| {
        let tables = RwLock::new(Some(tables(&aside, Builder::create)?));
        let database = Database { tables, path: aside.clone() };
        database.write("make the schema", |transaction| {
            transaction.open_table(NUMBERS)?.insert(SCHEMA_NUMBER, SCHEMA)?;
            Ok(())
        })?;
        drop(database);
        match fs::hard_link(&aside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(()),
        }
    });
    let _ = fs::remove_file(&aside);
    made.and_then(|()| sync_directory(path).map_err(failed))
}

/// Makes the name of a file durable.
pub(crate) fn sync_directory(of: &Path) -> io::Result<()> {
    of.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Opens the file. All of it is checked: what comes later would be trusted, and the library may panic on it. (It may
/// do so here as well, which is why that is caught.)
fn tables(path: &Path, how: fn(&Builder, PathBuf) -> Result<Tables, DatabaseError>) -> Result<Tables, Error> {
    let open = || {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_OCTETS).set_check_integrity_on_open(true);
        how(&builder, path.to_owned())
    };
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(tables)) => Ok(tables),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => {
            Err(Error::InUse { path: path.to_owned() })
        }
        Ok(Err(DatabaseError::Storage(StorageError::Io(error)))) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Err(damaged(error.to_string())),
            _ => Err(Error::File { attempt: "open", path: path.to_owned(), source: error }),
        },
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("its pages do not fit together".to_owned())),
    }
}

/// A table to read, or none while nothing was ever written to it.
pub(crate) fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
    transaction: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, Fault> {
    match transaction.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A single number; none where it was never written.
pub(crate) fn number(transaction: &ReadTransaction, name: &str) -> Result<Option<u64>, Fault> {
    let Some(numbers) = table(transaction, NUMBERS)? else { return Ok(None) };
    Ok(numbers.get(name)?.map(|number| number.value()))
}

/// The first name behind this one in the order of names: where the records of one tenant end.
pub(crate) fn next_name(name: &str) -> String {
    format!("{name}\0")
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<TransactionError> for Fault {
    fn from(error: TransactionError) -> Self {
        Self::Database(error.into())
    }
}

impl From<TableError> for Fault {
    fn from(error: TableError) -> Self {
        Self::Database(error.into())
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Database(error.into())
    }
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Self {
        Self::Database(error.into())
    }
}
