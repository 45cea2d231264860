"""Dovecot's submission server as the client: it forwards with BDAT, as no other client here does."""

import smtplib

from bench import world
from bench.case import Case
from bench.content import DOTS, OCTETS, lines_of, message, received_removed
from bench.machine import answers, free_port, require_root, wait_until, Missing
from bench.relay import CLIENT_PASSWORD

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = submission
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
hostname = dovecot.example.com
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password=inbound
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail
}}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
submission_max_mail_size = 40M
submission_relay_host = localhost
submission_relay_port = {relay_port}
submission_relay_ssl = starttls
ssl_client_ca_file = {authority}
submission_relay_user = starttls
submission_relay_password = {password}
submission_relay_rawlog_dir = {folder}/sessions
"""


class DovecotClient(Case):
    """What Dovecot takes, it forwards in chunks, and answers as the relay answered."""

    needs = ("/usr/lib/dovecot/submission", "dovecot")

    def setUp(self):
        super().setUp()
        try:
            require_root()
        except Missing as missing:
            self.skipTest(str(missing))
        self.port = _running(self.relay)

    def send(self, content, recipients=None):
        """Sends through Dovecot."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.login("somebody", "inbound")
            options = ["BODY=8BITMIME"]
            return client.sendmail(self.sender, recipients or [self.recipient()], content, mail_options=options)

    def assert_arrived(self, content, recipients):
        """One copy, below the Received fields of Dovecot, the relay and the provider."""
        (delivery,) = self.provider.mailroom.expect(self.mark, 1)
        self.assertEqual(sorted(recipients), sorted(delivery.recipients))
        rest, fields = received_removed(delivery.content)
        self.assertEqual(content, rest)
        self.assertEqual(3, len(fields))

    def test_octets_dots_and_recipients_in_chunks(self):
        content = message("chunks", DOTS + OCTETS)
        recipients = [self.recipient(number) for number in range(20)]
        self.assertEqual({}, self.send(content, recipients))
        self.assert_arrived(content, recipients)

    def test_five_megabytes_in_chunks(self):
        content = message("large", lines_of(5 << 20))
        self.send(content)
        self.assert_arrived(content, [self.recipient()])
        # What Dovecot said to the relay, as Dovecot recorded it.
        sessions = world.machine().directory / "dovecot-client" / "sessions"
        chunks = sum(recorded.read_bytes().count(b"BDAT ") for recorded in sessions.glob("*.out"))
        self.assertGreaterEqual(chunks, 2)

    def test_the_providers_refusal_reaches_dovecots_client(self):
        rule = self.provider.gate.answer("END-OF-MESSAGE", self.sender, "550 5.7.1 no such words here")
        try:
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                self.send(message("refused"))
        finally:
            self.provider.gate.forget(rule)
        self.assertEqual(550, refused.exception.smtp_code)
        self.assertIn(b"no such words here", refused.exception.smtp_error)
        self.assert_nothing_delivered()


_port = []


def _running(relay):
    """Dovecot's port; it is started once."""
    if not _port:
        folder = world.machine().folder("dovecot-client")
        for name in ("mail", "sessions"):
            world.machine().folder(f"dovecot-client/{name}", owner="dovecot")
        port = free_port()
        (folder / "dovecot.conf").write_text(
            CONFIGURATION.format(
                folder=folder,
                port=port,
                relay_port=relay.ports["submission"],
                authority=relay.authority.certificate,
                password='"' + CLIENT_PASSWORD.replace("\\", "\\\\").replace('"', '\\"') + '"',
            )
        )
        world.machine().start(["dovecot", "-F", "-c", folder / "dovecot.conf"], folder / "output")
        wait_until(lambda: answers(port), f"Dovecot does not listen; see {folder}/log")
        _port.append(port)
    return _port[0]
