//! Faults, by when they strike.

use std::time::Duration;

use super::{Action, Fault, Faults, Occasion, Stage};

fn hits(faults: &Faults, stage: Stage, occasions: usize) -> Vec<usize> {
    (0..occasions).filter(|_| faults.strike(stage, Occasion::default()).is_some()).collect()
}

#[test]
fn a_fault_goes_wrong_as_often_as_it_says_and_then_never() {
    let faults = Faults::default();
    let injected = faults.inject(Fault::new(Stage::Mail, Action::Close).skip(1).times(2));
    assert_eq!(hits(&faults, Stage::Recipient, 3), [0; 0]);
    assert_eq!(hits(&faults, Stage::Mail, 5), [1, 2]);
    assert_eq!(injected.hits(), 2);
    assert!(!faults.has(Stage::Mail));
}

#[test]
fn a_probability_gives_the_same_sequence_for_the_same_seed() {
    let sequence = |seed| {
        let faults = Faults::default();
        faults.inject(Fault::new(Stage::Content, Action::Reset).probability(0.25, seed));
        hits(&faults, Stage::Content, 4_000)
    };
    assert_eq!(sequence(7), sequence(7));
    assert_ne!(sequence(7), sequence(8));
    assert!((900..1_100).contains(&sequence(7).len()), "{}", sequence(7).len());
}

#[test]
fn a_fault_for_somebody_leaves_the_others_alone() {
    let faults = Faults::default();
    faults
        .inject(Fault::new(Stage::Content, Action::Stall).recipient("b@example.com").sender("a@example.org").always());
    let recipients = ["c@example.com".to_owned(), "B@example.com".to_owned()];
    let occasion = |sender, recipients| Occasion { mailbox: None, sender: Some(sender), recipients };
    assert!(faults.strike(Stage::Content, occasion("a@example.org", &recipients)).is_some());
    assert!(faults.strike(Stage::Content, occasion("a@example.org", &recipients[..1])).is_none());
    assert!(faults.strike(Stage::Content, occasion("z@example.org", &recipients)).is_none());
    faults.clear();
    assert!(faults.strike(Stage::Content, occasion("a@example.org", &recipients)).is_none());
}

#[tokio::test]
async fn waiting_for_a_fault_ends_when_it_has_struck() {
    let faults = Faults::default();
    let injected = faults.inject(Fault::new(Stage::Auth, Action::Proceed).delay(Duration::from_secs(1)).times(2));
    let strike = faults.strike(Stage::Auth, Occasion::default()).unwrap();
    assert_eq!(strike.delay, Duration::from_secs(1));
    assert!(injected.wait_for(1).await);
    faults.clear();
    assert!(!injected.wait_for(2).await);
}
