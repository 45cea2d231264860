//! The reply table: what a provider's reply means, what the client hears of it, and for how long the
//! account is left alone.
//!
//! The rows are data: `shipped.toml`, and before those the operator's own. Invariants, whatever a
//! table says: a client's reply is never a 2yz, so that 250 stays the provider's; a refusal before
//! MAIL is never a 5yz to clients that queue; what the shipped table takes for a limit or a block is
//! never a reason to try another account.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};

use crate::meaning::{self, Meaning};
use crate::provider::ProviderKind;
use crate::stage::Stage;
use crate::verdict::{Clients, elsewhere};
use row::Row;
use unlisted::Unlisted;

mod check;
mod file;
mod row;
mod shape;
pub mod unlisted;

/// The table that comes with this release, as it is written.
pub const SHIPPED: &str = include_str!("replies/shipped.toml");

/// Rows, and how each meaning is treated where a row says nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The operator's, which are asked first.
    own: Vec<Row>,
    shipped: Arc<[Row]>,
    /// In the order of [`Meaning::ALL`].
    meanings: Vec<Arc<Treatment>>,
}

/// Something wrong in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, in octets from the beginning of the text; none means all of it.
    pub offset: Option<usize>,
    /// The row or meaning and the key.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// What follows from a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treatment {
    /// The row that said so; none where no row explains the reply.
    pub row: Option<String>,
    /// What clients that queue hear.
    pub queueing: Answer,
    /// What clients that do not try again hear.
    pub interactive: Answer,
    /// How long the account is left alone.
    pub pause: Option<Duration>,
    /// After how long the same message is put to the provider again; none is left to the client.
    pub retry: Option<Duration>,
}

/// What a client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The provider's own codes and words.
    Verbatim,
    /// These codes and words, and the provider's quoted behind them.
    Own {
        /// 400 to 599, and not 421.
        code: u16,
        /// Of the same class.
        enhanced: EnhancedCode,
        /// In a few words.
        text: String,
    },
}

/// A reply that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Where it came.
    pub stage: Stage,
    /// What it means.
    pub meaning: Meaning,
    /// What follows.
    pub treatment: Arc<Treatment>,
    /// Whether another account may try.
    pub another_account_may_try: bool,
}

impl Table {
    /// The table that comes with this release.
    pub fn shipped() -> Arc<Self> {
        static TABLE: LazyLock<Arc<Table>> = LazyLock::new(|| {
            let file = file::read(SHIPPED, None).expect("a test reads the shipped table");
            let meanings = file.meanings.into_iter().flatten().collect();
            Arc::new(Table { own: Vec::new(), shipped: file.rows.into(), meanings })
        });
        Arc::clone(&TABLE)
    }

    /// The shipped table with an operator's rows before its own, and the operator's word on meanings.
    ///
    /// # Errors
    /// All that is wrong with the text, in its order.
    pub fn with_own(text: &str) -> Result<Self, Vec<Fault>> {
        let shipped = Self::shipped();
        let file = file::read(text, Some(&shipped.meanings))?;
        // What the operator says of a meaning holds for the shipped rows of it, but for what those say themselves.
        let meanings: Vec<_> = file.meanings.into_iter().flatten().collect();
        let rows = shipped.shipped.iter().map(|row| row.retreated(&shipped.meanings, &meanings)).collect();
        Ok(Self { own: file.rows, shipped: rows, meanings })
    }

    /// What `reply`, which came at `stage` and is not a success, means.
    pub fn read(&self, provider: ProviderKind, stage: Stage, reply: &Reply) -> Reading {
        let fits = |row: &&Row| row.fits(provider, stage, reply);
        let own = self.own.iter().find(fits);
        let shipped = self.shipped.iter().find(fits);
        let Some(row) = own.or(shipped) else {
            let meaning = meaning::unlisted(stage, reply);
            let treatment = Arc::clone(&self.meanings[meaning as usize]);
            let another_account_may_try = elsewhere::is_the_accounts_own(meaning);
            return Reading { stage, meaning, treatment, another_account_may_try };
        };
        let is_obeyed = |row: &Row| !elsewhere::is_the_accounts_own(row.meaning);
        Reading {
            stage,
            meaning: row.meaning,
            treatment: Arc::clone(&row.treatment),
            another_account_may_try: !is_obeyed(row) && !shipped.is_some_and(is_obeyed),
        }
    }

    /// The names of the rows, in the order in which they are asked.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        self.own.iter().chain(&*self.shipped).filter_map(|row| row.treatment.row.as_deref())
    }
}

impl Treatment {
    /// What these clients hear.
    pub fn answer(&self, clients: Clients) -> &Answer {
        match clients {
            Clients::Queueing => &self.queueing,
            Clients::Interactive => &self.interactive,
        }
    }
}

impl Reading {
    /// The same with a longer pause, where the provider itself has named one.
    #[must_use]
    pub(crate) fn with_pause(mut self, pause: Option<Duration>) -> Self {
        if pause > self.treatment.pause {
            self.treatment = Arc::new(Treatment { pause, ..Treatment::clone(&self.treatment) });
        }
        self
    }

    /// Whether a row explains the reply.
    pub fn is_listed(&self) -> bool {
        self.treatment.row.is_some()
    }
}

/// A table, and where the replies are noted that it does not explain: what deliveries read replies with.
#[derive(Debug, Clone)]
pub struct Replies {
    table: Arc<Table>,
    unlisted: Arc<Unlisted>,
}

impl Replies {
    /// Reads by this table and notes what it misses.
    pub fn new(table: Arc<Table>, unlisted: Arc<Unlisted>) -> Self {
        Self { table, unlisted }
    }

    /// The memory of what the table misses.
    pub fn unlisted(&self) -> &Arc<Unlisted> {
        &self.unlisted
    }

    /// What `reply` means; noted where no row explains it.
    pub fn read(&self, provider: ProviderKind, stage: Stage, reply: &Reply) -> Reading {
        let reading = self.table.read(provider, stage, reply);
        if !reading.is_listed() {
            self.unlisted.note(provider, stage, reply);
        }
        reading
    }

    /// What `reply` means, which was read before.
    pub(crate) fn read_again(&self, provider: ProviderKind, stage: Stage, reply: &Reply) -> Reading {
        self.table.read(provider, stage, reply)
    }
}

/// Whose replies are read, and by what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect<'r> {
    pub(crate) provider: ProviderKind,
    pub(crate) replies: &'r Replies,
}

impl Dialect<'_> {
    pub(crate) fn read(self, stage: Stage, reply: &Reply) -> Reading {
        self.replies.read(self.provider, stage, reply)
    }
}

#[cfg(test)]
mod tests;
