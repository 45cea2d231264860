//! The server's side as transcripts, a file for each state; `transcript` says how they are written.

mod authenticating;
mod chunks;
mod content;
mod cuts;
mod envelope;
mod limits;
mod securing;
mod transcript;
mod waiting;
