//! Whose a consent is: its mailbox's, whatever the account is called, and nobody's who has the id later.

use std::fs;
use std::path::{Path, PathBuf};

use posthouse_relay::simulation;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::{Options, Rotation};
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use posthouse_store::keys::Keys;
use posthouse_store::refresh_tokens::{Chain, LOGIN};
use posthouse_store::secret::Secret;
use posthouse_store::store::Store;
use tokio::process::Child;

use super::consents::{client, killed, operated, running};
use crate::admin::http::{Answer, Ask};
use crate::admin::operated::OPERATOR;
use crate::post::send;

const MINE: &str = "mine@acme.example";
const OTHER: &str = "other@acme.example";

/// These accounts, whose consents are in the store and nowhere else. Both mailboxes are at one provider, and their
/// accounts are of one application.
fn accounts(accounts: &[(&str, &str)]) -> String {
    let account = |(id, address): &(&str, &str)| {
        let mailbox = Mailbox::new(Provider::Outlook, *address);
        let token = format!("refresh_token = \"{}\"\n", mailbox.refresh_token);
        simulation::account(id, &mailbox, "").replace(&token, "")
    };
    accounts.iter().map(account).collect()
}

/// A relay in a process of its own.
struct Renamed {
    simulator: Simulator,
    directory: PathBuf,
    login: String,
    relay: Child,
    admin: u16,
}

impl Renamed {
    /// One whose account `box` has had a consent brought and used. Its provider lets each refresh token be used once.
    async fn new() -> Self {
        let mut options = Options::new([MINE, OTHER].map(|address| Mailbox::new(Provider::Outlook, address)).to_vec());
        options.outlook.rotation = Rotation::OldDie;
        let simulator = Simulator::start(options).await.expect("loopback has free ports");
        let first = accounts(&[("box", MINE)]);
        let directory = operated(&simulator, &first);
        let login = read(&directory).replace(&first, "");
        let (relay, admin) = running(&directory).await;
        let it = Self { simulator, directory, login, relay, admin };
        assert!(it.sent(MINE).await.starts_with("454 4.7.0 "), "nobody has consented");
        it.consent("box", MINE).await.done();
        assert!(it.sent(MINE).await.starts_with("250 "));
        it
    }

    async fn consent(&self, id: &str, address: &str) -> Answer {
        let ask = Ask::post(&format!("/v1/tenants/acme/accounts/{id}/consent")).token(OPERATOR);
        let ask = ask.json(&format!("{{\"refresh_token\":\"refresh-{address}\"}}"));
        ask.send(([127, 0, 0, 1], self.admin).into()).await
    }

    fn write(&self, now: &[(&str, &str)]) {
        fs::write(self.directory.join("tenants/acme.toml"), self.login.clone() + &accounts(now)).expect("a file");
    }

    async fn reload(&self) {
        let report = Ask::post("/v1/reload").token(OPERATOR).send(([127, 0, 0, 1], self.admin).into()).await.done();
        assert!(report["outcome"] == "published" || report["outcome"] == "unchanged", "{report}");
    }

    async fn restart(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.relay.kill().await.expect("it runs");
        meanwhile(self);
        (self.relay, self.admin) = running(&self.directory).await;
    }

