"""swaks as the client: what operators test with."""

import subprocess

from bench.case import Case
from bench.content import DOTS, lines_of, received_removed
from bench.relay import CLIENT_PASSWORD

# swaks' own statuses.
ALL_WELL, MAIL_REFUSED, NO_RECIPIENT, CONTENT_REFUSED, AUTH_FAILED, TLS_FAILED = 0, 23, 24, 26, 28, 29


class SwaksClient(Case):
    """The session that swaks shows ends as it should, and the mail is at the provider."""

    needs = ("swaks",)

    def swaks(self, *options, listener="submission", recipients=None, expect=ALL_WELL):
        """Runs swaks against a listener; gives the session that it printed."""
        words = [
            "swaks", "--server", f"127.0.0.1:{self.relay.ports[listener]}", "--helo", "client.example.com",
            "--from", self.sender, "--to", ",".join(recipients or [self.recipient()]), "--timeout", "30", *options,
        ]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=90, stdin=subprocess.DEVNULL)
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def auth(self, mechanism, password=CLIENT_PASSWORD):
        """The options for a login."""
        return ("--auth", mechanism, "--auth-user", "starttls", "--auth-password", password)

    def content(self, body=b"Hello from swaks.\r\n"):
        """A message in a file, for --data; swaks wants LF, and adds the last one itself."""
        content = b"From: <app@example.com>\r\nSubject: swaks\r\n\r\n" + body
        path = self.relay.folder / f"swaks-{self.mark}"
        path.write_bytes(content.removesuffix(b"\r\n").replace(b"\r\n", b"\n"))
        return content, ("--data", f"@{path}")

    def test_starttls_and_auth_plain(self):
        content, data = self.content()
        session = self.swaks("--tls", *self.auth("PLAIN"), *data)
        self.assertIn("AUTH PLAIN", session)
        self.assert_delivered(content)

    def test_starttls_and_auth_login(self):
        content, data = self.content()
        session = self.swaks("--tls", *self.auth("LOGIN"), *data)
        self.assertIn("334 VXNlcm5hbWU6", session)
        self.assertIn("334 UGFzc3dvcmQ6", session)
        self.assert_delivered(content)

    def test_implicit_tls(self):
        content, data = self.content()
        self.swaks("--tls-on-connect", *self.auth("PLAIN"), *data, listener="submissions")
        self.assert_delivered(content)

    def test_the_certificate_is_verified_against_the_authority(self):
        content, data = self.content()
        trust = ("--tls-verify", "--tls-ca-path", str(self.relay.authority.certificate))
        self.swaks("--tls", *trust, *self.auth("PLAIN"), *data)
        self.assert_delivered(content)

    def test_pipelining(self):
        content, data = self.content(DOTS + b"The end.\r\n")
        recipients = [self.recipient(number) for number in range(20)]
        self.swaks("--tls", "--pipeline", *self.auth("PLAIN"), *data, recipients=recipients)
        self.assert_delivered(content, recipients=recipients)

    def test_every_protocol_name_that_swaks_knows(self):
        for protocol, listener, login in (
            ("ESMTPA", "xclient", self.auth("PLAIN")),
            ("ESMTPSA", "submission", self.auth("LOGIN")),
            ("SSMTPA", "submissions", self.auth("PLAIN")),
        ):
            with self.subTest(protocol=protocol):
                content, data = self.content()
                before = len(self.provider.mailroom.deliveries(self.mark))
                self.swaks("--protocol", protocol, *login, *data, listener=listener)
                self.assertEqual(before + 1, len(self.provider.mailroom.expect(self.mark, before + 1)))

    def test_a_device_that_says_helo_and_cannot_log_in(self):
        content, data = self.content()
        session = self.swaks("--protocol", "SMTP", *data, listener="devices")
        self.assertIn("HELO client.example.com", session)
        self.assertNotIn("EHLO", session)
        (delivery,) = self.assert_delivered(content)
        self.assertIn(b"with SMTP", received_removed(delivery.content)[1][1])

    def test_a_device_that_says_ehlo_and_cannot_log_in(self):
        content, data = self.content()
        self.swaks("--protocol", "ESMTP", *data, listener="devices")
        self.assert_delivered(content)

    def test_a_wrong_password(self):
        session = self.swaks("--tls", *self.auth("PLAIN", "wrong"), expect=AUTH_FAILED)
        self.assertIn("535 5.7.8", session)
        self.assert_nothing_delivered()

    def test_no_login_no_mail(self):
        session = self.swaks("--tls", expect=MAIL_REFUSED)
        self.assertIn("530 5.7.0", session)
        self.assert_nothing_delivered()

    def test_auth_is_not_to_be_had_without_tls(self):
        self.swaks(*self.auth("PLAIN"), expect=AUTH_FAILED)
        self.assert_nothing_delivered()

    def test_an_attachment(self):
        path = self.relay.folder / f"attachment-{self.mark}"
        path.write_bytes(bytes(range(256)) * 4000)
        self.swaks("--tls", *self.auth("LOGIN"), "--attach", f"@{path}")
        (delivery,) = self.provider.mailroom.expect(self.mark, 1)
        self.assertIn(b"Content-Transfer-Encoding: BASE64", delivery.content)
        self.assertGreater(len(delivery.content), 1_000_000)

    def test_a_megabyte_of_text(self):
        content, data = self.content(lines_of(1 << 20))
        self.swaks("--tls", *self.auth("PLAIN"), *data)
        self.assert_delivered(content)

    def test_proxy_protocol_version_2_tells_the_clients_address(self):
        content, data = self.content()
        proxy = (
            "--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-source", "198.51.100.7",
            "--proxy-source-port", "4242", "--proxy-dest", "192.0.2.1", "--proxy-dest-port", "587",
        )  # fmt: skip
        self.swaks("--tls", *proxy, *self.auth("PLAIN"), *data, listener="proxied")
        (delivery,) = self.assert_delivered(content)
        self.assertIn(b"[198.51.100.7]", received_removed(delivery.content)[1][1])

    def test_xclient_tells_the_clients_address(self):
        content, data = self.content()
        xclient = ("--xclient-addr", "198.51.100.8", "--xclient-name", "printer.example.com", "--xclient-helo", "printer")
        self.swaks(*xclient, *self.auth("PLAIN"), *data, listener="xclient")
        (delivery,) = self.assert_delivered(content)
        self.assertIn(b"[198.51.100.8]", received_removed(delivery.content)[1][1])
