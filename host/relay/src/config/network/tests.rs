//! Which addresses a network holds.

use super::{Network, NetworkError};

fn contains(network: &str, address: &str) -> bool {
    network.parse::<Network>().unwrap().contains(address.parse().unwrap())
}

#[test]
fn a_network_holds_the_addresses_that_share_its_bits() {
    assert!(contains("192.0.2.0/24", "192.0.2.255"));
    assert!(!contains("192.0.2.0/24", "192.0.3.0"));
    assert!(contains("192.0.2.64/26", "192.0.2.127"));
    assert!(!contains("192.0.2.64/26", "192.0.2.128"));
    assert!(contains("2001:db8::/33", "2001:db8:7fff::1"));
    assert!(!contains("2001:db8::/33", "2001:db8:8000::1"));
    assert!(contains("0.0.0.0/0", "203.0.113.9"));
    assert!(contains("::/0", "2001:db8::1"));
    assert!(!contains("0.0.0.0/0", "2001:db8::1"));
}

#[test]
fn a_single_address_is_a_network_of_one() {
    assert!(contains("192.0.2.7", "192.0.2.7"));
    assert!(!contains("192.0.2.7", "192.0.2.6"));
    assert!(!contains("2001:db8::1", "2001:db8::2"));
}

#[test]
fn a_mapped_address_is_the_ipv4_address_that_it_means() {
    assert!(contains("192.0.2.0/24", "::ffff:192.0.2.1"));
    assert!(contains("::ffff:192.0.2.0/120", "192.0.2.1"));
    assert!(!contains("::/0", "::ffff:192.0.2.1"), "IPv6's whole space does not hold IPv4");
}

#[test]
fn what_is_no_network_says_why() {
    let fault = |text: &str| text.parse::<Network>().unwrap_err();
    assert_eq!(fault("printer"), NetworkError::Address);
    assert_eq!(fault("192.0.2.0/33"), NetworkError::Prefix(32));
    assert_eq!(fault("192.0.2.0/-1"), NetworkError::Prefix(32));
    assert_eq!(fault("192.0.2.0/"), NetworkError::Prefix(32));
    assert_eq!(fault("::ffff:192.0.2.0/80"), NetworkError::Prefix(128));
    assert_eq!(
        fault("192.0.2.1/24").to_string(),
        "the address has bits beyond the prefix; the network is 192.0.2.0/24"
    );
}

#[test]
fn networks_that_share_an_address_overlap() {
    let overlap = |one: &str, other: &str| one.parse::<Network>().unwrap().overlaps(&other.parse().unwrap());
    assert!(overlap("192.0.2.0/24", "192.0.2.128/25"));
    assert!(overlap("192.0.2.128/25", "192.0.2.0/24"));
    assert!(!overlap("192.0.2.0/25", "192.0.2.128/25"));
}
