"""curl as the client: what shell scripts and programs on libcurl send with."""

import subprocess

from bench.case import Case
from bench.content import DOTS, OCTETS, lines_of, message
from bench.relay import CLIENT_PASSWORD

# curl's own statuses.
ALL_WELL, LOGIN_DENIED, NO_CERTIFICATE = 0, 67, 60


class CurlClient(Case):
    """curl's exit status is the truth about the mail."""

    needs = ("curl",)

    def curl(self, content, *options, listener="submission", recipients=None, password=CLIENT_PASSWORD, trust=True):
        """Sends content; gives the finished process."""
        path = self.relay.folder / f"curl-{self.mark}"
        path.write_bytes(content)
        scheme = "smtps" if listener == "submissions" else "smtp"
        words = [
            "curl", "--silent", "--show-error", "--max-time", "60", "--ssl-reqd",
            "--url", f"{scheme}://localhost:{self.relay.ports[listener]}/client.example.com",
            "--user", f"starttls:{password}", "--mail-from", self.sender, "--upload-file", str(path), *options,
        ]  # fmt: skip
        if trust:
            words += ["--cacert", str(self.relay.authority.certificate)]
        for recipient in recipients or [self.recipient()]:
            words += ["--mail-rcpt", recipient]
        return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=90)

    def sent(self, content, *options, **named):
        """Sends content, which must go well."""
        done = self.curl(content, *options, **named)
        self.assertEqual(ALL_WELL, done.returncode, done.stderr)

    def test_each_mechanism_after_starttls(self):
        for mechanism in ("PLAIN", "LOGIN"):
            for initial in ((), ("--sasl-ir",)):
                with self.subTest(mechanism=mechanism, initial=initial):
                    content = message(f"{mechanism} {initial}", DOTS)
                    before = len(self.provider.mailroom.deliveries(self.mark))
                    self.sent(content, "--login-options", f"AUTH={mechanism}", *initial)
                    found = self.provider.mailroom.expect(self.mark, before + 1)
                    self.assertTrue(found[-1].content.endswith(content))

    def test_implicit_tls_many_recipients_and_octets(self):
        content = message("curl", OCTETS + lines_of(400_000))
        recipients = [self.recipient(number) for number in range(40)]
        self.sent(content, listener="submissions", recipients=recipients)
        self.assert_delivered(content, recipients=recipients)

    def test_a_wrong_password(self):
        self.assertEqual(LOGIN_DENIED, self.curl(message("no"), password="wrong").returncode)
        self.assert_nothing_delivered()

    def test_an_unknown_authority(self):
        self.assertEqual(NO_CERTIFICATE, self.curl(message("no"), trust=False).returncode)
        self.assert_nothing_delivered()

    def test_the_providers_refusal(self):
        rule = self.provider.gate.answer("RCPT", self.mark, "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        self.assertNotEqual(ALL_WELL, self.curl(message("no")).returncode)
        self.assert_nothing_delivered()
