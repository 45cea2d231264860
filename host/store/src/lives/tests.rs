//! Lives, by what is there after the file was closed.

use super::Life;
use crate::refresh_tokens::Chain;
use crate::scratch::Scratch;

fn chain(account: &str) -> Chain {
    Chain { tenant: "acme".to_owned(), account: account.to_owned(), origin: "0".to_owned() }
}

#[test]
fn a_chain_s_life_is_there_after_another_opening() {
    let scratch = Scratch::new();
    let store = scratch.store();
    assert_eq!(store.lives().get(&chain("one")).unwrap(), None);
    let life = |began, used| Life { began, used };
    store.lives().keep(&[(chain("one"), life(1, 2)), (chain("two"), life(3, 4))]).unwrap();
    store.lives().keep(&[(chain("one"), life(1, 9))]).unwrap();
    drop(store);
    let store = scratch.store();
    assert_eq!(store.lives().get(&chain("one")).unwrap(), Some(life(1, 9)));
    assert_eq!(store.lives().get(&chain("two")).unwrap(), Some(life(3, 4)));
}
