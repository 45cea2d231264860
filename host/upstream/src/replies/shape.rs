//! A reply's text without what is about one message: addresses, hosts, numbers and ids are replaced,
//! so that the same refusal of two messages has one shape, and nobody's address is kept.

/// The longest shape, in characters.
const LONGEST: usize = 160;
/// Words longer than this are no words.
const LONGEST_WORD: usize = 64;

/// The shape of a reply's text, in one line.
pub(super) fn shape(text: &str) -> String {
    let words = without_enclosed(text);
    let words: Vec<&str> = words.split_whitespace().map(word).collect();
    words.join(" ").chars().take(LONGEST).map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect()
}

/// What stands in `<>`, `[]` or double quotes is somebody's name or a server's.
fn without_enclosed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut until = None;
    for character in text.chars() {
        match until {
            Some(end) if character == end => until = None,
            Some(_) => {}
            None => {
                until = match character {
                    '<' => Some('>'),
                    '[' => Some(']'),
                    '"' => Some('"'),
                    _ => None,
                };
                out.push_str(if until.is_some() { " * " } else { "" });
                if until.is_none() {
                    out.push(character);
                }
            }
        }
    }
    out
}

fn word(word: &str) -> &str {
    let core = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '@');
    let is_link = core.starts_with("https://") || core.starts_with("http://");
    // A link's query may name the message; what is before it says what the reply is about.
    let core = if is_link { core.split(['?', '#']).next().unwrap_or_default() } else { core };
    let has = |is: fn(char) -> bool| core.contains(is);
    let is_one_case = !(has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_uppercase()));
    if core.contains('@') {
        "ADDRESS"
    } else if core.is_empty() {
        word
    } else if !has(char::is_alphabetic) {
        "N"
    } else if has(|c| c.is_ascii_digit()) || core.len() > LONGEST_WORD {
        "ID"
    } else if is_link {
        core
    } else if is_one_case && core.contains('.') {
        "HOST"
    } else {
        word
    }
}
