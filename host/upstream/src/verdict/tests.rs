//! Verdicts: what each outcome becomes for the client and for the account.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::{AccountEffect, Verdict};
use crate::deliver::{Delivered, Timings};
use crate::error::{Error, Need};
use crate::gate::{Cause, Closed};
use crate::login::LoginError;
use crate::meaning::{Meaning, classify};
use crate::provider::ProviderKind::{self, Gmail, Outlook};
use crate::stage::Stage::{self, Auth, Connection, Content, MailFrom, RcptTo};

fn reply(line: &str) -> Reply {
    let mut words = line.splitn(3, ' ');
    let mut next = || words.next().expect("code, enhanced code, text");
    let (code, enhanced, text) = (next(), next(), next());
    Reply::new(code.parse().expect("code"), enhanced.parse::<EnhancedCode>().ok(), text.to_owned())
}

fn refused(provider: ProviderKind, stage: Stage, line: &str) -> Error {
    let reply = reply(line);
    Error::Refused { stage, meaning: classify(provider, stage, &reply), reply, recipients: Vec::new() }
}

/// What the client hears of what the provider said, and what becomes of the account.
fn check(provider: ProviderKind, stage: Stage, said: &str, heard: &str, effect: AccountEffect) {
    let error = refused(provider, stage, said);
    let verdict = error.verdict();
    assert_eq!((verdict.reply().to_string().as_str(), error.account_effect()), (heard, effect), "{said}");
    let permanent = verdict.reply().code() >= 500;
    assert_eq!(permanent, matches!(verdict, Verdict::Refuse { .. }), "{said}");
}

#[test]
fn refused_credentials_are_temporary_for_the_client() {
    check(
        Gmail,
        Auth,
        "535 5.7.8 Username and Password not accepted",
        "454 4.7.0 account cannot log in: 535 5.7.8 Username and Password not accepted",
        AccountEffect::CredentialsRefused,
    );
    check(
        Outlook,
        Auth,
        "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant",
        "454 4.7.0 account's login is switched off: 535 5.7.139 SmtpClientAuthentication is disabled for the Tenant",
        AccountEffect::LoginDisabled,
    );
}

#[test]
fn limits_of_the_account_are_temporary_for_the_client() {
    check(
        Outlook,
        MailFrom,
        "432 4.3.2 Concurrent connections limit exceeded",
        "451 4.3.2 provider deferred: 432 4.3.2 Concurrent connections limit exceeded",
        AccountEffect::TooManySessions,
    );
    check(
        Gmail,
        Content,
        "550 5.4.5 Daily user sending limit exceeded",
        "452 4.5.3 account's daily quota is used up: 550 5.4.5 Daily user sending limit exceeded",
        AccountEffect::OverQuota,
    );
    check(
        Outlook,
        RcptTo,
        "550 5.7.233 tenant exceeded its daily limit",
        "451 4.7.1 organisation's daily quota is used up: 550 5.7.233 tenant exceeded its daily limit",
        AccountEffect::OrganisationOverQuota,
    );
    check(
        Outlook,
        Content,
        "554 5.2.2 mailbox full",
        "452 4.2.2 account's mailbox is full: 554 5.2.2 mailbox full",
        AccountEffect::MailboxFull,
    );
    check(
        Gmail,
        Auth,
        "454 4.7.0 Too many login attempts",
        "451 4.7.0 provider deferred: 454 4.7.0 Too many login attempts",
        AccountEffect::LoginsThrottled,
    );
}

#[test]
fn a_session_that_the_provider_ends_is_temporary_and_never_a_421_for_the_client() {
    check(
        Gmail,
        Content,
        "421 4.3.0 Temporary System Problem (10)",
        "451 4.3.2 provider deferred: 421 4.3.0 Temporary System Problem (10)",
        AccountEffect::BackOff,
    );
    check(
        Gmail,
        MailFrom,
        "421 4.7.28 unusual rate of unsolicited mail",
        "451 4.7.1 provider wants a pause: 421 4.7.28 unusual rate of unsolicited mail",
        AccountEffect::Suspended,
    );
    check(
        Outlook,
        Content,
        "451 4.7.500 Server busy",
        "451 4.3.2 provider deferred: 451 4.7.500 Server busy",
        AccountEffect::BackOff,
    );
    check(
        Gmail,
        Connection,
        "554 5.7.1 Go away",
        "451 4.3.0 provider refuses the session: 554 5.7.1 Go away",
        AccountEffect::None,
    );
}

#[test]
fn refusals_of_message_or_recipient_keep_their_codes() {
    check(Gmail, RcptTo, "550 5.1.1 No such user", "550 5.1.1 provider refused: No such user", AccountEffect::None);
    check(
        Gmail,
        Content,
        "552 5.7.0 Content presents a potential security issue",
        "552 5.7.0 provider refused: Content presents a potential security issue",
        AccountEffect::None,
    );
    check(
        Gmail,
        RcptTo,
        "450 4.2.1 Receiving mail too quickly",
        "450 4.2.1 provider deferred: Receiving mail too quickly",
        AccountEffect::None,
    );
}

#[test]
fn an_enhanced_code_of_another_class_is_not_passed_on() {
    check(Gmail, RcptTo, "550 4.1.1 Confused", "550 5.0.0 provider refused: Confused", AccountEffect::None);
    check(Gmail, RcptTo, "550 - Bare", "550 5.0.0 provider refused: Bare", AccountEffect::None);
}

