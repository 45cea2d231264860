//! Keys, types and units, and that all faults are told at once.

use super::fixture::{ACME, HASH, MAIN, acme_error, errors, loaded, main_error, one};
use crate::config::from_toml;

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert_eq!(
        main_error("[limits]\nconections = 5\n"),
        "posthouse.toml:8: limits.conections: unknown key; did you mean `connections`?"
    );
    assert_eq!(
        main_error("[log]\ncolour = true\n"),
        "posthouse.toml:8: log.colour: unknown key; the keys here are `format` and `level`"
    );
    assert_eq!(
        main_error("[limit]\nconnections = 5\n"),
        "posthouse.toml:7: limit: unknown key; did you mean `limits`?"
    );
}

#[test]
fn a_wrong_type_says_what_is_expected() {
    assert_eq!(
        main_error("[limits]\nconnections = \"many\"\n"),
        "posthouse.toml:8: limits.connections = \"many\": expected a whole number from 1 to 10000000"
    );
    assert_eq!(
        main_error("verify_recipients = 1\n"),
        "posthouse.toml:7: listeners[submission].verify_recipients = 1: expected `true` or `false`"
    );
    assert_eq!(
        main_error("networks = \"192.0.2.0/24\"\n"),
        "posthouse.toml:7: listeners[submission].networks = \"192.0.2.0/24\": expected a list `[ .. ]`"
    );
    assert_eq!(
        one(errors(&format!("log = \"json\"\n{MAIN}"), ACME)),
        "posthouse.toml:1: log = \"json\": expected a table"
    );
}

#[test]
fn a_quantity_needs_its_unit() {
    assert_eq!(
        main_error("[timeouts]\ncommand = 300\n"),
        "posthouse.toml:8: timeouts.command = 300: expected a duration with its unit, such as \"90 s\"; did you mean \"300 s\"?"
    );
    assert_eq!(
        main_error("[timeouts]\ncommand = \"5 minutes\"\n"),
        "posthouse.toml:8: timeouts.command = \"5 minutes\": expected a duration with its unit, such as \"90 s\"; did you mean \"5 min\"?"
    );
    assert_eq!(
        main_error("message_size = \"35 MB\"\n"),
        "posthouse.toml:7: listeners[submission].message_size = \"35 MB\": expected a size with its unit, such as \"35 MiB\"; did you mean \"35 MiB\"?"
    );
    assert_eq!(
        main_error("[timeouts]\ndelivery = \"20 min\"\n"),
        "posthouse.toml:8: timeouts.delivery = \"20 min\": expected from 100 ms to 9 min"
    );
}

#[test]
fn a_word_that_is_none_of_the_few_names_them() {
    assert_eq!(
        main_error("[log]\nlevel = \"inof\"\n"),
        "posthouse.toml:8: log.level = \"inof\": expected `error`, `warn`, `info`, `debug` or `trace`; did you mean `info`?"
    );
}

#[test]
fn figures_that_contradict_each_other_are_told_at_the_one_that_was_said() {
    assert_eq!(
        main_error("[limits]\nconnections = 10\nconnections_per_address = 20\n"),
        "posthouse.toml:9: limits.connections_per_address = 20: it is more than limits.connections (10)"
    );
    assert_eq!(
        main_error("[limits]\ncontent_memory = \"512 KiB\"\n"),
        "posthouse.toml:8: limits.content_memory: 512 KiB is too little for limits.stream_threshold = \"256 KiB\"; at least \"1 MiB\" is needed"
    );
    assert_eq!(
        main_error("[timeouts]\ndelivery = \"30 s\"\nconnect = \"31 s\"\n"),
        "posthouse.toml:9: timeouts.connect = \"31 s\": it is longer than the delivery that it is a part of (timeouts.delivery = \"30 s\")"
    );
}

#[test]
fn what_is_no_toml_is_told_of_every_file() {
    let loaded = from_toml("hostname = \n[limits\n", &[("acme", "logins = [[\n")]);
    let faults: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    assert!(faults.len() >= 3, "{faults:#?}");
    assert!(faults[0].starts_with("posthouse.toml:1: "), "{faults:#?}");
    assert!(faults[1].starts_with("posthouse.toml:2: "), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.starts_with("tenants/acme.toml:")), "{faults:#?}");
    assert!(faults.iter().all(|fault| fault.lines().count() == 1), "{faults:#?}");
}

