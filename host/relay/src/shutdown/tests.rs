//! Shutdown, by who is waited for.

use std::time::Duration;

use super::shutdown;

#[tokio::test(start_paused = true)]
async fn draining_ends_when_the_last_listening_end_is_gone() {
    let (tell, draining) = shutdown();
    let mut session = draining.clone();
    drop(draining);
    let task = tokio::spawn(async move {
        session.begun().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    });
    assert_eq!(tell.drain(Duration::from_secs(10)).await, 0);
    assert!(task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn the_grace_bounds_the_wait_and_tells_who_is_left() {
    let (tell, draining) = shutdown();
    assert!(!draining.is_draining());
    assert_eq!(tell.drain(Duration::from_secs(10)).await, 1);
    assert!(draining.is_draining());
}
