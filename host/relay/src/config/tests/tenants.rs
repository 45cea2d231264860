//! Tenants: logins, senders, routes and what they refer to.

use super::fixture::{ACME, HASH, MAIN, acme_error, config, errors, one, warnings};
use crate::config::from_toml;

#[test]
fn a_login_belongs_to_one_tenant() {
    let other = ACME.replace("HASH", HASH).replace("app@example.com", "other@example.com");
    let loaded = from_toml(MAIN, &[("acme", &ACME.replace("HASH", HASH)), ("globex", &other)]);
    assert_eq!(
        one(loaded.errors.iter().map(ToString::to_string).collect()),
        "tenants/globex.toml:4: logins[acme-app].name = \"acme-app\": the name is taken already, at tenants/acme.toml:4"
    );
}

#[test]
fn a_tenant_refers_to_its_own_accounts_and_routes_only() {
    assert_eq!(
        acme_error("senders =", "account = \"acme-gmial\"\nsenders ="),
        "tenants/acme.toml:6: logins[acme-app].account = \"acme-gmial\": this tenant has no such account; did you mean `acme-gmail`?"
    );
    assert_eq!(
        acme_error("[\"acme-gmail\"]", "[\"globex\"]"),
        "tenants/acme.toml:20: routes[main].accounts[1] = \"globex\": this tenant has no such account"
    );
    assert_eq!(
        acme_error("default_route = \"main\"", "default_route = \"mian\""),
        "tenants/acme.toml:1: default_route = \"mian\": this tenant has no such route; did you mean `main`?"
    );
}

#[test]
fn names_are_unique_in_their_tenant() {
    let route = "[[routes]]\nname = \"main\"\naccounts = [\"acme-gmail\", \"acme-gmail\"]\n";
    assert_eq!(
        errors(MAIN, &format!("{ACME}{route}")),
        [
            "tenants/acme.toml:22: routes[main].name = \"main\": the name is taken already, at tenants/acme.toml:19",
            "tenants/acme.toml:23: routes[main].accounts[2] = \"acme-gmail\": the account is in this route already",
        ]
    );
    let account = "[[accounts]]\nid = \"acme-gmail\"\naddress = \"b@example.com\"\nprovider = \"generic\"\nhost = \"h.test\"\ngrant.kind = \"none\"\n";
    assert_eq!(
        errors(MAIN, &format!("{ACME}{account}")),
        [
            "tenants/acme.toml:22: accounts[acme-gmail].id = \"acme-gmail\": the name is taken already, at tenants/acme.toml:9"
        ]
    );
}

#[test]
fn a_fault_in_an_account_does_not_make_its_id_unknown() {
    assert_eq!(
        acme_error("address = \"app@example.com\"", "address = \"app\""),
        "tenants/acme.toml:10: accounts[acme-gmail].address = \"app\": expected an address as `user@example.com`: not a mailbox; `local@domain` is expected"
    );
}

#[test]
fn senders_are_addresses_or_domains() {
    for (sender, shown) in [("example.com", "example.com"), ("@", "@"), ("@exa mple.com", "@exa mple.com")] {
        let fault = acme_error("\"@example.org\"", &format!("\"{sender}\""));
        let start = format!(
            "tenants/acme.toml:6: logins[acme-app].senders[2] = \"{shown}\": expected `user@example.com`, or `@example.com` for all of a domain"
        );
        assert!(fault.starts_with(&start), "{fault}");
    }
    let none = acme_error("[\"app@example.com\", \"@example.org\"]", "[]");
    assert!(none.ends_with("expected at least one address or `@domain`"), "{none}");
}

#[test]
fn senders_are_no_patterns() {
    for (sender, meant) in
        [("*@acme.example", "@acme.example"), ("*", "@example.com"), ("app@*.example", "@example.com")]
    {
        assert_eq!(
            acme_error("\"@example.org\"", &format!("\"{sender}\"")),
            format!(
                "tenants/acme.toml:6: logins[acme-app].senders[2] = \"{sender}\": there are no patterns here; \
                 `{meant}` is all of a domain"
            )
        );
    }
    // RFC 5322 3.2.3: it is an octet as others are.
    let literal = one(warnings(MAIN, &ACME.replace("@example.org", "app*@example.org")));
    assert!(literal.ends_with("there are no patterns here: it is an address with a `*` in it"), "{literal}");
}

