//! Certificates that clients and operators are shown: who is told before they end, once, and when another is there.

use std::time::{Duration, SystemTime};

use posthouse_simulator::simulator::Certificate;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;

use super::receiver::Receiver;
use crate::admin::operated::{Operated, admin};

const DAY: u64 = 24 * 3_600;

/// One that has lived for so many days, and lives for so many more and half an hour.
pub(super) fn certificate(lived: u64, left: u64) -> (Certificate, u64) {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let (begins, ends) = (since_1970 - lived * DAY, since_1970 + left * DAY + 1_800);
    let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (at(begins), at(ends));
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = params.self_signed(&key).expect("a certificate can be made").pem();
    (Certificate { certificate, key: key.serialize_pem() }, ends)
}

pub(super) fn pem(certificate: &Certificate) -> String {
    format!("certificate_pem = '''\n{}'''\nkey_pem = '''\n{}'''\n", certificate.certificate, certificate.key)
}

/// Reloads with these certificates of a listener and of the admin address.
async fn show(relay: &Operated, receiver: &Receiver, listener: Option<&Certificate>, operators: &Certificate) {
    let alerts = format!("[alerts]\nwebhook = \"http://{}/\"\n", receiver.address);
    let mut main = relay.files.main_file(&(admin(&pem(operators)) + &alerts));
    if let Some(listener) = listener {
        let lines = "[[listeners]]\nname = \"tls\"\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\n";
        main += &(lines.to_owned() + &pem(listener));
    }
    let report = relay.files.change("posthouse.toml", &main).await;
    assert!(report.is_good(), "{report}");
}

/// All that was told once there were so many alerts.
async fn told(receiver: &Receiver, count: usize) -> Vec<Value> {
    for requests in 1..=count {
        let alerts: Vec<Value> = receiver.requests(requests).await.iter().flat_map(|it| it.alerts()).collect();
        if alerts.len() >= count {
            assert_eq!(alerts.len(), count, "{alerts:?}");
            return alerts;
        }
    }
    panic!("each request brings an alert");
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_an_alert_and_the_one_in_its_place_another() {
    let (receiver, relay) = (Receiver::start().await, Operated::new().await);
    let ((good, _), (long, long_ends)) = (certificate(10, 300), certificate(300, 29));
    // One that is renewed by machines each sixty days: at 28 days that is under way, and nobody's business.
    let (short, _) = certificate(62, 28);
    show(&relay, &receiver, Some(&long), &short).await;
    let alert = told(&receiver, 1).await.remove(0);
    for (field, value) in [("event", "expiring"), ("listener", "tls"), ("before", "ready"), ("after", "expiring")] {
        assert_eq!(alert[field], value, "{alert}");
    }
    assert_eq!((alert["expires"].as_u64(), alert["since"].as_u64()), (Some(long_ends), Some(long_ends - 30 * DAY)));
    assert!(alert["account"].is_null() && alert["tenant"].is_null(), "{alert}");
    let text = "the certificate of listener tls ends in 29 days: put a new one in its place.";
    assert_eq!(alert["text"], text);
    // One that was not renewed when it should have been, and another that takes the place of the first.
    let (late, _) = certificate(70, 20);
    show(&relay, &receiver, Some(&good), &late).await;
    let alerts = told(&receiver, 3).await;
    let of = |listener: &str| alerts[1..].iter().find(|alert| alert["listener"] == listener).expect("it is told");
    assert!(of("tls")["event"] == "healed" && of("tls")["before"] == "expiring", "{alerts:?}");
    assert!(of("admin")["event"] == "expiring", "{alerts:?}");
    let text = "the certificate of the admin address ends in 20 days: put a new one in its place.";
    assert_eq!(of("admin")["text"], text);
    let (soon, _) = certificate(400, 0);
    show(&relay, &receiver, Some(&soon), &good).await;
    let alerts = told(&receiver, 5).await;
    assert!(alerts[3..].iter().any(|alert| alert["listener"] == "admin" && alert["event"] == "healed"), "{alerts:?}");
    let told_soon = alerts[3..].iter().find(|alert| alert["listener"] == "tls").expect("it is told");
    assert_eq!(told_soon["text"], "the certificate of listener tls ends in 0 h: put a new one in its place.");
    // What is shown no more does not end, and was not healed; if it is shown again, it does.
    show(&relay, &receiver, None, &late).await;
    let last = told(&receiver, 6).await.remove(5);
    assert!(last["listener"] == "admin", "{last}");
    show(&relay, &receiver, Some(&soon), &late).await;
    let last = told(&receiver, 7).await.remove(6);
    assert!(last["listener"] == "tls" && last["event"] == "expiring", "{last}");
}
