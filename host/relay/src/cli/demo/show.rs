//! How the demonstration looks on a terminal.

use std::net::SocketAddr;

use posthouse_oauth::secret::Secret;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use super::scenes::{ACME, PASSWORD, Scene};
use super::sender::Sent;
use crate::cli::terminal::{Style, say, styled};
use crate::relay::Relay;

pub(super) fn title(simulator: &Simulator, address: SocketAddr) {
    say(&styled(Style::Strong, "Posthouse: SMTP in, OAuth2 out, and a 250 is the provider's"));
    say("");
    say("  client --SMTP, STARTTLS, AUTH PLAIN--> relay --SMTP, TLS, XOAUTH2--> provider");
    say("");
    say(&format!("  relay      {address}"));
    for provider in Provider::ALL {
        let address = match provider {
            Provider::Gmail => simulator.implicit_address(provider),
            Provider::Outlook => simulator.starttls_address(provider),
        };
        say(&format!("  {:<10} {address} (simulated)", format!("{provider:?}")));
    }
    say(&format!("  tokens     {} (simulated)", simulator.token_address()));
    say("  policies   acme: account-by-sender, globex: recipient-guard (WebAssembly, from plugins/)");
}

/// Shows one message; whether it went as told.
pub(super) fn scene(number: usize, scene: &Scene, sent: &Sent) -> bool {
    let reply = sent.reply.to_string();
    let as_told = sent.reply.code() == scene.code && reply.contains(scene.says);
    let style = match sent.reply.code() {
        200..=299 => Style::Good,
        400..=499 => Style::Warning,
        _ => Style::Bad,
    };
    let took = format!("{:.1} ms", sent.took.as_secs_f64() * 1000.0);
    say("");
    say(&format!("{} {}", styled(Style::Strong, &format!("{number}. {}", scene.title)), styled(Style::Faint, &took)));
    say(&format!("   {} -> {}", scene.from, scene.to.join(", ")));
    say(&format!("   tenant {}, login {}, account {}", scene.login.tenant, scene.login.name, scene.account));
    say(&format!("   {}", styled(style, &reply)));
    if !as_told {
        let expected = format!("   expected was {} with `{}`", scene.code, scene.says);
        say(&styled(Style::Bad, &expected));
    }
    as_told
}

/// Shows what reached the providers; whether it is what clients were told, to the message.
pub(super) fn ledger(simulator: &Simulator, accepted: u64) -> bool {
    say("");
    say(&styled(Style::Strong, "What reached the providers"));
    for message in simulator.ledger().messages() {
        let (provider, mailbox) = (format!("{:?}", message.provider), &message.mailbox);
        let recipients = message.recipients.join(", ");
        let place = format!("connection {}, its message {}", message.connection, message.index);
        say(&format!(
            "   {provider:<8} {mailbox:<24} {} -> {recipients} {}",
            message.reverse_path,
            styled(Style::Faint, &place)
        ));
    }
    for provider in Provider::ALL {
        let counters = simulator.ledger().counters(provider);
        let (name, messages) = (format!("{provider:?}"), counted(counters.messages, "message"));
        let (connections, logins) = (counted(counters.connections, "connection"), counted(counters.logins, "login"));
        let tokens = counted(counters.tokens, "token");
        say(&format!("   {name:<8} {messages} over {connections} with {logins} and {tokens}"));
    }
    let reached = simulator.ledger().accepted();
    let as_told = reached == accepted;
    let (style, words) = if as_told { (Style::Good, "as many as") } else { (Style::Bad, "which is NOT the number of") };
    say(&styled(style, &format!("   {reached} messages, {words} the clients' 250s ({accepted})")));
    as_told
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How to try it by hand.
pub(super) fn invitation(relay: &Relay, address: SocketAddr, token: &Secret) {
    let (login, plain) = (ACME.name, relay.address("plain").unwrap_or(address));
    say("");
    say(&styled(Style::Strong, "Try it by hand"));
    say(&format!(
        "   swaks --server {address} --tls --auth PLAIN --auth-user {login} --auth-password {PASSWORD} \\\n         \
         --from app@acme.example --to you@example.org"
    ));
    say(&format!("   without TLS: --server {plain}"));
    say("   recipients with a fixed answer: unknown@, full@, busy@, rejected@, deferred@, quota@, throttled@, lost@");
    if let Some(admin) = relay.admin_address() {
        say("");
        say(&styled(Style::Strong, "Look at it in a browser"));
        say(&format!("   http://{admin}/ with any user name, and as the password the token of this demonstration:"));
        say(&format!("   {}", token.expose()));
        say(&format!("   as JSON: curl -H \"Authorization: Bearer TOKEN\" http://{admin}/v1/status"));
    }
    say("");
    say("^C ends it.");
}
