//! Ids are unique over processes that follow each other.

use super::Identifiers;

#[test]
fn processes_of_one_second_give_different_ids() {
    let first = Identifiers::new(0x6a1f_30b2, None);
    let second = Identifiers::new(0x6a1f_30b2, Some(first.started()));
    let third = Identifiers::new(0x6a1f_30b3, Some(second.started()));
    let later = Identifiers::new(0x6a1f_40b2, Some(third.started()));
    let ids: Vec<String> = [&first, &second, &third, &later].iter().map(|ids| ids.session().to_string()).collect();
    assert_eq!(ids, ["6a1f30b2-1", "6a1f30b3-1", "6a1f30b4-1", "6a1f40b2-1"]);
}
