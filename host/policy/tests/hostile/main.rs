//! Policies that do harm, asked by the host itself: each harm has one known end, and nobody else feels it.
//!
//! The guests and their harms are in tests/guests (its README.md lists them); what no guest can be written for is
//! made of text in `files`. Tables say `harm` and how the call ends: `proceed`, `reject TEXT`, a failure's reason,
//! or why the policy is not loaded.

mod answers;
mod edits;
mod files;
mod grounds;
mod leaks;
mod machine;
mod realm;
mod services;
mod waiting;
