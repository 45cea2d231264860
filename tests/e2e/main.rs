//! End-to-end tests: the whole relay, raw octets in front of it, simulated providers behind it.
//!
//! Assertions are on accounting: every 250 has exactly one copy at the provider, nothing else has any.

mod accepts_mail;
mod account_import;
mod account_login;
mod account_test;
mod admin;
mod budgets;
mod command;
mod ends;
mod faults;
mod files;
mod grants;
mod keeps_bytes;
mod keeps_state;
mod lasting;
mod over_http;
mod overload;
mod page;
mod policy_accounts;
mod policy_failures;
mod policy_generations;
mod policy_headers;
mod policy_recipients;
mod post;
mod processes;
mod reloads;
mod replies;
mod secrets;
mod series;
mod service;
mod shuts_down;
mod speaks_smtp;
mod tidy;
mod upgrades;
mod upgrades_move;
mod upgrades_remember;
mod upgrades_under_load;
mod wire;
