//! Mail by the providers' interfaces over HTTP, Microsoft Graph and the Gmail API: the same truth, limits and accounting
//! as by SMTP, and one rule more, which is about recipients.

mod answers;
mod carries;
mod limits;
mod recipients;
mod switches;

use posthouse_relay::simulation;
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::post::Post;

/// The mailbox at each provider.
const BOX: &str = "box@acme.example";

async fn simulator() -> Simulator {
    let mut options = Options::new(Provider::ALL.map(mailbox).to_vec());
    for provider in Provider::ALL {
        options.provider_mut(provider).limits = Limits::without_quotas(provider);
    }
    Simulator::start(options).await.expect("loopback has free ports")
}

fn mailbox(provider: Provider) -> Mailbox {
    Mailbox::new(provider, BOX).refresh_token(format!("consent-{}", provider.name()))
}

/// The account `it` at this provider, over HTTP, with these lines.
fn account(simulator: &Simulator, provider: Provider, more: &str) -> String {
    let more = simulation::over_http(simulator, provider) + more;
    simulation::account("it", &mailbox(provider), &more)
}

/// A relay with that account.
async fn post(provider: Provider, more: &str) -> Post {
    let simulator = simulator().await;
    let acme = account(&simulator, provider, more);
    Post::before(simulator, &acme).await
}

/// A message to these, whom its To names.
fn message(to: &[&str]) -> String {
    format!("From: <{BOX}>\r\nTo: {}\r\nSubject: x\r\n\r\nbody\r\n", to.join(",\r\n "))
}
