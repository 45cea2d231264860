//! Admission, by who is let in and when a place is free again.

use super::{Connections, ContentMemory, Held, NoContentMemory};

#[test]
fn connections_are_bounded_in_all_and_by_address() {
    let connections = Connections::new(3, 2);
    let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let first = connections.admit(one).unwrap();
    let _second = connections.admit(one).unwrap();
    assert!(connections.admit(one).is_none(), "two from one address are the limit");
    let _third = connections.admit(two).unwrap();
    assert!(connections.admit(two).is_none(), "three are the limit");
    drop(first);
    assert!(connections.admit(two).is_some());
}

#[test]
fn a_refused_address_takes_no_place() {
    let connections = Connections::new(2, 1);
    let address = "192.0.2.1".parse().unwrap();
    let _held = connections.admit(address).unwrap();
    for _ in 0..10 {
        assert!(connections.admit(address).is_none());
    }
    assert!(connections.admit("192.0.2.2".parse().unwrap()).is_some());
}

#[tokio::test(start_paused = true)]
async fn content_memory_is_bounded_and_comes_back() {
    let memory = ContentMemory::new(64 * 1024);
    let (mut first, mut second) = (Held::default(), Held::default());
    memory.cover(&mut first, 60 * 1024).await.unwrap();
    memory.cover(&mut first, 1).await.unwrap();
    assert_eq!(memory.held(), 60 * 1024);
    assert_eq!(memory.cover(&mut second, 8 * 1024).await, Err(NoContentMemory));
    drop(first);
    assert_eq!(memory.held(), 0);
    memory.cover(&mut second, 8 * 1024).await.unwrap();
    assert_eq!(memory.held(), 8 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_message_goes_on_when_memory_is_freed() {
    let memory = ContentMemory::new(8 * 1024);
    let mut first = Held::default();
    memory.cover(&mut first, 8 * 1024).await.unwrap();
    let waiting = tokio::spawn({
        let memory = memory.clone();
        async move { memory.cover(&mut Held::default(), 4 * 1024).await }
    });
    tokio::task::yield_now().await;
    drop(first);
    assert_eq!(waiting.await.unwrap(), Ok(()));
}
