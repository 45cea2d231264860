//! HTML as it is written: markup that stands in this program's source, and text that is escaped.
//!
//! Invariant: nothing becomes markup but literals, by type. Whatever is shown, a tenant's id, a note, a provider's words,
//! goes through [`Html::text`].

use std::fmt::{self, Display, Write as _};

/// A document, or a part of it.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// The one place that escapes.
struct Escaped<'h>(&'h mut String);

impl Html {
    /// Markup, from the source.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, or the value of an attribute between quotation marks.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// Text of somebody else's, which must not run into ours whatever its direction.
    pub(super) fn words(&mut self, text: impl Display) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// Text within a query: only what is safe everywhere stays as it is.
    pub(super) fn in_query(&mut self, text: &str) -> &mut Self {
        for octet in text.bytes() {
            let _ = match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    self.0.push(char::from(octet));
                    Ok(())
                }
                other => write!(self.0, "%{other:02X}"),
            };
        }
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(' '),
                // What is not seen, or turns the order of what is seen around.
                other if other.is_control() || matches!(other, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                    self.0.push('\u{fffd}');
                }
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}
