//! Lives, by what is there after the file was closed.

use super::Life;
use crate::refresh_tokens::Chain;
use crate::scratch::Scratch;

fn chain(account: &str) -> Chain {
    Chain { tenant: "acme".to_owned(), account: account.to_owned(), origin: account.to_owned() }
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

#[test]
fn a_life_is_its_chain_s_whatever_the_account_is_called() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let renamed = Chain { account: "two".to_owned(), ..chain("one") };
    store
        .lives()
        .keep(&[(chain("one"), Life { began: 1, used: 2 }), (chain("two"), Life { began: 3, used: 4 })])
        .unwrap();
    assert_eq!(store.lives().get(&renamed).unwrap(), Some(Life { began: 1, used: 2 }));
    store.lives().keep(&[(renamed.clone(), Life { began: 1, used: 9 })]).unwrap();
    assert_eq!(store.lives().get(&chain("one")).unwrap(), Some(Life { began: 1, used: 9 }), "and back again");
    assert_eq!(store.lives().get(&chain("two")).unwrap(), Some(Life { began: 3, used: 4 }));
}
