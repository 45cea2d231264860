//! Paths, by what is taken and what is refused.

use super::{ForwardPath, Mailbox, PathError, ReversePath, forward_path, reverse_path};

#[test]
fn mailboxes_of_every_kind_are_taken_as_they_are() {
    for text in [
        "a@example.com",
        "first.last+tag@sub.example.com",
        "\"quoted @ > local\"@example.com",
        "\"with \\\" quote\"@example.com",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "ü@exämple.com",
        "under_score@my_host.example",
    ] {
        let mailbox: Mailbox = text.parse().unwrap();
        assert_eq!(mailbox.to_string(), text);
        assert_eq!(format!("{}@{}", mailbox.local(), mailbox.domain()), text);
        assert_eq!(forward_path(&format!("<{text}>")).unwrap().0, ForwardPath::Mailbox(mailbox));
    }
}

#[test]
fn what_is_no_mailbox_is_refused() {
    for text in [
        "",
        "a",
        "@b.c",
        "a@",
        "a b@c.d",
        "a@b c",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a@-b.c",
        "a@b-.c",
        "a@b..c",
        "a@[1.2.3]",
        "a@[IPv6:zz]",
        "a@[x",
        "\"a@b.c",
        "\"a\"b@c.d",
        "\"a\r\n\"@b.c",
        "a\0@b.c",
        "a@b.c\r",
        "a<@b.c",
        "a@b@c.d",
        "a\u{a0}b@c.d",
    ] {
        assert_eq!(text.parse::<Mailbox>(), Err(PathError::Syntax), "{text:?}");
    }
}

#[test]
fn lengths_are_bounded() {
    assert!(format!("{}@example.com", "a".repeat(64)).parse::<Mailbox>().is_ok());
    assert_eq!(format!("{}@example.com", "a".repeat(65)).parse::<Mailbox>(), Err(PathError::TooLong));
    assert_eq!(format!("a@{}com", "abcdefgh.".repeat(30)).parse::<Mailbox>(), Err(PathError::TooLong));
}

#[test]
fn source_routes_are_dropped() {
    let (path, rest) = forward_path("<@one.example,@two.example:a@example.com> SIZE=1").unwrap();
    assert_eq!((path.to_string().as_str(), rest), ("a@example.com", " SIZE=1"));
    for text in ["<@one.example:>", "<@:a@b.c>", "<@one.example a@b.c>", "<@one.example,two:a@b.c>"] {
        assert!(forward_path(text).is_err(), "{text}");
    }
}

#[test]
fn the_null_path_is_only_for_mail_and_postmaster_only_for_rcpt() {
    assert_eq!(reverse_path("<>").unwrap(), (ReversePath::Null, ""));
    assert!(forward_path("<>").is_err());
    assert_eq!(forward_path("<PostMaster>").unwrap().0, ForwardPath::Postmaster);
    assert!(reverse_path("<postmaster>").is_err());
}

#[test]
fn brackets_are_needed() {
    for text in ["a@b.c", "<a@b.c", "a@b.c>", "<<a@b.c>>", "< a@b.c>"] {
        assert!(reverse_path(text).is_err(), "{text}");
    }
}

#[test]
fn addresses_are_compared_without_case() {
    let (one, two): (Mailbox, Mailbox) = ("App@Example.com".parse().unwrap(), "app@example.COM".parse().unwrap());
    assert!(one.eq_ignore_ascii_case(&two));
    assert_ne!(one, two);
}
