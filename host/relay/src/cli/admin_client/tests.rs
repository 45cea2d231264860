//! The client, by what it does not do.

use super::{AdminClient, Reach, piece};

fn client(url: &str) -> Result<AdminClient, String> {
    let file = std::env::temp_dir().join(format!("posthouse-token-{}", std::process::id()));
    std::fs::write(&file, "posthouse_token\n").unwrap();
    AdminClient::new(&Reach { admin: url.to_owned(), token_file: Some(file), ca_file: None })
}

#[test]
fn a_token_does_not_leave_this_host_in_the_clear() {
    for url in ["http://192.0.2.1:8025", "http://relay.example.com", "http://localhost.example.com"] {
        assert!(client(url).unwrap_err().contains("in the clear"), "{url}");
    }
    for url in ["http://127.0.0.1:8025", "http://[::1]:8025/", "http://localhost:8025"] {
        assert!(client(url).is_ok(), "{url}");
    }
    for url in ["127.0.0.1:8025", "ftp://127.0.0.1", "http://127.0.0.1/v1", "http://127.0.0.1/?x"] {
        assert!(client(url).unwrap_err().contains("expected such as"), "{url}");
    }
}

#[test]
fn an_id_stays_one_piece_of_the_path() {
    assert_eq!(piece("acme.de_1"), "acme.de_1");
    assert_eq!(piece("../../x?y#z"), "..%2F..%2Fx%3Fy%23z");
    assert_eq!(piece("\u{e9} \r\n"), "%C3%A9%20%0D%0A");
}
