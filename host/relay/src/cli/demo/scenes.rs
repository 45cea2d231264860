//! What is played: who sends what to whom, and what is to become of it.

/// The password of both logins.
pub(super) const PASSWORD: &str = "demo";

/// A tenant's login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) tenant: &'static str,
    pub(super) name: &'static str,
}

pub(super) const ACME: Login = Login { tenant: "acme", name: "acme-app" };
pub(super) const GLOBEX: Login = Login { tenant: "globex", name: "globex-printer" };

/// One message.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) login: Login,
    pub(super) from: &'static str,
    pub(super) to: &'static [&'static str],
    pub(super) account: &'static str,
    /// The code that the client is to hear, and what its text is to hold.
    pub(super) code: u16,
    pub(super) says: &'static str,
}

pub(super) const SCENES: &[Scene] = &[
    Scene {
        title: "a first message: token, TLS and login at Gmail",
        login: ACME,
        from: "app@acme.example",
        to: &["ann@example.org"],
        account: "gmail",
        code: 250,
        says: "delivered",
    },
    Scene {
        title: "the next one: on the session that is at hand",
        login: ACME,
        from: "app@acme.example",
        to: &["ben@example.org"],
        account: "gmail",
        code: 250,
        says: "delivered",
    },
    Scene {
        title: "to three people at once",
        login: ACME,
        from: "invoices@acme.example",
        to: &["ann@example.org", "ben@example.org", "cleo@example.org"],
        account: "gmail",
        code: 250,
        says: "delivered",
    },
    Scene {
        title: "acme's policy (account-by-sender) sends its bills by another mailbox",
        login: ACME,
        from: "billing@acme.example",
        to: &["ann@example.org"],
        account: "outlook",
        code: 250,
        says: "delivered",
    },
    Scene {
        title: "globex' policy (recipient-guard) lets no scan out to strangers",
        login: GLOBEX,
        from: "scanner@globex.example",
        to: &["stranger@elsewhere.example"],
        account: "-",
        code: 550,
        says: "5.7.1 stranger@elsewhere.example",
    },
    Scene {
        title: "another tenant's printer, through Outlook",
        login: GLOBEX,
        from: "scanner@globex.example",
        to: &["dora@example.org"],
        account: "outlook",
        code: 250,
        says: "delivered",
    },
    Scene {
        title: "a recipient whom Outlook does not know: refused for good",
        login: GLOBEX,
        from: "scanner@globex.example",
        to: &["unknown@example.org"],
        account: "outlook",
        code: 550,
        says: "5.1.1",
    },
    Scene {
        title: "Outlook has too much to do: the client keeps the message",
        login: GLOBEX,
        from: "alerts@globex.example",
        to: &["throttled@example.org"],
        account: "outlook",
        code: 451,
        says: "432",
    },
    Scene {
        title: "Gmail's daily limit is the account's trouble, not the message's",
        login: ACME,
        from: "app@acme.example",
        to: &["quota@example.org"],
        account: "gmail",
        code: 452,
        says: "5.4.5",
    },
    Scene {
        title: "a printer that would like to be somebody else",
        login: GLOBEX,
        from: "ceo@acme.example",
        to: &["ann@example.org"],
        account: "-",
        code: 553,
        says: "not a sender",
    },
];
