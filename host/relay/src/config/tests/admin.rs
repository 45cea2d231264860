//! `[admin]` and its tokens.

use super::fixture::{ACME, MAIN, acme_error, config, errors, main_error, one, warnings};
use crate::config::from_toml;
use crate::config::token::{Digest, Reach, generate};

fn hash(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

fn with(token: &str) -> String {
    format!("[[tokens]]\nname = \"app\"\nhash = \"{}\"\n", hash(token))
}

#[test]
fn tokens_are_known_by_their_hash_and_reach() {
    let token = |name: &str, scope: &str| {
        format!("[[admin.tokens]]\nname = \"{name}\"\nhash = \"{}\"\nscope = \"{scope}\"\n", hash(name))
    };
    let main = format!("{MAIN}[admin]\nlisten = \"127.0.0.1:0\"\n{}{}", token("ops", "operator"), token("eye", "read"));
    let acme = format!("{ACME}{}read_only = true\n", with("app"));
    let config = config(&main, &acme);
    let admin = config.admin.unwrap();
    let reach = |name: &str| {
        let digest = Digest::of(name.as_bytes());
        admin.tokens.iter().find(|token| token.digest.is(&digest)).map(|token| (token.name.as_str(), token.reach))
    };
    assert_eq!(reach("ops"), Some(("ops", Reach::Change)));
    assert_eq!(reach("eye"), Some(("eye", Reach::Read)));
    assert_eq!(reach("app"), None);
    assert_eq!(config.tenants[0].tokens[0].reach, Reach::Read);
    assert!(!admin.metrics_token && admin.certificate.is_none());
}

#[test]
fn an_address_that_others_reach_needs_tls_or_a_word() {
    let fault = main_error("[admin]\nlisten = \"0.0.0.0:8025\"\n");
    assert!(
        fault.starts_with(
            "posthouse.toml:8: admin.listen = \"0.0.0.0:8025\": it leaves this host in the clear, and tokens with it"
        ),
        "{fault}"
    );
    let fault = one(warnings(&format!("{MAIN}[admin]\nlisten = \"0.0.0.0:8025\"\ninsecure = true\n"), ACME));
    assert!(fault.contains("admin.insecure: tokens and metrics cross the network in the clear"), "{fault}");
    let fault = one(warnings(&format!("{MAIN}[admin]\nlisten = \"[::1]:8025\"\ninsecure = true\n"), ACME));
    assert!(fault.contains("it means nothing here"), "{fault}");
    let fault = main_error("[admin]\nlisten = \"0.0.0.0:8025\"\ncertificate_pem = \"x\"\ninsecure = true\n");
    assert!(fault.contains("admin.key: missing"), "{fault}");
}

#[test]
fn a_token_that_stands_twice_is_nobodys() {
    let admin = "[admin]\nlisten = \"127.0.0.1:0\"\n";
    let token = format!("[[admin.tokens]]\nname = \"ops\"\nhash = \"{}\"\nscope = \"read\"\n", hash("same"));
    let fault = one(errors(&format!("{MAIN}{admin}{token}"), &format!("{ACME}{}", with("same"))));
    assert!(fault.contains("admin.tokens[ops].hash: a tenant has the same token"), "{fault}");
    let fault = one(errors(&format!("{MAIN}{admin}{token}{}", token.replace("ops", "two")), ACME));
    assert!(fault.contains("admin.tokens[two].hash: the same token stands at posthouse.toml:11"), "{fault}");
    let globex = "[[logins]]\nname = \"globex\"\nsenders = [\"@globex.example\"]\n".to_owned() + &with("same");
    let acme = format!("{ACME}{}", with("same")).replace("HASH", super::fixture::HASH);
    let loaded = from_toml(MAIN, &[("acme", &acme), ("globex", &globex)]);
    let fault = one(loaded.errors.iter().map(ToString::to_string).collect());
    assert!(fault.starts_with("tenants/globex.toml:6: tokens[app].hash: the same token stands at"), "{fault}");
    let names = format!("{ACME}{}{}", with("one"), with("two"));
    assert!(one(errors(MAIN, &names)).contains("the name is taken already"));
}

#[test]
fn a_token_in_the_place_of_its_hash_is_not_shown() {
    let token = generate().unwrap();
    let place = "[[routes]]\nname = \"main\"";
    for written in [token.expose(), "blake2s:12", "x"] {
        let fault = acme_error(place, &format!("[[tokens]]\nname = \"app\"\nhash = \"{written}\"\n{place}"));
        assert!(fault.contains("write the hash that `posthouse admin-token` prints"), "{fault}");
        assert!(!fault.contains(token.expose()), "{fault}");
    }
}

#[test]
fn tokens_are_256_bits_and_never_the_same() {
    let (one, other) = (generate().unwrap(), generate().unwrap());
    assert_eq!(one.expose().len(), "posthouse_".len() + 64);
    assert_ne!(one, other);
    assert!(!Digest::of(one.expose().as_bytes()).is(&Digest::of(other.expose().as_bytes())));
}

#[test]
fn a_host_has_no_port() {
    let fault = main_error("[admin]\nlisten = \"127.0.0.1:0\"\nhosts = [\"relay.example.com:8025\"]\n");
    assert!(fault.contains("expected a name without a port"), "{fault}");
}