#[test]
fn a_key_written_twice_is_told() {
    let fault = one(errors(&format!("hostname = \"a.example\"\n{MAIN}"), ACME));
    assert_eq!(fault, "posthouse.toml:2: duplicate key");
}

#[test]
fn a_key_cannot_forge_a_line_of_the_report() {
    let fault = one(errors(&format!("\"a\\nerror\" = 1\n{MAIN}"), ACME));
    assert_eq!(fault.lines().count(), 1, "{fault}");
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_files() {
    let main = r#"hostname = "relay example"
tenant = "t"
[limits]
recipients = 0
[[listeners]]
name = "submission"
address = "127.0.0.1"
tls = "yes"
[timeouts]
comand = "1 s"
[log]
level = 3
"#;
    let acme = format!(
        r#"default_route = "nowhere"
[[logins]]
name = "acme-app"
password = "{HASH}"
senders = ["example.com"]
account = "acme"
[[accounts]]
id = "one"
address = "nobody"
provider = "gmial"
"#
    );
    let loaded = from_toml(main, &[("acme", &acme)]);
    let places: Vec<String> =
        loaded.errors.iter().map(|fault| format!("{}:{} {}", fault.file, fault.line.unwrap(), fault.key)).collect();
    assert_eq!(
        places,
        [
            "posthouse.toml:1 hostname",
            "posthouse.toml:2 tenant",
            "posthouse.toml:4 limits.recipients",
            "posthouse.toml:7 listeners[submission].address",
            "posthouse.toml:8 listeners[submission].tls",
            "posthouse.toml:10 timeouts.comand",
            "posthouse.toml:12 log.level",
            "tenants/acme.toml:1 default_route",
            "tenants/acme.toml:5 logins[acme-app].senders[1]",
            "tenants/acme.toml:6 logins[acme-app].account",
            "tenants/acme.toml:7 accounts[one].grant",
            "tenants/acme.toml:9 accounts[one].address",
            "tenants/acme.toml:10 accounts[one].provider",
        ]
    );
    assert_eq!(loaded.errors[0].column, Some(12));
    assert!(loaded.config.is_none());
}

#[test]
fn an_empty_configuration_says_what_is_missing() {
    let faults: Vec<String> = from_toml("", &[]).errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "posthouse.toml: hostname: missing: the relay's own name, such as \"relay.example.com\"",
            "posthouse.toml: tenants: there is no tenant: tenants holds no *.toml; a tenant is a file there: NAME.toml",
            "posthouse.toml: listeners: missing: at least one [[listeners]] is needed",
        ]
    );
}

#[test]
fn a_key_of_another_place_is_shown_there() {
    let main = main_error("[[accounts]]\nid = \"gmail\"\n");
    assert!(main.ends_with("accounts: unknown key; it belongs into a tenant's file: tenants/NAME.toml"), "{main}");
    let acme = acme_error("default_route", "hostname = \"relay.example.com\"\ndefault_route");
    assert!(acme.ends_with("hostname: unknown key; it belongs into the main file, posthouse.toml"), "{acme}");
    let hourly = acme_error("id = \"acme-gmail\"", "id = \"acme-gmail\"\nmessages_per_hour = 600");
    assert!(hourly.ends_with("write messages_per_minute, a 60th of it"), "{hourly}");
}

#[test]
fn what_only_building_shows_is_in_the_report() {
    let loaded = loaded(MAIN, ACME);
    let refused = ["tenants/acme.toml:3: policy: it traps".to_owned()];
    assert_eq!(
        loaded.report().with_refused_policies(&refused).to_string(),
        "error    tenants/acme.toml:3: policy: it traps\n\n\
         The configuration can be used, but a policy is refused and its tenant's mail deferred: 1 listener, 1 tenant, 1 login, \
         1 account."
    );
    assert_eq!(
        loaded.report().unusable("the store is not to be read").to_string(),
        "error    the store is not to be read\n\nThe configuration cannot be used: 1 error."
    );
}

#[test]
fn a_report_is_a_line_for_each_fault_and_a_sum() {
    let report = loaded(&format!("{MAIN}[limits]\nconections = 5\n"), ACME).report().to_string();
    assert_eq!(
        report,
        "error    posthouse.toml:8: limits.conections: unknown key; did you mean `connections`?\n\n\
         The configuration cannot be used: 1 error."
    );
}
