//! Replies as the providers send them, row by row, and what each means.

use posthouse_smtp::reply::{EnhancedCode, Reply};

use super::{Meaning, classify};
use crate::provider::ProviderKind::{self, Generic, Gmail, Outlook};
use crate::stage::Stage::{self, Auth, Connection, Content, Data, Ehlo, MailFrom, RcptTo, StartTls};

/// `line` is a reply as it comes, with `\n` between lines.
fn check(provider: ProviderKind, stage: Stage, line: &str, meaning: Meaning) {
    let (code, rest) = line.split_once(' ').expect("a code and a text");
    let (enhanced, text) = match rest.split_once(' ').map(|(first, text)| (first.parse::<EnhancedCode>(), text)) {
        Some((Ok(enhanced), text)) => (Some(enhanced), text),
        _ => (None, rest),
    };
    let reply = Reply::new(code.parse().expect("a code"), enhanced, text.to_owned());
    assert_eq!(classify(provider, stage, &reply), meaning, "{provider:?} at {stage}: {line}");
}

#[test]
fn refused_credentials() {
    let gmail = "535 5.7.8 Username and Password not accepted. For more information, go to\n https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-b9ff - gsmtp";
    check(Gmail, Auth, gmail, Meaning::CredentialsRefused);
    let outlook = "535 5.7.3 Authentication unsuccessful [AM0PR01CA0096.eurprd01.prod.exchangelabs.com]";
    check(Outlook, Auth, outlook, Meaning::CredentialsRefused);
    check(Outlook, Auth, "501 5.5.127 Token will expire soon", Meaning::CredentialsRefused);
    check(Outlook, Auth, "501 5.5.124 Invalid XOAUTH2 auth data", Meaning::CredentialsRefused);
    check(Generic, Auth, "535 Incorrect authentication data", Meaning::CredentialsRefused);
}

#[test]
fn logins_that_an_administrator_has_switched_off() {
    let tenant = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [LO2P265CA0300.GBRP265.PROD.OUTLOOK.COM]";
    check(Outlook, Auth, tenant, Meaning::LoginDisabled);
    let basic = "535 5.7.3 Authentication unsuccessful, basic authentication is disabled. [BY5PR04CA0012]";
    check(Outlook, Auth, basic, Meaning::LoginDisabled);
    check(Gmail, Auth, "534 5.7.9 Application-specific password required", Meaning::LoginDisabled);
}

#[test]
fn logins_that_come_too_often_or_at_a_bad_moment() {
    check(Gmail, Auth, "454 4.7.0 Too many login attempts, please try again later. gsmtp", Meaning::TooManyLogins);
    let trouble = "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. gsmtp";
    check(Gmail, Auth, trouble, Meaning::LoginUnavailable);
    check(Generic, Auth, "454 Temporary authentication failure", Meaning::LoginUnavailable);
    check(Generic, Auth, "451 4.3.0 Directory unavailable", Meaning::LoginUnavailable);
}

#[test]
fn more_sessions_than_the_mailbox_may_have() {
    let connections = "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.";
    check(Outlook, Auth, connections, Meaning::TooManySessions);
    check(Outlook, MailFrom, connections, Meaning::TooManySessions);
    let threads = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=AM0PR01MB1234]";
    check(Outlook, Content, threads, Meaning::TooManySessions);
    check(Outlook, Content, &threads.replace("432", "554"), Meaning::TooManySessions);
}

#[test]
fn quotas_of_a_day_although_their_codes_are_permanent() {
    let exception = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message The message can't be submitted because the sender's submission quota was exceeded.";
    check(Outlook, Content, exception, Meaning::DailyQuota);
    check(
        Outlook,
        Content,
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        Meaning::DailyQuota,
    );
    check(Outlook, RcptTo, "550 5.1.92 Recipient limit exceeded", Meaning::DailyQuota);
    check(
        Gmail,
        Content,
        "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail\n sending limits go to https://support.google.com/a/answer/166852 - gsmtp",
        Meaning::DailyQuota,
    );
    check(
        Outlook,
        RcptTo,
        "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit",
        Meaning::OrganisationQuota,
    );
    check(
        Outlook,
        RcptTo,
        "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients",
        Meaning::OrganisationQuota,
    );
}

#[test]
fn senders_that_the_mailbox_may_not_use() {
    let denied = "554 5.2.252 SendAsDenied; app@example.com not allowed to send as boss@example.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied";
    check(Outlook, Content, denied, Meaning::SenderNotAllowed);
    check(Outlook, Content, &denied.replace("5.2.252", "5.2.0"), Meaning::SenderNotAllowed);
    check(
        Outlook,
        MailFrom,
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        Meaning::SenderNotAllowed,
    );
}

