//! A fake Gmail and a fake Outlook on loopback, with their limits, refusals and token endpoint.
//!
//! Not a mail server: what it accepts goes into a ledger and nowhere else, and nothing listens beyond 127.0.0.1. The
//! invariant that tests account by: a message is in the ledger, once, exactly if the simulator decided to accept it,
//! and it is there before the client can know.
//!
//! # Recipients with a fixed answer
//! By their local part, at any domain and at both providers:
//!
//! | recipient | answer |
//! |---|---|
//! | `unknown@` | RCPT: 550 5.1.1 |
//! | `full@` | RCPT: 452 4.2.2 |
//! | `busy@` | RCPT: 450 4.2.1 |
//! | `rejected@` | content: 550 5.7.1 |
//! | `deferred@` | content: 451 4.3.0 |
//! | `quota@` | content: the day's limit (Gmail 550 5.4.5, Outlook 554 5.2.0) |
//! | `throttled@` | content: too much at a time (Gmail 421 4.7.0, Outlook 432 4.3.2) |
//! | `slow@` | content: accepted after a second |
//! | `dropped@` | content: the connection is closed, the message not recorded |
//! | `lost@` | content: the message is recorded, the connection closed without a reply |
//! | `stalled@` | content: no answer, the message not recorded |
//!
//! Over HTTP (`/v1.0/users/{user}/sendMail` of Graph, `/upload/gmail/v1/users/{user}/messages/send` of the Gmail API)
//! recipients are whom To, Cc and Bcc name; those that are answered at RCPT are accepted there, as a bounce would come
//! later, and a reply becomes 400 or 503.
//!
//! Everything else goes wrong by [`faults`] and [`token_faults`], or by running into [`limits`].
#![deny(missing_docs)]

pub mod applications;
pub mod digest;
pub mod error;
pub mod faults;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod mailbox;
pub mod options;
pub mod provider;
pub mod random;
pub mod simulator;
pub mod token_faults;

mod account;
mod accounts;
mod api;
mod assertion;
mod authority;
mod connection;
mod consents;
mod gathered;
mod ports;
mod recipients;
mod token_endpoint;
mod tokens;
mod window;
mod world;
