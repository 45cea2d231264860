//! Consent by a code that is shown here and typed in anywhere (RFC 8628).

use std::time::Duration;

use posthouse_oauth::client::{Client, Issued};
use posthouse_oauth::consent::{Decision, DeviceCode};
use posthouse_oauth::endpoint::Endpoint;
use tokio::time::{Instant, sleep};

use super::Places;
use crate::cli::account::advice;
use crate::cli::terminal::{Style, say, styled};

/// How often it is said that nothing has happened yet.
const PROGRESS: Duration = Duration::from_secs(15);

pub(super) async fn consent(client: &Client, places: &Places, page: &Endpoint) -> Result<Issued, String> {
    let asked = client.device_code(page, &places.application.client_id).await;
    let code = asked.map_err(|error| advice::told("login", places.kind, &error.to_string()))?;
    say(&format!("Open   {}", styled(Style::Strong, &code.page)));
    say(&format!("Enter  {}", styled(Style::Strong, &code.user_code)));
    say("and log in as the mailbox's owner.\n");
    wait(client, places, code).await
}

async fn wait(client: &Client, places: &Places, mut code: DeviceCode) -> Result<Issued, String> {
    let ends = Instant::now() + code.lifetime;
    let mut told = Instant::now();
    say(&waiting(code.lifetime));
    while Instant::now() < ends {
        sleep(code.interval()).await;
        match client.device_decision(&places.token, &places.application, &mut code).await {
            Ok(Decision::Granted(issued)) => return Ok(issued),
            Ok(Decision::Waiting) => {}
            Err(error) if error.is_permanent() => {
                return Err(advice::told("login", places.kind, &error.to_string()));
            }
            // A network that fails for a moment ends nothing.
            Err(error) => say(&format!("{error}; trying again")),
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            say(&waiting(ends.saturating_duration_since(told)));
        }
    }
    Err("nobody entered the code in time; run the command again for a new one".to_owned())
}

fn waiting(left: Duration) -> String {
    styled(Style::Faint, &format!("waiting for consent, {} min left (^C ends it)", left.as_secs().div_ceil(60)))
}
