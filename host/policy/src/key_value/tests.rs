//! What is kept, for how long, and how much of it.

use super::*;

const LIFE: Duration = Duration::from_secs(60);

#[test]
fn an_entry_is_there_until_its_time_is_over() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    memory.set("k", b"v".to_vec(), LIFE, now).expect("there is room");
    assert_eq!(memory.get("k", now), Some(b"v".to_vec()));
    assert_eq!(memory.get("k", now + LIFE), None);
}

#[test]
fn a_numbers_life_begins_with_its_first_addition() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    assert_eq!(memory.add("n", 1, LIFE, now), Ok(1));
    assert_eq!(memory.add("n", 2, LIFE, now + LIFE / 2), Ok(3));
    assert_eq!(memory.add("n", 5, LIFE, now + LIFE), Ok(5));
    assert_eq!(memory.get("n", now + LIFE), Some(b"5".to_vec()));
}

#[test]
fn octets_are_no_number() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    memory.set("k", b"1".to_vec(), LIFE, now).expect("there is room");
    assert_eq!(memory.add("k", 1, LIFE, now), Err(WriteError::NotANumber));
}

#[test]
fn the_memory_is_bounded_and_the_dead_make_room() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    let mut taken = 0;
    while memory.set(&format!("k{taken}"), vec![0; limits::VALUE], LIFE, now).is_ok() {
        taken += 1;
    }
    assert!((200..=256).contains(&taken), "{taken}");
    assert!(memory.bytes() <= limits::KEY_VALUE);
    assert_eq!(memory.set("k0", vec![1; limits::VALUE], LIFE, now), Ok(()), "what is there can be replaced");
    assert_eq!(memory.set("more", vec![0; limits::VALUE], LIFE, now + LIFE), Ok(()));
    assert_eq!(memory.bytes(), cost("more", &Value::Octets(vec![0; limits::VALUE])));
}

#[test]
fn long_keys_and_values_are_not_taken() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    assert_eq!(memory.set("k", vec![0; limits::VALUE + 1], LIFE, now), Err(WriteError::TooLarge));
    assert_eq!(memory.set(&"k".repeat(limits::KEY + 1), vec![], LIFE, now), Err(WriteError::TooLarge));
    assert_eq!(memory.add(&"k".repeat(limits::KEY + 1), 1, LIFE, now), Err(WriteError::TooLarge));
    memory.delete("k");
    assert_eq!(memory.bytes(), 0);
}

#[test]
fn what_lives_can_be_put_into_another_memory_and_lives_on_for_what_was_left() {
    let (memory, now) = (KeyValue::default(), Instant::now());
    memory.set("octets", b"v".to_vec(), LIFE, now).expect("there is room");
    memory.add("number", 7, 2 * LIFE, now).expect("there is room");
    memory.set("dead", b"v".to_vec(), LIFE / 2, now).expect("there is room");
    let (later, other) = (now + LIFE - Duration::from_secs(1), KeyValue::default());
    let entries = memory.entries(later);
    assert_eq!(entries.len(), 2, "{entries:?}");
    other.restore(entries, later);
    assert_eq!(other.add("number", 1, LIFE, later), Ok(8), "a number is one still");
    assert_eq!((other.get("octets", later), other.get("octets", now + LIFE)), (Some(b"v".to_vec()), None));
}
