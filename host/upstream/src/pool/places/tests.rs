//! Places, by who gets one and in which order.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Place, Places};

async fn soon(places: &Places) -> Option<Place> {
    places.wait(Instant::now() + Duration::from_millis(1)).await
}

#[tokio::test(start_paused = true)]
async fn as_many_places_as_are_allowed_and_not_one_more() {
    let places = Places::new(2);
    let one = places.at_once().unwrap();
    let _other = places.at_once().unwrap();
    assert!(places.at_once().is_none());
    assert!(soon(&places).await.is_none());
    drop(one);
    assert!(places.at_once().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_place_ends_at_its_deadline() {
    let places = Places::new(1);
    let _held = places.at_once().unwrap();
    let (began, patience) = (Instant::now(), Duration::from_secs(30));
    assert!(places.wait(began + patience).await.is_none());
    // The timer's resolution is a millisecond.
    assert!(began.elapsed() - patience < Duration::from_millis(2));
}

#[tokio::test(start_paused = true)]
async fn places_are_given_in_the_order_of_asking() {
    let places = Arc::new(Places::new(1));
    let held = places.at_once().unwrap();
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..20 {
        let (places, sender) = (Arc::clone(&places), sender.clone());
        tokio::spawn(async move {
            let place = places.wait(Instant::now() + Duration::from_secs(1)).await.unwrap();
            sender.send(number).unwrap();
            drop(place);
        });
        tokio::task::yield_now().await;
    }
    drop((held, sender));
    let mut given = Vec::new();
    while let Some(number) = order.recv().await {
        given.push(number);
    }
    assert_eq!(given, (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn fewer_places_count_from_now_on_and_more_do_at_once() {
    let places = Places::new(3);
    let held: Vec<_> = (0..3).map(|_| places.at_once().unwrap()).collect();
    places.allow(1);
    assert_eq!((places.allowed(), places.held()), (1, 3));
    let mut held = held;
    assert_eq!(held.iter_mut().filter_map(|place| place.is_owed().then_some(())).count(), 2);
    drop(held.pop());
    assert!(places.at_once().is_none(), "the sessions of the other two are still being ended");
    drop(held);
    let mut last = places.at_once().unwrap();
    assert!(!last.is_owed());
    assert!(places.at_once().is_none());
    places.allow(2);
    assert!(places.at_once().is_some());
}

#[tokio::test(start_paused = true)]
async fn raising_the_number_again_forgives_what_was_owed() {
    let places = Places::new(3);
    let held: Vec<_> = (0..3).map(|_| places.at_once().unwrap()).collect();
    places.allow(1);
    places.allow(3);
    drop(held);
    let again: Vec<_> = std::iter::from_fn(|| places.at_once()).collect();
    assert_eq!(again.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn free_places_go_at_once_when_fewer_are_allowed() {
    let places = Places::new(3);
    places.allow(1);
    let mut one = places.at_once().unwrap();
    assert!(!one.is_owed());
    assert!(places.at_once().is_none());
}

#[tokio::test(start_paused = true)]
async fn there_is_always_one_place() {
    let places = Places::new(0);
    assert_eq!(places.allowed(), 1);
    places.allow(0);
    assert!(places.at_once().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_left_to_another_process_is_given_out_nowhere_else() {
    let places = Places::new(2);
    places.leave_elsewhere(2, usize::MAX);
    assert_eq!((places.allowed(), places.held()), (0, 0));
    assert!(soon(&places).await.is_none());
    // What is configured meanwhile counts for both.
    places.allow(3);
    let held = places.at_once().unwrap();
    assert!(places.at_once().is_none());
    places.leave_elsewhere(0, usize::MAX);
    let others = [places.at_once().unwrap(), places.at_once().unwrap()];
    assert!(places.at_once().is_none());
    drop((held, others));
    assert_eq!((places.allowed(), places.held()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn more_places_wait_for_the_end_of_a_ceiling() {
    let places = Arc::new(Places::new(3));
    let (low, high) = (places.ceiling(2), places.ceiling(3));
    places.allow(4);
    assert_eq!((places.allowed(), places.everywhere()), (2, (4, 0)));
    let held: Vec<_> = std::iter::from_fn(|| places.at_once()).collect();
    assert_eq!(held.len(), 2);
    drop(low);
    assert_eq!(places.allowed(), 3);
    drop(high);
    assert_eq!((places.allowed(), places.held()), (4, 2));
    drop(held);
    let all: Vec<_> = std::iter::from_fn(|| places.at_once()).collect();
    assert_eq!(all.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn as_long_as_another_process_has_any_there_are_no_more_than_it_may_have() {
    let places = Places::new(4);
    places.leave_elsewhere(2, 3);
    assert_eq!((places.allowed(), places.by_others()), (1, 3));
    places.leave_elsewhere(1, 3);
    assert_eq!(places.allowed(), 2);
    places.leave_elsewhere(0, 3);
    assert_eq!((places.allowed(), places.by_others()), (4, usize::MAX));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_to_is_not_exceeded_whatever_is_allowed_and_nothing_of_that_is_forgotten() {
    let places = Places::new(5);
    places.leave_elsewhere(1, usize::MAX);
    places.hold_to(3);
    assert_eq!((places.allowed(), places.everywhere()), (2, (5, 1)));
    for (all, allowed) in [(10, 2), (2, 1), (4, 2)] {
        places.allow(all);
        assert_eq!(places.allowed(), allowed, "of {all}");
    }
    places.hold_no_more();
    assert_eq!((places.allowed(), places.everywhere()), (3, (4, 1)));
}
