//! Listeners: who could send, and what could be overheard.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use posthouse_simulator::keys::{ClientCertificate, Validity};

use super::fixture::{ACME, MAIN, directory, errors, main_error, one, warnings};

/// The one error of a listener that says this besides its name.
fn error(listener: &str) -> String {
    one(errors(&format!("hostname = \"relay.example.com\"\n[[listeners]]\nname = \"l\"\n{listener}"), ACME))
}

fn warning(listener: &str) -> String {
    one(warnings(&format!("hostname = \"relay.example.com\"\n[[listeners]]\nname = \"l\"\n{listener}"), ACME))
}

const LOCAL: &str = "address = \"127.0.0.1:25\"\ntls = \"none\"\n";
const PUBLIC: &str = "address = \"192.0.2.1:25\"\ntls = \"none\"\n";

#[test]
fn an_open_relay_cannot_be_configured() {
    assert_eq!(
        error(&format!("{LOCAL}auth = \"none\"\n")),
        "posthouse.toml:6: listeners[l].auth: AUTH is not required and no `networks` are named: whoever connects would have to be \
         served, which is an open relay; write auth = \"required\", or map `networks` to a login"
    );
    assert_eq!(
        error(&format!("{LOCAL}networks = [{{ network = \"0.0.0.0/0\", login = \"acme-app\" }}]\n")),
        "posthouse.toml:6: listeners[l].networks[1].network = \"0.0.0.0/0\": it holds every address: whoever connects could \
         send, which is an open relay"
    );
    let mapped = "networks = [{ network = \"192.0.2.0/24\", login = \"acme-app\" }]\n";
    for key in ["proxy_protocol_from", "xclient_from"] {
        let fault = error(&format!("{LOCAL}{mapped}{key} = [\"::/0\"]\n"));
        assert!(fault.contains("may claim an address of the listener's `networks`: an open relay"), "{fault}");
        let fault = warning(&format!("{LOCAL}{key} = [\"::/0\"]\n"));
        assert!(fault.contains("whoever connects may claim to be any address"), "{fault}");
    }
}

#[test]
fn passwords_in_the_clear_need_a_word_and_get_a_warning() {
    assert_eq!(
        error(PUBLIC),
        "posthouse.toml:5: listeners[l].tls: AUTH is required but never offered: the listener has no TLS, and AUTH in the \
         clear is not allowed; set `tls`, or write auth_over_cleartext = true if the network can be trusted with passwords"
    );
    assert_eq!(
        warning(&format!("{PUBLIC}auth_over_cleartext = true\n")),
        "posthouse.toml:6: listeners[l].auth_over_cleartext: passwords may cross the network in the clear; prefer TLS"
    );
    let mapped = "auth = \"none\"\nnetworks = [{ network = \"192.0.2.0/24\", login = \"acme-app\" }]\n";
    let main = format!("hostname = \"relay.example.com\"\n[[listeners]]\nname = \"l\"\n{PUBLIC}{mapped}");
    assert_eq!(errors(&main, ACME), Vec::<String>::new(), "without AUTH there is no password to overhear");
}

#[test]
fn a_listener_with_tls_needs_the_files_of_its_certificate() {
    let faults = errors(
        "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"l\"\naddress = \"192.0.2.1:25\"\ntls = \"starttls\"\n\
         certificate = \"/nonexistent/chain.pem\"\n",
        ACME,
    );
    assert_eq!(
        faults,
        [
            "posthouse.toml:2: listeners[l].key: missing: the file of the certificate's private key, PEM",
            "posthouse.toml:6: listeners[l].certificate = \"/nonexistent/chain.pem\": cannot read /nonexistent/chain.pem: \
             No such file or directory (os error 2)",
        ]
    );
    let unused = warning(&format!("{LOCAL}key = \"key.pem\"\n"));
    assert!(unused.contains("not used, since the listener says tls = \"none\""), "{unused}");
}

#[test]
fn a_certificate_is_looked_into_where_it_is_named() {
    let made = ClientCertificate::new("listener", Validity::Long).unwrap();
    let other = ClientCertificate::new("other", Validity::Long).unwrap();
    let directory = directory("certificates");
    for (name, text) in [("a.pem", &made.certificate), ("a.key", &made.key), ("b.key", &other.key)] {
        fs::write(directory.join(name), text).unwrap();
        fs::set_permissions(directory.join(name), Permissions::from_mode(0o600)).unwrap();
    }
    let faults = |certificate: &str, key: &str| {
        let [certificate, key] = [certificate, key].map(|name| directory.join(name).display().to_string());
        let listener = format!(
            "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"l\"\naddress = \"192.0.2.1:25\"\ntls = \"starttls\"\n\
             certificate = \"{certificate}\"\nkey = \"{key}\"\n"
        );
        errors(&listener, ACME)
    };
    assert_eq!(faults("a.pem", "a.key"), Vec::<String>::new());
    let no_certificate = one(faults("a.key", "a.key"));
    assert!(
        no_certificate.starts_with("posthouse.toml:6: listeners[l].certificate: no certificate found; "),
        "{no_certificate}"
    );
    let no_key = one(faults("a.pem", "a.pem"));
    assert!(no_key.starts_with("posthouse.toml:7: listeners[l].key: no private key found; "), "{no_key}");
    let anothers = one(faults("a.pem", "b.key"));
    assert!(
        anothers.starts_with("posthouse.toml:7: listeners[l].key: the private key belongs to another"),
        "{anothers}"
    );
}

