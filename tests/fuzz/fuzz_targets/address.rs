//! Address fields: what is read from one is read again from what it was written as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_mail::address::addresses;

fuzz_target!(|body: &[u8]| {
    let Ok(found) = addresses(body) else { return };
    for address in &found {
        let text = address.to_string();
        if text.ends_with(']') {
            continue; // in a domain literal there may be another @
        }
        let (local, domain) = text.rsplit_once('@').expect("an address has a domain");
        assert!(!domain.is_empty() && !text.contains(['\r', '\n', '\0']), "{text:?}");
        let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
        let again = addresses(format!("x <\"{quoted}\"@{domain}>").as_bytes());
        assert_eq!(again.as_deref(), Ok(std::slice::from_ref(address)), "{text:?}");
    }
});
