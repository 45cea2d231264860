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
        decided: matches!(stage, Stage::Active | Stage::Retired).then_some(number),
        upload: upload(),
    };
    Line::of(stages.iter().zip(1..).map(generation).collect())
}

fn stages(line: &Line) -> Vec<Stage> {
    line.history.iter().map(|generation| generation.stage).collect()
}

const CANARY: Stage = Stage::Canary { percent: 5 };

#[test]
fn what_is_promoted_takes_the_place_of_what_decided() {
    let mut line = line(&[Stage::Active, Stage::Uploaded]);
    let steps = line.bring(2, Stage::Active).unwrap();
    assert_eq!((steps.stages, steps.decided), (vec![(1, Stage::Retired), (2, Stage::Active)], Some((2, 2))));
    assert_eq!(line.roll_back().unwrap().0, 1);
    assert_eq!(stages(&line), [Stage::Active, Stage::Retired]);
    // There is nothing before the first, and going back is not undone by going back.
    assert_eq!(line.roll_back().unwrap_err(), StageError::NothingBefore);
}

#[test]
fn a_rollback_goes_to_what_decided_before_and_not_to_what_never_did() {
    let mut line = line(&[Stage::Active, Stage::Uploaded, Stage::Uploaded, Stage::Uploaded]);
    line.bring(2, CANARY).unwrap();
    line.bring(3, CANARY).unwrap();
    line.bring(4, Stage::Active).unwrap();
    assert_eq!(stages(&line), [Stage::Retired, Stage::Retired, CANARY, Stage::Active]);
    assert_eq!(line.roll_back().unwrap().0, 1);
    // The order is that of promotions, not of numbers.
    line.bring(4, Stage::Active).unwrap();
    line.bring(1, Stage::Active).unwrap();
    assert_eq!(line.roll_back().unwrap().0, 4);
}

#[test]
fn a_second_canary_retires_the_first_and_leaves_the_others() {
    let mut line = line(&[Stage::Active, CANARY, Stage::Shadow, Stage::Uploaded]);
    line.bring(4, Stage::Canary { percent: 10 }).unwrap();
    assert_eq!(stages(&line), [Stage::Active, Stage::Retired, Stage::Shadow, Stage::Canary { percent: 10 }]);
    line.bring(4, Stage::Canary { percent: 50 }).unwrap();
    line.bring(4, Stage::Active).unwrap();
    assert_eq!(stages(&line), [Stage::Retired, Stage::Retired, Stage::Shadow, Stage::Active]);
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
fn nothing_stands_beside_a_generation_that_is_not_there() {
    let mut line = line(&[Stage::Uploaded]);
    assert_eq!(line.bring(1, CANARY).unwrap_err(), StageError::NothingDecides);
    assert_eq!(line.bring(1, Stage::Shadow).unwrap_err(), StageError::NothingDecides);
    line.bring(1, Stage::Active).unwrap();
}

#[test]
fn what_keeps_failing_is_taken_back_and_not_tried_again() {
    let mut line = line(&[Stage::Retired, Stage::Retired, Stage::Active, CANARY]);
    line.take_back(4).unwrap();
    line.take_back(3).unwrap();
    assert_eq!(stages(&line), [Stage::Retired, Stage::Active, Stage::Refused, Stage::Refused]);
    assert_eq!(line.bring(3, Stage::Active).unwrap_err(), StageError::Refused(3));
    // What was brought back stays: one message that nobody can decide on is not to undo everything that ever was.
    assert_eq!(line.take_back(2).unwrap_err(), StageError::NothingBefore);
    assert_eq!(stages(&line), [Stage::Retired, Stage::Active, Stage::Refused, Stage::Refused]);
    // An operator can go further.
    assert_eq!(line.roll_back().unwrap().0, 1);
}

#[test]
fn what_somebody_else_has_written_down_is_written_anew() {
    let here = line(&[Stage::Retired, Stage::Active, CANARY, Stage::Uploaded]);
    let there = line(&[Stage::Retired, Stage::Retired, CANARY, Stage::Uploaded, Stage::Active, Stage::Refused]);
    let steps = here.steps_from(&there.history);
    assert_eq!(steps.stages, [(2, Stage::Active), (5, Stage::Uploaded)]);
    assert!(here.steps_from(&here.history).stages.is_empty());
}
