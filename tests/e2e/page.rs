//! The page at the admin address, by raw requests: who is shown what, and what a browser's password is good for.
//! `tests/page/run` shows it to a browser.

use std::fmt::Write as _;
use std::net::SocketAddr;

use posthouse_relay::config::from_toml;
use posthouse_relay::config::token::Digest;
use posthouse_relay::relay::Relay;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OPERATOR: &str = "posthouse_of-the-operator";
const ACME: &str = "posthouse_of-acme";
/// `anybody:posthouse_of-the-operator`.
const OPERATORS_BROWSER: &str = "Basic YW55Ym9keTpwb3N0aG91c2Vfb2YtdGhlLW9wZXJhdG9y";
/// `somebody:posthouse_of-acme`.
const ACMES_BROWSER: &str = "Basic c29tZWJvZHk6cG9zdGhvdXNlX29mLWFjbWU=";
/// `anybody:posthouse_of-nobody`.
const NOBODYS_BROWSER: &str = "Basic YW55Ym9keTpwb3N0aG91c2Vfb2Ytbm9ib2R5";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Shown {
    relay: Relay,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Shown {
    /// `acme`, `globex`, and as many more.
    async fn new(more: usize) -> Self {
        let hash = |token: &str| Digest::of(token.as_bytes());
        let main = format!(
            "hostname = \"relay.example.com\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[[admin.tokens]]\nname = \"ops\"\n\
             hash = \"{}\"\nscope = \"operator\"\n[[listeners]]\nname = \"plain\"\naddress = \"127.0.0.1:0\"\n\
             tls = \"none\"\nauth_over_cleartext = true\n",
            hash(OPERATOR)
        );
        let token = format!("[[tokens]]\nname = \"app\"\nhash = \"{}\"\n", hash(ACME));
        let mut tenants = vec![("acme".to_owned(), tenant("acme") + &token), ("globex".to_owned(), tenant("globex"))];
        tenants.extend((0..more).map(|number| format!("more-{number:03}")).map(|id| (id.clone(), tenant(&id))));
        let files: Vec<(&str, &str)> = tenants.iter().map(|(id, text)| (&**id, &**text)).collect();
        let loaded = from_toml(&main, &files);
        let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
        Self { relay: Relay::start(config, None).await.expect("a relay starts") }
    }

    fn address(&self) -> SocketAddr {
        self.relay.admin_address().expect("an admin address")
    }

    async fn ask(&self, line: &str, fields: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.expect("the admin address is there");
        let mut request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in fields {
            write!(request, "{name}: {value}\r\n").expect("text");
        }
        stream.write_all((request + "\r\n").as_bytes()).await.expect("it reads");
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).await.expect("it answers");
        let text = String::from_utf8(octets).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    async fn page(&self, path: &str, browser: &str) -> Answer {
        let fields = [("authorization", browser), ("accept", "text/html,*/*;q=0.8")];
        self.ask(&format!("GET {path}"), &fields).await
    }
}

fn tenant(id: &str) -> String {
    format!(
        "[[logins]]\nname = \"{id}-app\"\npassword = \"{PASSWORD}\"\nsenders = [\"@{id}.example\"]\naccount = \"main\"\n\
         [[accounts]]\nid = \"main\"\naddress = \"mail@{id}.example\"\nprovider = \"generic\"\nhost = \"127.0.0.1\"\n\
         port = 9\ntls = \"none\"\n[accounts.grant]\nkind = \"none\"\n"
    )
}

/// A hash of the right form; nobody logs in here.
const PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$Kl3w0dGkB0ZbN0cR3KAVN5dEqXx2nQfJmKj1p8m0V4s";

#[tokio::test]
async fn a_browser_is_asked_for_a_token_and_shown_the_page() {
    let shown = Shown::new(0).await;
    let challenge = "Basic realm=\"posthouse\", charset=\"UTF-8\"";
    for (accept, challenge) in [("text/html", challenge), ("application/json", "Bearer")] {
        let answer = shown.ask("GET /", &[("accept", accept)]).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.field("www-authenticate"), Some(challenge));
        assert!(answer.field("content-type").is_some_and(|kind| kind.starts_with(accept)), "{}", answer.head);
        assert!(!answer.body.contains("acme") && !answer.body.contains("relay.example.com"));
    }
    let page = shown.page("/", OPERATORS_BROWSER).await;
    assert_eq!((page.status, page.field("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.field("content-security-policy"), Some(POLICY));
    assert_eq!(page.field("cache-control"), Some("no-store"));
    assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.field("set-cookie"), None);
    for part in ["<title>all well ", "mail@acme.example", "mail@globex.example", "Last reload", "native routing"] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    assert!(!page.body.contains(OPERATOR) && !page.body.contains("blake2s") && !page.body.contains("argon2"));
    let program = shown.ask("GET /", &[("authorization", &format!("Bearer {OPERATOR}"))]).await;
    assert_eq!(program.status, 200);
}

#[tokio::test]
async fn a_tenants_token_shows_that_tenants_part() {
    let shown = Shown::new(0).await;
    let page = shown.page("/", ACMES_BROWSER).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("mail@acme.example"));
    for others in ["globex", "Last reload", "Listeners", "plain", "Clients"] {
        assert!(!page.body.contains(others), "{others} is in {}", page.body);
    }
    // The same is said of a tenant that is there and of one that is not.
    let said = [shown.page("/?tenant=globex", ACMES_BROWSER).await, shown.page("/?tenant=nobody", ACMES_BROWSER).await];
    assert_eq!(said.each_ref().map(|answer| answer.status), [403, 403]);
    assert_eq!(said[0].body, said[1].body);
    let one = shown.page("/?tenant=globex", OPERATORS_BROWSER).await;
    assert!(one.body.contains("mail@globex.example") && !one.body.contains("mail@acme.example"));
    assert_eq!(shown.page("/?tenant=%3Cb%3E", OPERATORS_BROWSER).await.status, 404);
    assert_eq!(shown.page("/?else=x", OPERATORS_BROWSER).await.status, 422);
    assert!(!shown.page("/?tenant=%3Cb%3E", OPERATORS_BROWSER).await.body.contains("<b>"));
}

/// Another site's page can make a browser send its password along, so that it is good for no change.
#[tokio::test]
async fn a_browsers_password_changes_nothing() {
    let shown = Shown::new(0).await;
    let json = [("content-type", "application/json"), ("content-length", "0")];
    for line in ["POST /v1/reload", "POST /v1/tenants/acme/resume", "POST /v1/tenants/acme/policies/rollback"] {
        let with = |token| [("authorization", token), json[0], json[1]];
        let refused = shown.ask(line, &with(OPERATORS_BROWSER)).await;
        assert_eq!((refused.status, refused.field("www-authenticate")), (401, Some("Bearer")), "{line}");
        let taken = shown.ask(line, &with(&format!("Bearer {OPERATOR}"))).await;
        assert_ne!(taken.status, 401, "{line}");
    }
    let read = [("authorization", OPERATORS_BROWSER)];
    assert_eq!(shown.ask("GET /v1/status", &read).await.status, 200);
    let head = shown.ask("HEAD /", &read).await;
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down_and_the_right_one_is_not() {
    let shown = Shown::new(0).await;
    for malformed in ["Basic", "Basic !", "Basic YW55Ym9keQ==", "Basic YW55Ym9keTo=", "Digest x"] {
        assert_eq!(shown.page("/", malformed).await.status, 401, "{malformed}");
    }
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = shown.page("/", NOBODYS_BROWSER).await;
        assert_eq!(answer.status == 429, answer.field("retry-after").is_some(), "{}", answer.head);
        statuses.push(answer.status);
    }
    assert_eq!((statuses.first(), statuses.last()), (Some(&401), Some(&429)), "{statuses:?}");
    assert_eq!(shown.page("/", OPERATORS_BROWSER).await.status, 200);
}

#[tokio::test]
async fn what_the_page_needs_comes_from_here_and_is_not_sent_twice() {
    let shown = Shown::new(0).await;
    let page = shown.page("/", OPERATORS_BROWSER).await.body;
    for (path, kind) in [
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.svg", "image/svg+xml"),
    ] {
        assert!(page.contains(&format!("\"{path}\"")), "{path}");
        let file = shown.ask(&format!("GET {path}"), &[]).await;
        assert_eq!((file.status, file.field("content-type")), (200, Some(kind)));
        let tag = file.field("etag").expect("a tag");
        let again = shown.ask(&format!("GET {path}"), &[("if-none-match", tag)]).await;
        assert_eq!((again.status, &*again.body), (304, ""));
    }
    let other = page.replace("xmlns=\"http://www.w3.org", "");
    assert!(!other.contains("http://") && !other.contains("https://"), "{other}");
    assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick"));
}

#[tokio::test]
async fn many_tenants_are_shown_a_page_at_a_time() {
    let shown = Shown::new(60).await;
    let first = shown.page("/", OPERATORS_BROWSER).await.body;
    assert_eq!(first.matches("<article").count(), 50);
    assert!(first.contains("50 of 62 tenants") && first.contains("href=\"/?after=more-047\""), "{first}");
    let second = shown.page("/?after=more-047", OPERATORS_BROWSER).await.body;
    assert_eq!(second.matches("<article").count(), 12);
    assert!(!second.contains("Those that follow"));
}
