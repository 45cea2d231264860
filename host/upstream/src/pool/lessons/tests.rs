//! Lessons, by when they are learned and when they are forgotten.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::{Lessons, RECOVERY, SETTLING};
use crate::provider::ProviderKind::{Gmail, Outlook};
use crate::replies::Table;
use crate::stage::Stage::{self, Auth, Content, MailFrom};

fn too_many() -> Reply {
    Reply::new(432, EnhancedCode::new(4, 3, 2), "Concurrent connections limit exceeded")
}

/// Hears of too many sessions while so many are open.
fn refused(lessons: &mut Lessons, stage: Stage, open: usize, now: Instant) -> Option<usize> {
    let reading = Table::shipped().read(Outlook, stage, &too_many());
    lessons.learn(stage, &reading, &too_many(), open, now)
}

#[test]
fn a_message_refused_for_concurrency_halves_the_sessions_and_never_takes_the_last() {
    let (mut lessons, mut now) = (Lessons::new(10), Instant::now());
    let mut allowed = Vec::new();
    for _ in 0..5 {
        allowed.push(refused(&mut lessons, MailFrom, 10, now));
        now += SETTLING;
    }
    assert_eq!(allowed, [Some(5), Some(2), Some(1), None, None]);
}

#[test]
fn refusals_that_come_together_are_one_lesson() {
    let (mut lessons, now) = (Lessons::new(8), Instant::now());
    assert_eq!(refused(&mut lessons, Content, 8, now), Some(4));
    assert_eq!(refused(&mut lessons, Content, 8, now + SETTLING / 2), None);
    assert_eq!(refused(&mut lessons, Content, 4, now + SETTLING), Some(2));
}

#[test]
fn a_login_turned_away_teaches_how_many_are_let_in() {
    let (mut lessons, now) = (Lessons::new(20), Instant::now());
    let reply = Reply::new(421, EnhancedCode::new(4, 7, 0), "Try again later, closing connection. (AUTH)");
    let reading = Table::shipped().read(Gmail, Auth, &reply);
    assert_eq!(lessons.learn(Auth, &reading, &reply, 15, now), Some(15));
}

#[test]
fn a_busy_server_says_nothing_of_concurrency_where_no_session_is_open() {
    let (mut lessons, now) = (Lessons::new(20), Instant::now());
    let reply = Reply::new(421, EnhancedCode::new(4, 3, 2), "Service not available");
    let reading = Table::shipped().read(Outlook, Auth, &reply);
    assert_eq!(lessons.learn(Auth, &reading, &reply, 0, now), None);
    let reading = Table::shipped().read(Outlook, MailFrom, &reply);
    assert_eq!(lessons.learn(MailFrom, &reading, &reply, 9, now), None);
}

#[test]
fn sessions_come_back_one_by_one_up_to_what_is_configured() {
    let (mut lessons, start) = (Lessons::new(3), Instant::now());
    refused(&mut lessons, Auth, 1, start);
    assert_eq!(lessons.recover(start + RECOVERY - Duration::from_secs(1)), None);
    assert_eq!(lessons.recover(start + RECOVERY), Some(2));
    assert_eq!(lessons.recover(start + RECOVERY), None);
    // A day in which nobody asked brings one back, not all.
    let late = start + Duration::from_hours(24);
    assert_eq!((lessons.recover(late), lessons.recover(late)), (Some(3), None));
    assert_eq!(lessons.recover(late + RECOVERY), None);
}

#[test]
fn a_refusal_begins_the_wait_for_the_next_session_anew() {
    let (mut lessons, start) = (Lessons::new(2), Instant::now());
    refused(&mut lessons, MailFrom, 2, start);
    let again = start + RECOVERY / 2;
    refused(&mut lessons, MailFrom, 1, again);
    assert_eq!(lessons.recover(start + RECOVERY), None);
    assert_eq!(lessons.recover(again + RECOVERY), Some(2));
}

#[test]
fn a_pause_lasts_as_long_as_the_table_says_and_a_shorter_one_does_not_cut_it() {
    let (mut lessons, now) = (Lessons::new(3), Instant::now());
    let blocked = Reply::new(550, EnhancedCode::new(5, 1, 8), "Access denied, bad outbound sender");
    let full = Reply::new(554, EnhancedCode::new(5, 2, 2), "mailbox full");
    for reply in [&blocked, &full] {
        let reading = Table::shipped().read(Outlook, Content, reply);
        assert_eq!(lessons.learn(Content, &reading, reply, 3, now), None);
    }
    let paused = lessons.paused(now + Duration::from_mins(10)).unwrap();
    assert_eq!((paused.wait, paused.reply), (Duration::from_mins(50), blocked));
    assert!(lessons.paused(now + Duration::from_hours(1)).is_none());
}

#[test]
fn an_operators_number_replaces_what_was_learned() {
    let (mut lessons, now) = (Lessons::new(10), Instant::now());
    refused(&mut lessons, MailFrom, 10, now);
    lessons.configure(4);
    assert_eq!(lessons.recover(now + RECOVERY), None);
    assert_eq!(refused(&mut lessons, MailFrom, 4, now), Some(2));
}