#[test]
fn a_network_without_its_login_is_told_alone() {
    for written in ["\"192.0.2.0/24\"", "{ network = \"192.0.2.1/24\", login = \"acme-app\" }"] {
        let faults = errors(&format!("{MAIN}auth = \"none\"\nnetworks = [{written}]\n"), ACME);
        assert!(one(faults).contains(":8: listeners[submission].networks[1]"), "{written}");
    }
    let none = one(errors(&format!("{MAIN}auth = \"none\"\nnetworks = []\n"), ACME));
    assert!(none.contains("an open relay"), "{none}");
    assert_eq!(
        main_error("networks = [\"192.0.2.0/24\"]\n"),
        "posthouse.toml:7: listeners[submission].networks[1] = \"192.0.2.0/24\": expected `{ network = \"192.0.2.0/24\", \
         login = \"NAME\" }`: who its clients are"
    );
}

#[test]
fn two_listeners_have_neither_name_nor_address_in_common() {
    let second = |name: &str, address: &str| {
        errors(
            &format!(
                "{MAIN}[[listeners]]\nname = \"{name}\"\naddress = \"{address}\"\ntls = \"none\"\nauth_over_cleartext = true\n"
            ),
            ACME,
        )
    };
    assert_eq!(
        second("submission", "127.0.0.1:2526"),
        [
            "posthouse.toml:8: listeners[submission].name = \"submission\": the name is taken already, at posthouse.toml:4"
        ]
    );
    assert_eq!(
        second("b", "127.0.0.1:2525"),
        [
            "posthouse.toml:9: listeners[b].address = \"127.0.0.1:2525\": the listener at posthouse.toml:5 has this address already"
        ]
    );
    assert_eq!(second("b", "0.0.0.0:2525").len(), 1, "all addresses hold the one");
    assert_eq!(second("b", "[::1]:2525"), Vec::<String>::new());
    let main = MAIN.replace("2525", "0");
    let two = format!("{main}[[listeners]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n");
    assert_eq!(errors(&two, ACME), Vec::<String>::new(), "port 0 is never the same");
    let admin = main_error("[admin]\nlisten = \"127.0.0.1:2525\"\n");
    assert!(admin.ends_with("a listener has this address already"), "{admin}");
}

#[test]
fn a_network_is_mapped_to_a_login_that_exists() {
    assert_eq!(
        main_error("networks = [{ network = \"192.0.2.0/24\", login = \"acme-ap\" }]\n"),
        "posthouse.toml:7: listeners[submission].networks[1].login = \"acme-ap\": no tenant has such a login; did you mean `acme-app`?"
    );
    assert_eq!(
        main_error("networks = [{ network = \"192.0.2.1/24\", login = \"acme-app\" }]\n"),
        "posthouse.toml:7: listeners[submission].networks[1].network = \"192.0.2.1/24\": expected a network as \
         `192.0.2.0/24` or `2001:db8::/32`: the address has bits beyond the prefix; the network is 192.0.2.0/24"
    );
    let overlap = "networks = [{ network = \"192.0.2.0/24\", login = \"acme-app\" }, { network = \"192.0.2.7\", login = \"acme-app\" }]\n";
    let fault = one(warnings(&format!("{MAIN}{overlap}"), ACME));
    assert!(fault.ends_with("it overlaps with 192.0.2.0/24, which stands first and is asked first"), "{fault}");
}

#[test]
fn a_login_of_a_tenant_that_cannot_be_read_is_not_called_unknown() {
    let main = format!("{MAIN}networks = [{{ network = \"192.0.2.0/24\", login = \"acme-app\" }}]\n");
    let faults = errors(&main, "[[logins\n");
    assert!(faults.iter().all(|fault| fault.starts_with("tenants/acme.toml:1:")), "{faults:#?}");
}

#[test]
fn a_hostname_that_is_no_name_is_an_error_and_a_short_one_a_warning() {
    let main = |name: &str| MAIN.replace("relay.example.com", name);
    assert_eq!(
        one(errors(&main("relay example"), ACME)),
        "posthouse.toml:1: hostname = \"relay example\": expected a domain name, or an address as `[192.0.2.1]` (RFC 5321 2.3.5)"
    );
    assert!(one(warnings(&main("relay"), ACME)).contains("it is not fully qualified"));
    assert_eq!(warnings(&main("[192.0.2.1]"), ACME), Vec::<String>::new());
}
