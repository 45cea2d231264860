//! Byte streams: TCP and TLS, listening and connecting, and the PROXY protocol in front of them.
//!
//! The only importer of rustls. There is no SMTP here, no configuration and no log. The one
//! invariant: a peer whose certificate could not be verified is never spoken to; there is no
//! switch that would turn that off.
#![deny(missing_docs)]

pub mod acceptor;
pub mod connector;
pub mod error;
pub mod listen;
pub mod octets;
pub mod proxy;
pub mod stream;

mod counted;
