//! The paths of the interfaces, and the mailbox in them.

use crate::provider::Provider;

/// The mailbox that is to send, where the path is the one.
pub(super) fn user(provider: Provider, path: &str, query: &str) -> Option<String> {
    let segment = match provider {
        Provider::Outlook => path.strip_prefix("/v1.0/users/")?.strip_suffix("/sendMail")?,
        Provider::Gmail if query == "uploadType=media" => {
            path.strip_prefix("/upload/gmail/v1/users/")?.strip_suffix("/messages/send")?
        }
        Provider::Gmail => return None,
    };
    decoded(segment).filter(|user| !user.is_empty())
}

/// A segment without its percent signs (RFC 3986 2.1).
fn decoded(segment: &str) -> Option<String> {
    let (mut octets, mut rest) = (Vec::new(), segment.as_bytes());
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'/', _) => return None,
            (b'%', [high, low, behind @ ..]) => {
                let digits = [*high, *low];
                octets.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = behind;
            }
            (b'%', _) => return None,
            (octet, _) => octets.push(*octet),
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::user;
    use crate::provider::Provider;

    #[test]
    fn a_path_names_one_mailbox() {
        let graph = |path| user(Provider::Outlook, path, "");
        assert_eq!(graph("/v1.0/users/a%2Bb@acme.example/sendMail").as_deref(), Some("a+b@acme.example"));
        assert_eq!(graph("/v1.0/users/a/b/sendMail"), None);
        assert_eq!(graph("/v1.0/users//sendMail"), None);
        let gmail = "/upload/gmail/v1/users/a@acme.example/messages/send";
        assert_eq!(user(Provider::Gmail, gmail, "uploadType=media").as_deref(), Some("a@acme.example"));
        assert_eq!(user(Provider::Gmail, gmail, ""), None);
    }
}
