//! Where a token is asked for.

use std::net::IpAddr;

use crate::error::Error;

/// A token endpoint (RFC 6749 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its URL: https, or http to a loopback address.
    pub token_url: String,
    /// The scope that is asked for.
    pub scope: Option<String>,
}

impl Endpoint {
    /// Whether secrets may be sent there.
    ///
    /// # Errors
    /// They would go over the network in the clear.
    pub fn check(&self) -> Result<reqwest::Url, Error> {
        let url = reqwest::Url::parse(&self.token_url).map_err(|_| Error::Endpoint("it is no URL"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback => Ok(url),
            _ => Err(Error::Endpoint("https is needed (http only to a loopback address)")),
        }
    }
}
