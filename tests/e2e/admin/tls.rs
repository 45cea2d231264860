//! The admin address by TLS: its certificate is the one of now.

use posthouse_simulator::simulator::Simulator;

use super::http::{Ask, taken_apart};
use super::operated::{OPERATOR, Operated, admin};
use crate::wire::Wire;

fn pem(simulator: &Simulator) -> (String, String) {
    let issued = simulator.issue_certificate("localhost").expect("localhost can stand in a certificate");
    let lines = format!("certificate_pem = '''\n{}'''\nkey_pem = '''\n{}'''\n", issued.certificate, issued.key);
    (lines, issued.certificate)
}

#[tokio::test]
async fn the_api_is_served_by_tls_and_its_certificate_changes_with_a_reload() {
    let relay = Operated::new().await;
    let files = &relay.files;
    let ca = files.simulator.ca_pem();
    for _ in 0..2 {
        let (lines, certificate) = pem(&files.simulator);
        let report = files.change("posthouse.toml", &files.main_file(&admin(&lines))).await;
        assert!(report.is_good(), "{report}");
        let shown = Wire::connect(relay.address).await.certificate(&ca).await;
        assert!(certificate.replace('\n', "").contains(&shown), "the new certificate is shown");
        let mut wire = Wire::connect(relay.address).await.secured(&ca).await;
        wire.send(Ask::get("/v1/status").token(OPERATOR).octets()).await;
        taken_apart(&String::from_utf8_lossy(&wire.rest().await)).done();
    }
    // In the clear nothing is answered there.
    let mut wire = Wire::connect(relay.address).await;
    wire.send(Ask::get("/v1/status").token(OPERATOR).octets()).await;
    assert!(!String::from_utf8_lossy(&wire.rest().await).contains("generation"));
    let broken = files.main_file(&admin("certificate_pem = 'x'\nkey_pem = 'x'\n"));
    let report = files.change("posthouse.toml", &broken).await;
    assert!(
        report.errors.iter().any(|error| error.contains("admin.certificate_pem: no certificate found")),
        "{report}"
    );
}
