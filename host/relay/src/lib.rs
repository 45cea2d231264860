//! relay

pub mod config;
