//! What all parts of a running simulator share. Each part has its own lock, and none is held while another is taken.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use posthouse_net::acceptor::Acceptor;
use posthouse_smtp::server::settings::{AuthRule, Extensions, LoginRule, Settings};

use crate::accounts::Accounts;
use crate::applications::Applications;
use crate::consents::Consents;
use crate::faults::Faults;
use crate::keys::Issuer;
use crate::ledger::Ledger;
use crate::options::{Keep, Options, Plaintext, ProviderOptions, Rotation};
use crate::provider::Provider;
use crate::token_faults::TokenFaults;
use crate::tokens::Tokens;

/// A time that can be changed while it is being read.
#[derive(Debug)]
pub(crate) struct Setting(AtomicU64);

impl Setting {
    fn new(time: Duration) -> Self {
        let setting = Self(AtomicU64::new(0));
        setting.set(time);
        setting
    }

    pub(crate) fn set(&self, time: Duration) {
        self.0.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// One provider.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) provider: Provider,
    pub(crate) options: ProviderOptions,
    pub(crate) settings: Arc<Settings>,
    pub(crate) acceptor: Acceptor,
    pub(crate) faults: Faults,
    pub(crate) latency: Setting,
    pub(crate) token_lifetime: Setting,
}

impl Side {
    pub(crate) fn new(provider: Provider, options: &Options, acceptor: Acceptor) -> Self {
        let side = options.provider(provider);
        Self {
            provider,
            options: side.clone(),
            settings: Arc::new(settings(provider, side, options.plaintext)),
            acceptor,
            faults: Faults::default(),
            latency: Setting::new(side.latency),
            token_lifetime: Setting::new(side.token_lifetime),
        }
    }

    pub(crate) fn token_rules(&self) -> (Rotation, Duration) {
        (self.options.rotation, self.token_lifetime.time())
    }
}

fn settings(provider: Provider, options: &ProviderOptions, plaintext: Plaintext) -> Settings {
    let mut settings = Settings::new(provider.hostname());
    provider.greeting().clone_into(&mut settings.greeting);
    settings.extensions = Extensions {
        pipelining: options.pipelining,
        chunking: options.chunking,
        starttls: true,
        ..Extensions::default()
    };
    settings.mechanisms = provider.mechanisms();
    settings.auth = match plaintext {
        Plaintext::Refused => AuthRule::TlsOnly,
        Plaintext::Allowed => AuthRule::AnyChannel,
    };
    settings.login = LoginRule::Required;
    settings.bearer_challenge = provider.bearer_challenge();
    // A pooled connection of many refused messages is not to be ended for them.
    settings.limits.commands = 10_000;
    settings.limits.message_size = options.limits.message_size;
    // Counted at the recipients themselves, so that running into it is noticed.
    settings.limits.recipients = usize::MAX;
    settings
}

/// The simulator's inside.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) keep: Keep,
    pub(crate) plaintext: Plaintext,
    pub(crate) accounts: Accounts,
    pub(crate) tokens: Tokens,
    pub(crate) ledger: Ledger,
    pub(crate) token_faults: TokenFaults,
    pub(crate) applications: Applications,
    pub(crate) consents: Consents,
    pub(crate) issuer: Issuer,
    /// How many seconds the token endpoint's clock is ahead of this host's.
    pub(crate) clock_ahead: AtomicI64,
    pub(crate) token_address: OnceLock<SocketAddr>,
    sides: [Side; 2],
}

impl World {
    pub(crate) fn new(options: &Options, sides: [Side; 2], issuer: Issuer) -> Self {
        Self {
            keep: options.keep,
            plaintext: options.plaintext,
            accounts: Accounts::default(),
            tokens: Tokens::default(),
            ledger: Ledger::new(options.keep),
            token_faults: TokenFaults::default(),
            applications: Applications::default(),
            consents: Consents::default(),
            issuer,
            clock_ahead: AtomicI64::new(0),
            token_address: OnceLock::new(),
            sides,
        }
    }

    pub(crate) const fn side(&self, provider: Provider) -> &Side {
        &self.sides[provider.index()]
    }

    /// The time at the token endpoint.
    pub(crate) fn clock(&self) -> SystemTime {
        let (now, ahead) = (SystemTime::now(), self.clock_ahead.load(Ordering::Relaxed));
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { now.checked_sub(by).unwrap_or(now) } else { now.checked_add(by).unwrap_or(now) }
    }

    /// The token endpoint, as a URL without a path.
    pub(crate) fn base(&self) -> String {
        self.token_address.get().map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// The URL of this provider's token endpoint; Outlook's for this directory, or for `common`.
    pub(crate) fn place(&self, provider: Provider, directory: Option<&str>) -> String {
        let base = self.base();
        match provider {
            Provider::Gmail => format!("{base}/google/token"),
            Provider::Outlook => format!("{base}/{}/oauth2/v2.0/token", directory.unwrap_or("common")),
        }
    }
}
