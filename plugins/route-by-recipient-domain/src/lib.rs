//! Sends mail for a domain by the route that the settings name. One message takes one route, so a recipient whose
//! route is another is asked to come in a message of its own.

use posthouse_policy::{
    Decision, Envelope, Message, MessageHook, Policy, RecipientHook, Settings, SettingsError, Verdict, accounts,
    address,
};

/// The key for domains that have none of their own.
const OTHERS: &str = "*";

struct RouteByRecipientDomain {
    /// Domains, in the settings' order, and their routes.
    routes: Vec<(String, String)>,
}

impl Policy for RouteByRecipientDomain {
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        let routes = settings.all();
        let known = accounts::routes();
        match routes.iter().find(|(_, route)| !known.contains(route)) {
            Some((domain, route)) => {
                let there_are = format_args!("no such route; there are {}", known.join(", "));
                Err(SettingsError::at(domain, route, there_are))
            }
            None => Ok(RouteByRecipientDomain { routes }),
        }
    }
}

impl RouteByRecipientDomain {
    /// The route to an address, if the settings have one.
    fn route(&self, recipient: &str) -> Option<&str> {
        let domain = address::domain_of(recipient);
        let of = |key: &str| self.routes.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        of(&domain).or_else(|| of(OTHERS)).map(|(_, route)| route.as_str())
    }
}

impl RecipientHook for RouteByRecipientDomain {
    fn on_recipient(&self, envelope: &Envelope, address: &str) -> Verdict {
        match envelope.recipients().first() {
            Some(first) if self.route(first) != self.route(address) => {
                Verdict::defer("4.5.3", "this recipient takes another route: send it separately").with_code(452)
            }
            _ => Verdict::Proceed,
        }
    }
}

impl MessageHook for RouteByRecipientDomain {
    fn on_message(&self, envelope: &Envelope, _: &Message, decision: &Decision) -> Verdict {
        if let Some(route) = envelope.recipients().first().and_then(|first| self.route(first)) {
            decision.use_route(route);
        }
        Verdict::Proceed
    }
}

posthouse_policy::export!(RouteByRecipientDomain: recipient, message);
