//! What an old process keeps, by what its pools give out.

use std::sync::Arc;

use posthouse_upstream::pool::learned::Learned;
use tokio::time::Instant;

use super::Shares;
use crate::config::from_toml;
use crate::generations::archive::Archive;
use crate::policies::Policies;
use crate::snapshot::Snapshot;

/// A mailbox that may have so many sessions.
async fn snapshot(sessions: usize) -> Snapshot {
    let main = "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"plain\"\naddress = \"127.0.0.1:0\"\n\
                tls = \"none\"\n";
    let acme = format!(
        "[[accounts]]\nid = \"box\"\naddress = \"box@acme.example\"\nprovider = \"outlook\"\nsessions = {sessions}\n\
         [accounts.grant]\nkind = \"refresh_token\"\nclient_id = \"app\"\nrefresh_token = \"consent\"\n\
         [[logins]]\nname = \"app\"\nsenders = [\"@acme.example\"]\n"
    );
    let loaded = from_toml(main, &[("acme", &acme)]);
    let config = Arc::new(loaded.config.clone().unwrap_or_else(|| panic!("{}", loaded.report())));
    let policies = Arc::new(Policies::open(&config, Archive::default()).unwrap());
    Snapshot::first(config, &policies, None).await.unwrap()
}

#[tokio::test]
async fn what_is_kept_is_raised_by_nothing_and_what_was_learned_outlives_a_hand_over_that_fails() {
    let snapshot = snapshot(3).await;
    let account = snapshot.accounts().next().unwrap();
    let (pool, shares) = (account.pool(), Shares::keep(&snapshot));
    assert_eq!(pool.gauges().allowed, 1, "there may be somebody who sends");
    pool.set_sessions(8);
    assert_eq!(pool.gauges().allowed, 1);
    pool.relearn(Learned { sessions: Some((2, Instant::now())), ..Learned::default() }, &snapshot.replies);
    shares.take_back();
    assert_eq!(pool.gauges().allowed, 2);
}

#[tokio::test]
async fn of_a_mailbox_that_needs_all_that_it_has_what_comes_back_is_the_new_process_s() {
    let snapshot = snapshot(1).await;
    let account = snapshot.accounts().next().unwrap();
    let shares = Shares::keep(&snapshot);
    account.pool().set_sessions(3);
    assert_eq!(account.pool().gauges().allowed, 1);
    shares.take_back();
    assert_eq!(account.pool().gauges().allowed, 3);
}
