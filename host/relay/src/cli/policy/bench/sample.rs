//! A message to measure with where there is no file of cases, and bodies of any size.

use crate::trial::cases::Cases;

/// 20 fields, as a web shop's mailer writes them.
const CASES: &str = include_str!("sample.toml");
/// A line of a body.
const LINE: &str = "The quick brown fox jumps over the lazy dog, and the mail goes out on time.\n";

/// One case with a message.
pub(super) fn cases() -> Cases {
    toml::from_str(CASES).expect("this program's own cases can be read, as a test shows")
}

/// The message with a body of about so many octets.
pub(super) fn grown(message: &str, size: usize) -> String {
    let header = message.split_inclusive('\n').take_while(|line| !line.trim_end().is_empty());
    let mut grown: String = header.collect();
    grown.push('\n');
    // Each line end becomes two octets.
    grown.push_str(&LINE.repeat(size.div_ceil(LINE.len() + 1)));
    grown
}

#[cfg(test)]
mod tests {
    use super::{cases, grown};
    use crate::trial::question::mail;

    #[test]
    fn the_sample_has_twenty_fields() {
        let cases = cases();
        let message = cases.cases[0].get_ref().message.as_deref().unwrap();
        assert_eq!(mail(message).block.fields().len(), 20);
    }

    #[test]
    fn a_grown_message_has_its_fields_and_a_body_of_that_size() {
        let message = mail(&grown("Subject: hi\n\nbody\n", 25 << 20));
        assert_eq!(message.block.fields().len(), 1);
        assert!((message.content.len() - message.block.end()).abs_diff(25 << 20) < 100);
    }
}