#[test]
fn mail_that_nothing_would_place_is_a_warning() {
    let without = ACME.replacen("default_route = \"main\"\n", "", 1);
    assert_eq!(
        one(warnings(MAIN, &without)),
        "tenants/acme.toml:2: logins[acme-app]: no account has the address @example.org, and nothing else places such a \
         message; give the login an `account`, or the tenant a `default_route`"
    );
    assert_eq!(warnings(MAIN, &without.replace(", \"@example.org\"", "")), Vec::<String>::new());
    assert_eq!(warnings(MAIN, &without.replace("senders", "account = \"acme-gmail\"\nsenders")), Vec::<String>::new());
    assert_eq!(warnings(MAIN, ACME), Vec::<String>::new());
}

#[test]
fn a_password_is_a_hash_and_is_never_shown() {
    let fault = acme_error("HASH", "correct horse");
    assert_eq!(
        fault,
        "tenants/acme.toml:5: logins[acme-app].password: it is no PHC string (`$argon2id$v=19$m=..,t=..,p=..$salt$hash`); \
         make one with `posthouse hash-password`"
    );
    let fault = acme_error("HASH", &HASH.replace("m=19456", "m=4194304"));
    assert!(fault.contains("its parameter m is 4194304; 7168 to 262144 is taken"), "{fault}");
}

#[test]
fn a_tenant_without_a_login_is_an_error() {
    assert_eq!(
        errors(MAIN, "default_rout = \"x\"\n"),
        [
            "tenants/acme.toml: logins: missing: a tenant needs at least one [[logins]]",
            "tenants/acme.toml:1: default_rout: unknown key; did you mean `default_route`?",
        ]
    );
}

#[test]
fn a_login_that_nothing_opens_is_a_warning() {
    let acme = ACME.replace("password = \"HASH\"\n", "");
    assert_eq!(
        one(warnings(MAIN, &acme)),
        "tenants/acme.toml:3: logins[acme-app]: nobody can be this login: it has no `password`, and no listener maps a \
         network to it"
    );
    let mapped = format!("{MAIN}networks = [{{ network = \"192.0.2.0/24\", login = \"acme-app\" }}]\n");
    assert_eq!(warnings(&mapped, &acme), Vec::<String>::new());
}

#[test]
fn a_tenants_id_is_its_files_name() {
    let loaded = from_toml(MAIN, &[("ac me", &ACME.replace("HASH", HASH))]);
    let fault = one(loaded.errors.iter().map(ToString::to_string).collect());
    assert!(fault.starts_with("tenants/ac me.toml: the tenant's id is the file's name without .toml"), "{fault}");
}

#[test]
fn a_tenants_limits_are_none_where_nothing_is_said() {
    use crate::config::tenant::Limits;
    assert_eq!(config(MAIN, ACME).tenants[0].limits, Limits::default());
    let said = config(MAIN, &format!("{ACME}[limits]\nsessions = 4\nrecipients_per_day = 100\n")).tenants[0].limits;
    assert_eq!(said, Limits { sessions: Some(4), messages_per_minute: None, recipients_per_day: Some(100) });
    let none = one(errors(MAIN, &format!("{ACME}[limits]\nmessages_per_minute = 0\n")));
    assert!(none.contains("limits.messages_per_minute = 0: expected a whole number from 1"), "{none}");
}

#[test]
fn a_route_selects_in_one_of_four_ways() {
    use crate::tenant::Select;
    assert_eq!(config(MAIN, ACME).tenants[0].routes[0].select, Select::Order);
    let sticky = config(MAIN, &format!("{ACME}select = \"sticky_sender\"\n"));
    assert_eq!(sticky.tenants[0].routes[0].select, Select::StickySender);
    let other = one(errors(MAIN, &format!("{ACME}select = \"random\"\n")));
    assert!(other.contains("`order`, `least_loaded`, `most_budget` or `sticky_sender`"), "{other}");
}
