//! Several recipients: either all of them get the message, or nobody does.

use posthouse_upstream::error::Error;
use posthouse_upstream::meaning::Meaning;
use posthouse_upstream::probe::verify_recipients;
use posthouse_upstream::verdict::Clients;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{Envelope, Tokens, in_seconds, pool, replies, send, send_to};

async fn refusing(words: &'static str, reply: &'static str) -> Provider {
    Provider::with(move |moment: &Moment| match moment.at {
        At::Rcpt if words.split(' ').any(|word| moment.line.contains(word)) => Act::Say(reply),
        _ => Act::Usual,
    })
    .await
}

const THREE: &[&str] = &["one@example.org", "two@example.org", "three@example.org"];

#[tokio::test]
async fn all_recipients_get_one_copy() {
    let provider = Provider::friendly().await;
    send_to(&pool(&provider), THREE).await.unwrap();
    let recipients = provider.lines().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!((recipients, provider.messages().len()), (3, 1));
}

#[tokio::test]
async fn content_to_several_recipients_waits_for_all_of_them() {
    let provider = refusing("two", "550 5.1.1 No such user").await;
    send_to(&pool(&provider), THREE).await.unwrap_err();
    let lines = provider.lines();
    assert!(!lines.iter().any(|line| line.starts_with("BDAT") || line.starts_with("DATA")), "{lines:?}");
}

#[tokio::test]
async fn some_refused_recipients_mean_that_nobody_gets_it() {
    for provider in [
        refusing("two", "550 5.1.1 No such user").await,
        Provider::without_chunking(|moment: &Moment| match moment.at {
            At::Rcpt if moment.line.contains("two") => Act::Say("550 5.1.1 No such user"),
            _ => Act::Usual,
        })
        .await,
    ] {
        let pool = pool(&provider);
        let error = send_to(&pool, THREE).await.unwrap_err();
        let Error::PartlyRefused { refused } = &error else { panic!("{error}") };
        assert_eq!((refused.len(), refused[0].0, refused[0].1.code()), (1, 1, 550));
        assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
        assert!(provider.messages().is_empty());
        // And the session is good for the next message.
        assert!(send(&pool).await.unwrap().reused);
        assert_eq!((provider.connections(), provider.messages().len()), (1, 1));
    }
}

#[tokio::test]
async fn when_all_are_refused_the_refusal_is_the_answer() {
    let provider = refusing("one two three", "550 5.1.1 No such user").await;
    let error = send_to(&pool(&provider), THREE).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "550 5.1.1 provider refused: No such user");
    let Error::Refused { recipients, .. } = error else { panic!("refused by all") };
    assert_eq!(recipients.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test]
async fn when_all_are_refused_one_that_may_pass_makes_the_answer_temporary() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Rcpt if moment.line.contains("two") => Act::Say("450 4.2.1 Too quick"),
        At::Rcpt => Act::Say("550 5.1.1 No such user"),
        _ => Act::Usual,
    })
    .await;
    let error = send_to(&pool(&provider), THREE).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "450 4.2.1 provider deferred: Too quick");
}

#[tokio::test]
async fn a_single_refused_recipient_is_refused_as_the_provider_said() {
    let provider = refusing("user", "550 5.1.1 No such user").await;
    let pool = pool(&provider);
    let error = send(&pool).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "550 5.1.1 provider refused: No such user");
    assert!(provider.messages().is_empty());
}

#[tokio::test]
async fn a_limit_of_the_account_met_at_a_recipient_is_not_taken_for_the_recipients_fault() {
    let provider = refusing("three", "550 5.4.5 Daily user sending limit exceeded").await;
    let error = send_to(&pool(&provider), THREE).await.unwrap_err();
    assert_eq!(error.meaning(), Some(Meaning::DailyQuota), "{error}");
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 452);
}

#[tokio::test]
async fn recipients_are_verified_without_a_message_on_a_session_that_stays() {
    let provider = refusing("two", "550 5.1.1 No such user").await;
    let (pool, envelope) = (pool(&provider), Envelope::to(THREE));
    for _ in 0..2 {
        let answers = verify_recipients(
            &pool,
            &Tokens::default(),
            &replies(),
            envelope.reverse_path(),
            envelope.recipients(),
            in_seconds(10),
        )
        .await
        .unwrap();
        let codes: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().err().map(|error| error.verdict(Clients::Queueing).reply().code()))
            .collect();
        assert_eq!(codes, [None, Some(550), None]);
    }
    assert!(send(&pool).await.unwrap().reused);
    assert_eq!((provider.connections(), provider.messages().len()), (1, 1));
}

#[tokio::test]
async fn a_refused_sender_is_an_error_of_the_verification() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Mail => Act::Say("550 5.1.0 No such sender"),
        At::Rcpt => Act::Say("503 5.5.1 MAIL first"),
        _ => Act::Usual,
    })
    .await;
    let (pool, envelope) = (pool(&provider), Envelope::to(THREE));
    let error = verify_recipients(
        &pool,
        &Tokens::default(),
        &replies(),
        envelope.reverse_path(),
        envelope.recipients(),
        in_seconds(10),
    )
    .await
    .unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "550 5.1.0 provider refused: No such sender");
}