#[test]
fn blocks_for_what_was_sent() {
    let spam = "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is RefuseQuota.";
    check(Outlook, Content, spam, Meaning::Blocked);
    check(Outlook, RcptTo, "550 5.1.8 Access denied, bad outbound sender AS(42004)", Meaning::Blocked);
    check(Outlook, Content, "550 5.7.705 Access denied, tenant has exceeded threshold", Meaning::Blocked);
    check(
        Outlook,
        Content,
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
        Meaning::Blocked,
    );
}

#[test]
fn a_full_mailbox_is_the_senders_after_the_content_and_the_recipients_at_rcpt() {
    let full = "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded";
    check(Outlook, Content, full, Meaning::MailboxFull);
    check(Outlook, RcptTo, full, Meaning::Refused);
}

#[test]
fn busy_and_rate_limiting_servers() {
    check(
        Outlook,
        Content,
        "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)",
        Meaning::ServerBusy,
    );
    check(
        Outlook,
        MailFrom,
        "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.",
        Meaning::ServerBusy,
    );
    check(Outlook, Connection, "421 4.3.2 Service not available", Meaning::ServerBusy);
    check(Gmail, Content, "421 4.3.0 Temporary System Problem. Try again later (10). - gsmtp", Meaning::ServerBusy);
    check(Gmail, Ehlo, "421 4.7.0 Try again later, closing connection. (EHLO) - gsmtp", Meaning::ServerBusy);
    check(Gmail, Data, "421 4.7.0 Try again later, closing connection. (DATA) - gsmtp", Meaning::ServerBusy);
    check(
        Gmail,
        Content,
        "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
        Meaning::UnusualRate,
    );
    check(Generic, MailFrom, "421 Goodbye", Meaning::Closing);
    check(Generic, Connection, "421 Too many connections", Meaning::ServerBusy);
}

#[test]
fn recipients_beyond_what_a_transaction_may_have() {
    check(
        Gmail,
        RcptTo,
        "452 4.5.3 Your message has too many recipients. For more information regarding Google's sending limits, visit",
        Meaning::TooManyRecipients,
    );
    check(
        Gmail,
        Content,
        "452 4.5.3 Domain policy size per transaction exceeded, please try this recipient in a separate transaction.",
        Meaning::Deferred,
    );
}

#[test]
fn a_session_that_has_lost_its_login() {
    check(Gmail, MailFrom, "530 5.7.0 Authentication Required. For more information, go to", Meaning::NotAuthenticated);
    check(
        Outlook,
        MailFrom,
        "530 5.7.57 Client not authenticated to send mail. [DB8PR04CA0019]",
        Meaning::NotAuthenticated,
    );
    check(
        Outlook,
        MailFrom,
        "550 5.7.57 SMTP; Client was not authenticated to send anonymous mail",
        Meaning::NotAuthenticated,
    );
}

#[test]
fn what_is_about_recipient_or_message_is_left_as_it_is() {
    check(
        Gmail,
        RcptTo,
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
        Meaning::Deferred,
    );
    check(Gmail, RcptTo, "452 4.2.2 The recipient's inbox is out of storage space.", Meaning::Deferred);
    check(Gmail, RcptTo, "550 5.1.1 The email account that you tried to reach does not exist.", Meaning::Refused);
    check(
        Gmail,
        Content,
        "552 5.7.0 This message was blocked because its content presents a potential security issue.",
        Meaning::Refused,
    );
    check(
        Gmail,
        Content,
        "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
        Meaning::Refused,
    );
    check(Outlook, MailFrom, "552 5.3.4 Message size exceeds fixed maximum message size", Meaning::Refused);
    check(Outlook, Content, "552 5.2.3 STOREDRV.Submission.Exception: message size exceeded", Meaning::Refused);
    check(Outlook, MailFrom, "501 5.1.7 Invalid address", Meaning::Refused);
}

#[test]
fn refusals_before_mail_are_never_about_a_message() {
    check(Generic, Connection, "554 5.7.1 No SMTP service here", Meaning::Unwelcome);
    check(Generic, Ehlo, "550 5.7.1 Access denied for your HELO", Meaning::Unwelcome);
    check(Generic, StartTls, "454 4.7.0 TLS not available", Meaning::Unwelcome);
}

#[test]
fn replies_about_commands_show_a_dialogue_out_of_step() {
    check(Generic, MailFrom, "503 5.5.1 Bad sequence of commands", Meaning::OutOfStep);
    check(Generic, RcptTo, "500 5.5.2 Syntax error, command unrecognized", Meaning::OutOfStep);
    check(Generic, Data, "502 5.5.1 Command not implemented", Meaning::OutOfStep);
    check(Generic, Content, "354 Go on", Meaning::OutOfStep);
}

#[test]
fn one_providers_rows_do_not_apply_to_another() {
    check(Generic, Content, "550 5.4.5 Routing loop", Meaning::Refused);
    check(Gmail, RcptTo, "550 5.1.8 Bad sender's system address", Meaning::Refused);
}