#[test]
fn senders_and_blocks_are_for_a_person_to_mend() {
    check(
        Outlook,
        Content,
        "554 5.2.252 SendAsDenied",
        "550 5.7.60 account may not send as this sender: 554 5.2.252 SendAsDenied",
        AccountEffect::None,
    );
    check(
        Outlook,
        Content,
        "550 5.1.8 bad outbound sender",
        "550 5.7.1 account is blocked by the provider: 550 5.1.8 bad outbound sender",
        AccountEffect::Blocked,
    );
}

#[test]
fn a_partly_refused_message_is_deferred_and_the_refusals_are_quoted() {
    let refused = vec![(1, reply("550 5.1.1 No such user")), (4, reply("450 4.2.1 Too quick"))];
    let heard = Error::PartlyRefused { refused }.verdict().into_reply().to_string();
    let expected =
        "451 4.5.3 provider refused 2 of the recipients, nobody got it: 550 5.1.1 No such user / 450 4.2.1 Too quick";
    assert_eq!(heard, expected);
}

#[test]
fn nothing_but_a_lost_answer_is_ambiguous() {
    let eof = || std::io::ErrorKind::UnexpectedEof.into();
    let ambiguous = Error::Ambiguous { state: "waiting for the reply to the content", source: eof() };
    assert!(ambiguous.is_ambiguous());
    assert_eq!(ambiguous.verdict().reply().code(), 451);
    let lost = Error::ConnectionLost { stage: MailFrom, state: "waiting for the reply to MAIL", source: eof() };
    assert!(!lost.is_ambiguous());
}

#[test]
fn what_is_not_the_messages_fault_is_never_permanent() {
    let closed = |cause| Closed {
        cause,
        until: Instant::now(),
        is_being_tried: false,
        reply: reply("535 5.7.8 Username and Password not accepted"),
    };
    let errors = [
        (Error::Busy { waited: Duration::from_secs(1) }, 451),
        (Error::NoLogin(LoginError::NeedsConsent("invalid_grant".into())), 454),
        (Error::NoLogin(LoginError::Unavailable("timed out".into())), 454),
        (Error::LoginsPaused(closed(Cause::Throttled)), 451),
        (Error::LoginsPaused(closed(Cause::Broken)), 454),
        (Error::TimedOut { stage: Connection, state: "connecting" }, 451),
        (Error::Abandoned, 451),
        (Error::ContentStalled(Duration::from_secs(1)), 451),
    ];
    for (error, code) in errors {
        let verdict = error.verdict();
        assert!(matches!(verdict, Verdict::Defer { .. }), "{error}");
        assert_eq!(verdict.reply().code(), code, "{error}");
    }
}

#[test]
fn what_a_provider_does_not_offer_is_permanent() {
    let utf8 = Error::NotOffered(Need::SmtpUtf8).verdict();
    assert_eq!(utf8.reply().to_string(), "550 5.6.7 provider has no SMTPUTF8");
    let size = Error::NotOffered(Need::Size { octets: 2, limit: 1 }).verdict();
    assert_eq!(size.reply().to_string(), "552 5.3.4 message too big for the provider");
}

#[test]
fn the_providers_words_reach_the_client_with_a_250() {
    let timings = Timings::default();
    let delivered = Delivered { reply: reply("250 2.0.0 OK 17 gsmtp"), session: 1, reused: false, timings };
    let heard = delivered.verdict().into_reply().to_string();
    assert_eq!(heard, "250 2.0.0 delivered: 250 2.0.0 OK 17 gsmtp");
}

#[test]
fn long_words_of_a_provider_are_cut_between_characters() {
    let reply = Reply::new(550, EnhancedCode::new(5, 7, 1), "é".repeat(2000));
    let error = Error::Refused { stage: Content, meaning: classify(Gmail, Content, &reply), reply, recipients: vec![] };
    let heard = error.verdict().into_reply();
    assert!(heard.text().len() <= 1010, "{}", heard.text().len());
    assert!(heard.text().ends_with("é..."));
}

#[test]
fn another_account_tries_for_trouble_of_the_account_and_never_around_a_limit_or_block() {
    let refused = |meaning| Error::Refused {
        stage: MailFrom,
        meaning,
        reply: Reply::new(451, EnhancedCode::new(4, 0, 0), "no"),
        recipients: Vec::new(),
    };
    for meaning in [Meaning::CredentialsRefused, Meaning::LoginDisabled, Meaning::MailboxFull] {
        assert!(refused(meaning).another_account_may_try(), "{meaning:?}");
    }
    let obeyed = [
        Meaning::Blocked,
        Meaning::DailyQuota,
        Meaning::OrganisationQuota,
        Meaning::UnusualRate,
        Meaning::ServerBusy,
        Meaning::TooManySessions,
        Meaning::TooManyLogins,
        Meaning::SenderNotAllowed,
        Meaning::Refused,
    ];
    for meaning in obeyed {
        assert!(!refused(meaning).another_account_may_try(), "{meaning:?}");
    }
    assert!(!Error::PartlyRefused { refused: Vec::new() }.another_account_may_try());
    assert!(!Error::Abandoned.another_account_may_try());
}
