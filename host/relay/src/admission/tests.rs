//! Admission, by who is let in and when a place is free again.

use super::{Connections, ContentMemory, Held, NoContentMemory, PIECE};

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

/// A part that bounds nothing.
fn all() -> ContentMemory {
    ContentMemory::new(u64::MAX)
}

#[tokio::test(start_paused = true)]
async fn content_memory_is_bounded_and_comes_back() {
    let memory = ContentMemory::new(64 * 1024);
    let (mut first, mut second) = (Held::default(), Held::default());
    memory.cover(&all(), &mut first, 60 * 1024).await.unwrap();
    memory.cover(&all(), &mut first, 1).await.unwrap();
    assert_eq!(memory.held(), 60 * 1024);
    assert_eq!(memory.cover(&all(), &mut second, 8 * 1024).await, Err(NoContentMemory));
    drop(first);
    assert_eq!(memory.held(), 0);
    memory.cover(&all(), &mut second, 8 * 1024).await.unwrap();
    assert_eq!(memory.held(), 8 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_message_goes_on_when_memory_is_freed() {
    let memory = ContentMemory::new(8 * 1024);
    let mut first = Held::default();
    memory.cover(&all(), &mut first, 8 * 1024).await.unwrap();
    let waiting = tokio::spawn({
        let memory = memory.clone();
        async move { memory.cover(&all(), &mut Held::default(), 4 * 1024).await }
    });
    tokio::task::yield_now().await;
    drop(first);
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_has_its_part_leaves_the_others_theirs() {
    let memory = ContentMemory::new(64 * 1024);
    let (flooding, other) = (ContentMemory::new(32 * 1024), ContentMemory::new(32 * 1024));
    let mut held: Vec<Held> = std::iter::repeat_with(Held::default).take(8).collect();
    for held in &mut held {
        memory.cover(&flooding, held, 4 * 1024).await.unwrap();
    }
    // Hundreds wait, and keep nobody else waiting.
    for _ in 0..200 {
        let (memory, flooding) = (memory.clone(), flooding.clone());
        tokio::spawn(async move { memory.cover(&flooding, &mut Held::default(), 4 * 1024).await });
    }
    tokio::task::yield_now().await;
    let before = tokio::time::Instant::now();
    memory.cover(&other, &mut Held::default(), 32 * 1024).await.unwrap();
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    assert_eq!(memory.cover(&flooding, &mut Held::default(), 1).await, Err(NoContentMemory));
}

#[tokio::test]
async fn places_that_are_taken_away_while_taken_do_not_come_back() {
    let places = super::places::Places::new(2);
    let (one, two) = (places.take(1).await, places.try_take(1).unwrap());
    places.allow(1);
    drop(one);
    tokio::task::yield_now().await;
    assert!(places.try_take(1).is_none());
    drop(two);
    assert_eq!(places.taken(), 0);
    let _three = places.take(1).await;
    assert!(places.try_take(1).is_none());
}

#[tokio::test]
async fn a_copy_has_memory_of_its_own_or_is_not_made() {
    let (relay, part) = (ContentMemory::new(4 * PIECE as u64), ContentMemory::new(3 * PIECE as u64));
    let mut held = Held::default();
    assert!(held.beside(1).is_none(), "what holds nothing has nothing to copy");
    relay.cover(&part, &mut held, PIECE).await.unwrap();
    let copy = held.beside(PIECE + 1).unwrap();
    assert_eq!((relay.held(), part.held()), (3 * PIECE, 3 * PIECE));
    assert!(held.beside(1).is_none(), "the tenant's part is taken");
    drop(copy);
    assert_eq!((relay.held(), part.held()), (PIECE, PIECE));
    assert!(held.beside(4 * PIECE).is_none() && held.beside(1).is_some());
}
