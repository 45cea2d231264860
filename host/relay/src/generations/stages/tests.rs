//! What may follow what, on lines of a few generations.

use std::collections::BTreeMap;

use posthouse_store::digest::Digest;
use posthouse_store::generations::{Generation, Stage, Upload};

use super::{Line, StageError};

fn line(stages: &[Stage]) -> Line {
    let upload = || Upload {
        policy: "test".to_owned(),
        version: "1".to_owned(),
        settings: BTreeMap::new(),
        who: "someone".to_owned(),
        when: 0,
        from: "here".to_owned(),
        signer: None,
        note: String::new(),
    };
    let generation = |(stage, number): (&Stage, u64)| Generation {
        number,
        digest: Digest::of(&number.to_be_bytes()),
        stage: *stage,
        upload: upload(),
    };
    Line::of(stages.iter().zip(1..).map(generation).collect())
}

#[test]
fn what_is_promoted_takes_the_place_of_what_decided() {
    let mut line = line(&[Stage::Active, Stage::Uploaded]);
    assert_eq!(line.bring(2, Stage::Active).unwrap(), [(1, Stage::Retired), (2, Stage::Active)]);
    assert_eq!(line.roll_back().unwrap(), (1, vec![(2, Stage::Retired), (1, Stage::Active)]));
    // There is nothing before the first.
    assert_eq!(line.roll_back().unwrap_err(), StageError::NothingBefore);
}

#[test]
fn a_second_canary_retires_the_first_and_leaves_the_others() {
    let mut line = line(&[Stage::Active, Stage::Canary { percent: 5 }, Stage::Shadow, Stage::Uploaded]);
    let stages = line.bring(4, Stage::Canary { percent: 10 }).unwrap();
    assert_eq!(stages, [(2, Stage::Retired), (4, Stage::Canary { percent: 10 })]);
    assert_eq!(line.bring(4, Stage::Canary { percent: 50 }).unwrap(), [(4, Stage::Canary { percent: 50 })]);
    assert_eq!(line.bring(4, Stage::Active).unwrap(), [(1, Stage::Retired), (4, Stage::Active)]);
}

#[test]
fn what_cannot_be_is_said() {
    let mut line = line(&[Stage::Active, Stage::Refused, Stage::Uploaded]);
    assert_eq!(line.bring(9, Stage::Active).unwrap_err(), StageError::Unknown(9));
    assert_eq!(line.bring(2, Stage::Active).unwrap_err(), StageError::Refused(2));
    assert_eq!(line.bring(1, Stage::Active).unwrap_err(), StageError::Already(1));
    assert_eq!(line.bring(1, Stage::Retired).unwrap_err(), StageError::Active(1));
    assert_eq!(line.bring(3, Stage::Canary { percent: 100 }).unwrap_err(), StageError::Share(100));
    assert_eq!(line.roll_back().unwrap_err(), StageError::NothingBefore);
}

#[test]
fn what_keeps_failing_is_taken_back_and_not_tried_again() {
    let mut line = line(&[Stage::Retired, Stage::Active, Stage::Canary { percent: 5 }]);
    assert_eq!(line.take_back(3).unwrap(), [(3, Stage::Refused)]);
    assert_eq!(line.take_back(2).unwrap(), [(1, Stage::Active), (2, Stage::Refused)]);
    assert_eq!(line.bring(2, Stage::Active).unwrap_err(), StageError::Refused(2));
    // The last one stays: what becomes of its failures the tenant has said.
    assert_eq!(line.take_back(1).unwrap_err(), StageError::NothingBefore);
    assert_eq!(line.generation(1).map(|last| last.stage), Some(Stage::Active));
}
