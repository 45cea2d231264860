//! Verdicts: what each outcome becomes for the client and for the account.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::{AccountEffect, Clients, Verdict};
use crate::deliver::{Delivered, Timings};
use crate::error::{Error, Need};
use crate::gate::{Cause, Closed};
use crate::login::LoginError;
use crate::pool::lessons::Paused;
use crate::provider::ProviderKind::{self, Gmail, Outlook};
use crate::replies::Table;
use crate::stage::Stage::{self, Auth, Connection, Content, MailFrom, RcptTo};

fn reply(line: &str) -> Reply {
    let mut words = line.splitn(3, ' ');
    let mut next = || words.next().expect("code, enhanced code, text");
    let (code, enhanced, text) = (next(), next(), next());
    Reply::new(code.parse().expect("code"), enhanced.parse::<EnhancedCode>().ok(), text.to_owned())
}

fn refused(provider: ProviderKind, stage: Stage, line: &str) -> Error {
    let reply = reply(line);
    let reading = Table::shipped().read(provider, stage, &reply);
    Error::Refused { stage, reading, reply, recipients: Vec::new() }
}

/// What the client hears of what the provider said, and what becomes of the account.
fn check(provider: ProviderKind, stage: Stage, said: &str, heard: &str, effect: AccountEffect) {
    let error = refused(provider, stage, said);
    let verdict = error.verdict(Clients::Queueing);
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
        "451 4.7.0 account's logins are paused: 454 4.7.0 Too many login attempts",
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
    let heard = Error::PartlyRefused { refused }.verdict(Clients::Queueing).into_reply().to_string();
    let expected =
        "451 4.5.3 provider refused 2 of the recipients, nobody got it: 550 5.1.1 No such user / 450 4.2.1 Too quick";
    assert_eq!(heard, expected);
}

#[test]
fn nothing_but_a_lost_answer_is_ambiguous() {
    let eof = || std::io::ErrorKind::UnexpectedEof.into();
    let ambiguous = Error::Ambiguous { state: "waiting for the reply to the content", source: eof() };
    assert!(ambiguous.is_ambiguous());
    assert_eq!(ambiguous.verdict(Clients::Queueing).reply().code(), 451);
    let lost = Error::ConnectionLost { stage: MailFrom, state: "waiting for the reply to MAIL", source: eof() };
    assert!(!lost.is_ambiguous());
}

fn closed(cause: Cause) -> Closed {
    let reply = reply(match cause {
        Cause::Broken => "535 5.7.8 Username and Password not accepted",
        Cause::Throttled => "454 4.7.0 Too many login attempts",
    });
    let reading = Table::shipped().read(Gmail, Auth, &reply);
    Closed { cause, until: Instant::now(), is_being_tried: false, reply, reading }
}

#[test]
fn what_is_not_the_messages_fault_is_never_permanent() {
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
        let verdict = error.verdict(Clients::Queueing);
        assert!(matches!(verdict, Verdict::Defer { .. }), "{error}");
        assert_eq!(verdict.reply().code(), code, "{error}");
    }
}

#[test]
fn what_a_provider_does_not_offer_is_permanent() {
    let utf8 = Error::NotOffered(Need::SmtpUtf8).verdict(Clients::Queueing);
    assert_eq!(utf8.reply().to_string(), "550 5.6.7 provider has no SMTPUTF8");
    let size = Error::NotOffered(Need::Size { octets: 2, limit: 1 }).verdict(Clients::Queueing);
    assert_eq!(size.reply().to_string(), "552 5.3.4 message too big for the provider, which takes 1 octets");
}

#[test]
fn the_providers_words_reach_the_client_with_a_250() {
    let timings = Timings::default();
    let delivered =
        Delivered { reply: reply("250 2.0.0 OK 17 gsmtp"), session: 1, reused: false, was_last: false, timings };
    let heard = delivered.verdict().into_reply().to_string();
    assert_eq!(heard, "250 2.0.0 delivered: 250 2.0.0 OK 17 gsmtp");
}

#[test]
fn long_words_of_a_provider_are_cut_between_characters() {
    let reply = Reply::new(550, EnhancedCode::new(5, 7, 1), "é".repeat(2000));
    let reading = Table::shipped().read(Gmail, Content, &reply);
    let error = Error::Refused { stage: Content, reading, reply, recipients: vec![] };
    let heard = error.verdict(Clients::Queueing).into_reply();
    assert!(heard.text().len() <= 1010, "{}", heard.text().len());
    assert!(heard.text().ends_with("é..."));
}

