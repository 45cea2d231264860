//! Stamps each message with the login that sent it, and sends mail for a domain by the route that the settings name.
//!
//! Each call begins with fresh memory and with `from_settings`; what is to last goes to `posthouse_policy::key_value`.

use posthouse_policy::{
    Decision, Envelope, Message, MessageHook, Policy, Settings, SettingsError, Verdict, accounts, address, log,
};

/// The policy, as its settings make it:
///
/// ```toml
/// [policy.settings]
/// stamp = "Acme"                 # X-Sent-By: Acme (app); without it there is no stamp
/// "route.example.org" = "bulk"   # mail to example.org takes the route `bulk`
/// ```
struct {{Type}} {
    stamp: Option<String>,
    /// Domains and the names of their routes.
    routes: Vec<(String, String)>,
}

impl Policy for {{Type}} {
    /// An error here is shown to whoever changes the settings: better told then than found in the mail.
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.allow_only(&["stamp", "route."])?;
        let routes = settings.below("route.");
        if let Some((domain, route)) = routes.iter().find(|(_, route)| !accounts::has_route(route)) {
            let wrong = format_args!("no such route; there are {}", accounts::routes().join(", "));
            return Err(SettingsError::at(&format!("route.{domain}"), route, wrong));
        }
        Ok({{Type}} { stamp: settings.get("stamp"), routes })
    }
}

impl MessageHook for {{Type}} {
    /// Decides on a message, when its header block is complete.
    fn on_message(&self, envelope: &Envelope, message: &Message, decision: &Decision) -> Verdict {
        if message.header("Subject").is_none() {
            return Verdict::reject("5.6.0", "a message needs a Subject");
        }
        if let Some(stamp) = &self.stamp {
            // Replaced, not added: a client may have written one of its own.
            decision.replace_header("X-Sent-By", &format!("{stamp} ({})", envelope.login()));
        }
        match self.route(&envelope.recipients()) {
            Ok(Some(route)) => decision.use_route(route),
            Ok(None) => {} // the relay decides as it would without a policy
            Err(TwoRoutes) => log::info("recipients of several routes: left to the relay"),
        }
        Verdict::Proceed
    }
}

/// One message takes one route.
struct TwoRoutes;

impl {{Type}} {
    /// The route of all these recipients, if they have one.
    fn route(&self, recipients: &[String]) -> Result<Option<&str>, TwoRoutes> {
        let mut routes = recipients.iter().map(|recipient| self.route_to(&address::domain_of(recipient)));
        let first = routes.next().flatten();
        if routes.all(|route| route == first) { Ok(first) } else { Err(TwoRoutes) }
    }

    fn route_to(&self, domain: &str) -> Option<&str> {
        let named = self.routes.iter().find(|(name, _)| name.eq_ignore_ascii_case(domain));
        named.map(|(_, route)| route.as_str())
    }
}

posthouse_policy::export!({{Type}}: message);
