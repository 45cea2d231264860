"""What a real Postfix submission server receives from the relay: octets and framing, at every entrance.

Which commands were used is what that Postfix counted in its log, once the relay has ended its sessions.
"""

import smtplib
import ssl

from bench.case import Case
from bench.content import DOTS, OCTETS, lines_of, message
from bench.machine import wait_until
from bench.relay import CLIENT_PASSWORD


class UpstreamCase(Case):
    """Mail through a chosen route, and the provider's own account of the session."""

    def setUp(self):
        super().setUp()
        # A session left over from an earlier case would be counted here.
        self.assertEqual(0, self.relay.restart())
        self.began = self.provider.postfix.log_length()

    def send(self, route, *contents, recipients=None, options=("BODY=8BITMIME",), sender=None):
        """Sends on one client connection with the login of a route."""
        trust = ssl.create_default_context(cafile=str(self.relay.authority.certificate))
        with smtplib.SMTP("localhost", self.relay.ports["submission"], timeout=150) as client:
            client.starttls(context=trust)
            client.login(route, CLIENT_PASSWORD)
            for content in contents:
                client.sendmail(sender or self.sender, recipients or [self.recipient()], content, list(options))

    def refusal(self, route, content=None, **options):
        """Code and text of the refusal that sending must end in."""
        try:
            self.send(route, content or message("refused"), **options)
        except smtplib.SMTPRecipientsRefused as error:
            return next(iter(error.recipients.values()))
        except smtplib.SMTPResponseException as error:
            return error.smtp_code, error.smtp_error
        self.fail("the message was accepted")

    def sessions(self, entrance):
        """What the provider counted in each of this case's sessions with mail, after the relay has ended them all."""
        self.assertEqual(0, self.relay.restart())
        begun = rf"{entrance}/smtpd\[\d+\]: .*TLS connection established"
        wait_until(lambda: len(self.ended(entrance)) == len(self.provider.postfix.lines(begun, self.began)), "QUIT")
        return [session for session in self.ended(entrance) if session.get("mail")]

    def ended(self, entrance):
        """What the provider counted in each of this case's sessions that has ended, whatever it did."""
        found = self.provider.postfix.conversations(entrance, self.began)
        return [session for session in found if session.get("commands")]


class ProviderBytes(UpstreamCase):
    """Octets are kept, whichever extensions the provider offers."""

    CONTENTS = [
        message("plain"),
        message("dots", DOTS),
        message("octets", OCTETS),
        message("three hundred kilobytes", lines_of(300_000)),
        message("three megabytes", DOTS + lines_of(3 << 20)),
        b"Subject: header only\r\n",
    ]

    def assert_all_kept(self, route):
        self.send(route, *self.CONTENTS)
        found = self.provider.mailroom.expect(self.mark, len(self.CONTENTS))
        self.assertEqual(len(self.CONTENTS), len(found))
        for content in self.CONTENTS:
            self.assertEqual(1, sum(delivery.content.endswith(content) for delivery in found), content[:40])

    def test_with_chunking_bdat_is_used(self):
        self.assert_all_kept("implicit")
        counted = self.sessions("implicit")
        self.assertGreaterEqual(sum(session.get("bdat", 0) for session in counted), 3)

    def test_without_chunking_data_is_used(self):
        self.assert_all_kept("nochunking")
        counted = self.sessions("nochunking")
        self.assertEqual(0, sum(session.get("bdat", 0) for session in counted))
        self.assertEqual(len(self.CONTENTS), sum(session.get("data", 0) for session in counted))

    def test_without_pipelining(self):
        self.assert_all_kept("nopipelining")

    def test_without_pipelining_and_chunking(self):
        self.assert_all_kept("lockstep")

    def test_many_recipients_with_every_framing(self):
        recipients = [self.recipient(number) for number in range(60)]
        for route in ("starttls", "nochunking", "lockstep"):
            with self.subTest(route=route):
                before = len(self.provider.mailroom.deliveries(self.mark))
                self.send(route, message(route), recipients=recipients)
                delivery = self.provider.mailroom.expect(self.mark, before + 1)[-1]
                self.assertEqual(sorted(recipients), sorted(delivery.recipients))

    def test_a_provider_without_8bitmime_is_given_seven_bit_mail_only(self):
        content = message("seven bit")
        self.send("sevenbit", content, options=())
        self.assert_delivered(content)
        code, text = self.refusal("sevenbit", message("octets", OCTETS))
        self.assertEqual(5, code // 100, text)
        self.assertEqual(1, len(self.provider.mailroom.deliveries(self.mark)))

    def test_a_provider_without_smtputf8_is_given_no_such_address(self):
        options = ("SMTPUTF8", "BODY=8BITMIME")
        code, text = self.refusal("sevenbit", sender="jörg@bücher.example", options=options)
        self.assertEqual(5, code // 100, text)
        self.assertIn(b"5.6.7", text)
        self.assert_nothing_delivered()

    def test_a_message_larger_than_the_provider_takes_is_refused_for_good(self):
        code, text = self.refusal("small", message("too large here", lines_of(150_000)))
        self.assertEqual(552, code)
        self.assertIn(b"5.3.4", text)
        self.assert_nothing_delivered()

    def test_mail_goes_on_after_each_refusal(self):
        rule = self.provider.gate.answer("RCPT", f"{self.mark}-9", "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        contents = [message(f"number {number}") for number in range(5)]
        for route in ("starttls", "nochunking", "lockstep"):
            for content in contents[:2]:
                self.assertEqual(5, self.refusal(route, content, recipients=[self.recipient(9)])[0] // 100)
                self.send(route, content)
        self.assertEqual(6, len(self.provider.mailroom.expect(self.mark, 6)))
        self.assertEqual([], self.provider.postfix.queue(self.mark))
        self.assertEqual(6, len(self.provider.mailroom.deliveries(self.mark)))