#[test]
fn another_account_tries_for_trouble_of_the_account_and_never_around_a_limit_or_block() {
    let own = [
        (Gmail, Auth, "535 5.7.8 Username and Password not accepted"),
        (Outlook, Auth, "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant"),
        (Outlook, Content, "554 5.2.2 mailbox full"),
    ];
    for (provider, stage, line) in own {
        assert!(refused(provider, stage, line).another_account_may_try(), "{line}");
    }
    let obeyed = [
        (Outlook, Content, "550 5.7.705 Access denied, tenant has exceeded threshold"),
        (Gmail, Content, "550 5.4.5 Daily user sending quota exceeded"),
        (Outlook, RcptTo, "550 5.7.233 tenant exceeded its daily limit"),
        (Gmail, Content, "421 4.7.28 unusual rate of unsolicited mail"),
        (Gmail, Content, "421 4.3.0 Temporary System Problem"),
        (Outlook, Content, "432 4.3.2 Concurrent connections limit exceeded"),
        (Gmail, Auth, "454 4.7.0 Too many login attempts"),
        (Outlook, Content, "554 5.2.252 SendAsDenied"),
        (Gmail, Content, "550 5.7.1 no"),
        (Gmail, Content, "551 5.9.9 no row has this"),
    ];
    for (provider, stage, line) in obeyed {
        assert!(!refused(provider, stage, line).another_account_may_try(), "{line}");
    }
    assert!(!Error::PartlyRefused { refused: Vec::new() }.another_account_may_try());
    assert!(!Error::Abandoned.another_account_may_try());
}

/// What clients that do not try again hear, as code and enhanced code.
fn at_once(error: &Error) -> String {
    let reply = error.verdict(Clients::Interactive).into_reply();
    format!("{} {}", reply.code(), reply.enhanced().expect("an enhanced code"))
}

#[test]
fn who_does_not_try_again_hears_5yz_of_what_lasts_and_4yz_of_what_passes() {
    let lasting = [
        (refused(Gmail, Auth, "535 5.7.8 Username and Password not accepted"), "550 5.7.0"),
        (refused(Outlook, Auth, "535 5.7.139 basic authentication is disabled"), "550 5.7.1"),
        (refused(Gmail, Content, "550 5.4.5 Daily user sending quota exceeded"), "552 5.2.2"),
        (refused(Outlook, Content, "554 5.2.2 mailbox full"), "552 5.2.2"),
        (Error::NoLogin(LoginError::NeedsConsent("invalid_grant".into())), "550 5.7.0"),
        (Error::LoginsPaused(closed(Cause::Broken)), "550 5.7.0"),
        (Error::PartlyRefused { refused: vec![(1, reply("550 5.1.1 No such user"))] }, "550 5.1.0"),
    ];
    let eof = || std::io::ErrorKind::UnexpectedEof.into();
    let passing = [
        (refused(Gmail, Content, "421 4.3.0 Temporary System Problem"), "451 4.3.2"),
        (refused(Outlook, Content, "432 4.3.2 Concurrent connections limit exceeded"), "451 4.3.2"),
        (Error::NoLogin(LoginError::Unavailable("timed out".into())), "454 4.7.0"),
        (Error::LoginsPaused(closed(Cause::Throttled)), "451 4.7.0"),
        (Error::Busy { waited: Duration::from_secs(1) }, "451 4.3.2"),
        (Error::PartlyRefused { refused: vec![(1, reply("450 4.2.1 Too quick"))] }, "451 4.5.3"),
        // Nobody knows whether it was delivered: a 5yz would say that it was not.
        (Error::Ambiguous { state: "waiting for the reply to the content", source: eof() }, "451 4.4.2"),
    ];
    for (error, heard) in lasting.iter().chain(&passing) {
        assert_eq!(at_once(error), *heard, "{error}");
    }
}

#[test]
fn a_message_that_was_not_put_to_a_blocked_account_is_kept_by_clients_that_queue() {
    let reply = reply("550 5.1.8 Access denied, bad outbound sender");
    let reading = Table::shipped().read(Outlook, Content, &reply);
    let wait = Duration::from_secs(90);
    let error = Error::LeftAlone(Box::new(Paused { until: Instant::now() + wait, wait, reading, reply }));
    let heard = error.verdict(Clients::Queueing).into_reply().to_string();
    let words = "account is blocked by the provider, tried again in 90 s: 550 5.1.8 Access denied, bad outbound sender";
    assert_eq!(heard, format!("451 4.7.1 {words}"));
    assert_eq!(at_once(&error), "550 5.7.1");
    assert_eq!((error.account_effect(), error.another_account_may_try()), (AccountEffect::Blocked, false));
}
