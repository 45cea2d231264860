//! The product: an SMTP relay from applications, devices and mail servers to Gmail and Outlook.
//!
//! A message's way is `listener` -> `session` -> `transaction` -> `account` -> `answer`; everything that
//! it asks is in the `snapshot` pinned at MAIL. The one invariant: a client hears 250 only for what
//! the provider has accepted.
#![deny(missing_docs)]

pub mod account;
pub mod admin;
pub mod admission;
pub mod answer;
mod aside;
pub mod audit;
pub mod authentication;
pub mod budget;
pub mod cli;
pub mod client;
pub mod config;
pub mod control;
pub mod decide;
pub mod doors;
pub mod front;
pub mod gauges;
pub mod generations;
pub mod handover;
pub mod hex;
pub mod identifiers;
pub mod inherited;
pub mod listener;
pub mod metrics;
pub mod moments;
pub mod pace;
pub mod pauses;
pub mod policies;
pub mod rate;
pub mod realm;
pub mod recent;
pub mod refusals;
pub mod relay;
pub mod replies;
pub mod series;
pub mod service;
pub mod shutdown;
pub mod simulation;
pub mod snapshot;
pub mod state;
pub mod tally;
pub mod tenant;
pub mod tenant_limits;
pub mod validity;

mod alerts;
mod keeper;
mod passage;
mod prospects;
mod session;
mod trace;
mod transaction;
mod trial;
