//! Transcripts of sessions: what the server says, what this side says and reports.
//!
//! `S:` is a line of the server, `C:` one of this side, `A:` what whoever drives the session does and
//! `E:` what it is told. Every transcript is run with the server's lines in one piece and octet by octet.

mod authenticating;
mod content;
mod delivering;
mod idle;
mod opening;
mod recipients;
mod transcript;
