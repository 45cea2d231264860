"""msmtp as the client: what cron jobs and scripts send with, through its sendmail interface."""

import subprocess

from bench.case import Case
from bench.content import DOTS, lines_of, message
from bench.relay import CLIENT_PASSWORD

# sysexits.h, as msmtp uses it.
ALL_WELL, NO_PERMISSION = 0, 77


class MsmtpClient(Case):
    """msmtp's exit status is the truth about the mail."""

    needs = ("msmtp",)

    def msmtp(self, content, *, mechanism="plain", listener="submission", recipients=None, password=CLIENT_PASSWORD):
        """Sends content; gives the finished process."""
        configuration = self.relay.folder / f"msmtprc-{self.mark}"
        configuration.write_text(
            f"account default\nhost localhost\nport {self.relay.ports[listener]}\ntimeout 60\nset_date_header off\nset_msgid_header off\n"
            f"tls on\ntls_starttls {'off' if listener == 'submissions' else 'on'}\n"
            f"tls_trust_file {self.relay.authority.certificate}\n"
            f'auth {mechanism}\nuser starttls\npasswordeval "cat {self.password_file(password)}"\nfrom {self.sender}\n'
        )
        configuration.chmod(0o600)
        words = ["msmtp", "-C", str(configuration), "--", *(recipients or [self.recipient()])]
        return subprocess.run(words, input=content, capture_output=True, timeout=120)

    def password_file(self, password):
        """A password in a file: msmtp's own quoting takes fewer characters than ours."""
        path = self.relay.folder / f"password-{self.mark}"
        path.write_text(password)
        return path

    def sent(self, content, **options):
        """Sends content, which must go well. msmtp reads LF and sends CRLF."""
        done = self.msmtp(content.replace(b"\r\n", b"\n"), **options)
        self.assertEqual(ALL_WELL, done.returncode, done.stderr)

    def test_plain_after_starttls(self):
        content = message("msmtp", DOTS)
        self.sent(content)
        self.assert_delivered(content)

    def test_login_after_starttls(self):
        content = message("msmtp LOGIN")
        self.sent(content, mechanism="login")
        self.assert_delivered(content)

    def test_the_best_mechanism_by_itself_over_implicit_tls(self):
        content = message("msmtp implicit")
        self.sent(content, mechanism="on", listener="submissions")
        self.assert_delivered(content)

    def test_eight_bit_and_many_recipients(self):
        content = message("msmtp", "Grüße\r\n".encode() + lines_of(200_000))
        recipients = [self.recipient(number) for number in range(30)]
        self.sent(content, recipients=recipients)
        self.assert_delivered(content, recipients=recipients)

    def test_a_wrong_password_is_no_permission(self):
        self.assertEqual(NO_PERMISSION, self.msmtp(message("no"), password="wrong").returncode)
        self.assert_nothing_delivered()

    def test_a_deferral_and_a_refusal_by_the_provider_are_shown_as_what_they_are(self):
        for action, words in (("DEFER_IF_PERMIT 4.2.1 busy", b"4.2.1"), ("550 5.1.1 nobody of that name", b"5.1.1")):
            rule = self.provider.gate.answer("RCPT", self.mark, action)
            done = self.msmtp(message("faults"))
            self.provider.gate.forget(rule)
            self.assertNotEqual(ALL_WELL, done.returncode)
            self.assertIn(words, done.stderr)
        self.assert_nothing_delivered()
