//! The tag `h` in its spellings.

use super::*;

fn check(content: &str, names: &[&str]) {
    let content = content.as_bytes();
    assert_eq!(signed_fields(content, &HeaderBlock::parse(content)), names);
}

#[test]
fn the_names_of_all_signatures_are_found_folds_and_all() {
    check(
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; h=From:To :\r\n\tSubject; bh=abc=; b=h=x:y\r\n\
         dkim-signature: h = from : Date ;b=\r\nFrom: a@example.org\r\n\r\n",
        &["date", "from", "subject", "to"],
    );
}

#[test]
fn without_a_signature_nothing_is_signed() {
    check("From: a@example.org\r\nX-H: h=From\r\n\r\nDKIM-Signature: h=From\r\n", &[]);
    check("DKIM-Signature: v=1; b=\r\n\r\n", &[]);
    check("DKIM-Signature: h=; h\r\n\r\n", &[]);
}

#[test]
fn a_list_without_end_has_one() {
    let names: String = (0..NAMES + 10).map(|number| format!("x{number}:")).collect();
    let content = format!("DKIM-Signature: h={names}\r\n\r\n");
    let signed = signed_fields(content.as_bytes(), &HeaderBlock::parse(content.as_bytes()));
    assert_eq!(signed.len(), NAMES);
    assert!(signed.contains(&"x0".to_owned()) && !signed.contains(&format!("x{NAMES}")));
}
