//! What is told of a configuration, word by word.

mod accounts;
mod admin;
mod alerts;
mod fixture;
mod good;
mod grants;
mod listeners;
mod policies;
mod reference;
mod replies;
mod secrets;
mod syntax;
mod tenants;