    /// The reply to a message from this mailbox.
    async fn sent(&self, from: &str) -> String {
        send(&mut client(self.admin).await, from, &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await
    }

    /// The account of the other mailbox has nothing to log in with, and nobody has tried by another's consent.
    async fn other_has_nothing(&self) {
        let reply = self.sent(OTHER).await;
        assert!(reply.starts_with("454 4.7.0 "), "{reply}");
        let report = self.simulator.report(Provider::Outlook, OTHER).expect("a mailbox");
        assert_eq!((report.logins, report.refused_logins, report.tokens, report.messages), (0, 0, 0, 0));
    }

    /// Both mailboxes' owners have consented: each account has its own, through another restart.
    async fn each_has_its_own(mut self, other: &str) {
        self.consent(other, OTHER).await.done();
        self.restart(|_| {}).await;
        for address in [MINE, OTHER] {
            let reply = self.sent(address).await;
            assert!(reply.starts_with("250 "), "{address}: {reply}");
            let report = self.simulator.report(Provider::Outlook, address).expect("a mailbox");
            assert_eq!(report.refused_logins, 0, "{address}");
        }
        assert_eq!(self.simulator.report(Provider::Outlook, OTHER).expect("a mailbox").messages, 1);
        killed(self.relay).await;
    }
}

fn read(directory: &Path) -> String {
    fs::read_to_string(directory.join("tenants/acme.toml")).expect("the tenant's file")
}

/// As builds of before kept it: by the account's id, and by nothing else.
#[tokio::test]
async fn a_consent_that_was_kept_by_an_id_alone_is_its_mailbox_s_from_the_first_start_on() {
    let mut it = Renamed::new().await;
    it.restart(|it| {
        let state = it.directory.join("state");
        let keys = Keys::parse(&fs::read(state.join("store.key")).expect("it was made")).expect("keys");
        let store = Store::open(&state, keys).expect("nobody else has it");
        let tokens = store.refresh_tokens();
        let chains = tokens.chains().expect("they can be read");
        let kept = tokens.get(&chains[0]).expect("its key is there").expect("it was kept");
        assert!(chains.len() == 1 && tokens.remove(&chains[0]).expect("it can be written"));
        // The other one is good for whoever finds it, and belongs to no account that there is.
        for (id, token) in [("box", kept.expose()), ("gone", &format!("refresh-{OTHER}"))] {
            let chain = Chain { tenant: "acme".into(), account: id.into(), origin: LOGIN.into() };
            tokens.put(&chain, &Secret::new(token)).expect("it can be written");
        }
    })
    .await;
    let reply = it.sent(MINE).await;
    assert!(reply.starts_with("250 "), "{reply}");
    for other in ["box", "gone"] {
        it.restart(|it| it.write(&[("letters", MINE), (other, OTHER)])).await;
        let reply = it.sent(MINE).await;
        assert!(reply.starts_with("250 "), "{reply}");
        it.other_has_nothing().await;
    }
    killed(it.relay).await;
}

#[tokio::test]
async fn an_account_that_is_renamed_while_the_relay_runs_keeps_its_consent_and_its_old_id_is_nobody_s() {
    let mut it = Renamed::new().await;
    let tokens = |it: &Renamed| it.simulator.report(Provider::Outlook, MINE).expect("a mailbox").tokens;
    let before = tokens(&it);
    it.write(&[("letters", MINE), ("box", OTHER)]);
    it.reload().await;
    for restarts in 0..2 {
        let reply = it.sent(MINE).await;
        assert!(reply.starts_with("250 "), "after {restarts} restarts: {reply}");
        assert_eq!(tokens(&it), before + restarts, "one for each start, and none for the name");
        it.other_has_nothing().await;
        it.restart(|_| {}).await;
    }
    it.each_has_its_own("box").await;
}

#[tokio::test]
async fn an_account_that_is_renamed_between_two_starts_keeps_its_consent_and_its_old_id_is_nobody_s() {
    let mut it = Renamed::new().await;
    // Renamed, and back, which finds no older one there; then its id is given to another mailbox, and ids are swapped.
    for now in [
        &[("letters", MINE)][..],
        &[("box", MINE)],
        &[("box", OTHER), ("letters", MINE)],
        &[("letters", OTHER), ("box", MINE)],
    ] {
        it.restart(|it| it.write(now)).await;
        let reply = it.sent(MINE).await;
        assert!(reply.starts_with("250 "), "{now:?}: {reply}");
        if now.len() > 1 {
            it.other_has_nothing().await;
        }
    }
    it.each_has_its_own("letters").await;
}
