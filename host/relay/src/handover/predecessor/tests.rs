//! What of the old process's a new one takes, and when.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use posthouse_store::refresh_tokens::{Chain, LOGIN};
use posthouse_store::secret::Secret;
use posthouse_store::store::Store;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::{Channel, Left, Message, Taking};
use crate::config::{Config, from_toml};
use crate::inherited::Inherited;
use crate::relay::{Beginnings, Origin, Prepared, Relay};
use crate::state;

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("posthouse-predecessor-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// A relay whose one account has its consent in the store and nowhere else.
fn config(directory: &Path) -> Config {
    let main = format!(
        "hostname = \"relay.example.com\"\nstate_directory = \"{}\"\n[[listeners]]\nname = \"plain\"\n\
         address = \"127.0.0.1:0\"\ntls = \"none\"\n",
        directory.display()
    );
    let acme = "[[accounts]]\nid = \"box\"\naddress = \"box@acme.example\"\nprovider = \"outlook\"\n[accounts.grant]\n\
                kind = \"refresh_token\"\nclient_id = \"app\"\n\
                [[logins]]\nname = \"app\"\nsenders = [\"@acme.example\"]\n";
    let loaded = from_toml(&main, &[("acme", acme)]);
    loaded.config.clone().unwrap_or_else(|| panic!("{}", loaded.report()))
}

fn opened(config: &Config) -> Arc<Store> {
    state::open(config).unwrap().unwrap()
}

fn by_id() -> Chain {
    Chain { tenant: "acme".into(), account: "box".into(), origin: LOGIN.into() }
}

async fn prepared(config: &Config, started_before: Option<u32>) -> Prepared {
    let beginnings = Beginnings { inherited: Inherited::default(), started_before };
    Relay::prepare(Origin::default(), config, None, beginnings).await.unwrap()
}

/// Releases of before kept consents by accounts' ids, and find nothing else.
#[tokio::test]
async fn consents_are_taken_from_the_old_process_when_it_takes_nothing_back_any_more() {
    let directory = directory("consents");
    let config = config(&directory);
    opened(&config).refresh_tokens().put(&by_id(), &Secret::new("consent")).unwrap();
    // This process fails, and the old one takes the store back.
    drop(prepared(&config, Some(1)).await);
    let found = opened(&config).refresh_tokens().get(&by_id()).unwrap();
    assert_eq!(found, Some(Secret::new("consent")));
    // This one does not.
    let prepared = prepared(&config, Some(1)).await;
    let (old, new) = UnixStream::pair().unwrap();
    let (main, is_main) = oneshot::channel();
    let taking = Taking { channel: Channel::new(new).unwrap(), left: Left::default() };
    let relay = prepared.open_after(taking, main).await.unwrap();
    let mut old = Channel::new(old).unwrap();
    assert_eq!(old.hear().await.unwrap(), Message::Open);
    let (snapshot, by_id) = (relay.snapshot(), by_id());
    let tokens = snapshot.store().unwrap().refresh_tokens();
    assert_eq!(tokens.get(&by_id).unwrap(), Some(Secret::new("consent")));
    assert_eq!(tokens.chains().unwrap().len(), 2, "and its mailbox has it as well");
    old.say(&Message::Main).await.unwrap();
    is_main.await.unwrap();
    let gone = async {
        while tokens.get(&by_id).unwrap().is_some() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.unwrap();
    assert_eq!(tokens.chains().unwrap().len(), 1, "the mailbox's own");
    drop(old);
    relay.stop().await;
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn a_start_in_nobody_s_place_takes_them_when_nothing_can_fail_any_more() {
    let directory = directory("starts");
    let config = config(&directory);
    opened(&config).refresh_tokens().put(&by_id(), &Secret::new("consent")).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut unable = config.clone();
    unable.listeners[0].address = taken.local_addr().unwrap();
    Relay::prepare(Origin::default(), &unable, None, Beginnings::default()).await.unwrap_err();
    assert_eq!(opened(&config).refresh_tokens().get(&by_id()).unwrap(), Some(Secret::new("consent")));
    drop(prepared(&config, None).await);
    let store = opened(&config);
    assert_eq!(store.refresh_tokens().get(&by_id()).unwrap(), None);
    assert_eq!(store.refresh_tokens().chains().unwrap().len(), 1, "the mailbox's own");
    std::fs::remove_dir_all(&directory).unwrap();
}
