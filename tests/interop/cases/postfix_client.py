"""A real Postfix as the client: a mail server with a queue that relays everything to Posthouse with SASL.

The queue is the point: what the relay does not answer 250 stays there, and everything leaves it exactly once.
"""

import re
import smtplib
import threading

from bench import world
from bench.case import Case
from bench.content import DOTS, OCTETS, lines_of, message
from bench.mailroom import Mailroom
from bench.machine import Missing, wait_until
from bench.postfix import Entrance, Postfix
from bench.relay import CLIENT_PASSWORD


class PostfixClient(Case):
    """What was given to Postfix is at the provider exactly once, and Postfix's queue is empty."""

    needs = ("postfix",)

    @classmethod
    def setUpClass(cls):
        relay = world.relay()
        cls.returned = Mailroom()
        cls.addClassCleanup(cls.returned.close)
        passwords = relay.folder / "sasl_password"
        passwords.write_text(f"[localhost]:{relay.ports['submission']} starttls:{CLIENT_PASSWORD}\n")
        passwords.chmod(0o600)
        settings = {
            "myhostname": "mail.example.com",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "relayhost": f"[localhost]:{relay.ports['submission']}",
            # Non-delivery reports stay here: they go back to the senders of this server.
            "transport_maps": f"inline:{{ example.com=lmtp:inet:[127.0.0.1]:{cls.returned.port} }}",
            "smtp_sasl_auth_enable": "yes",
            "smtp_sasl_password_maps": f"texthash:{passwords}",
            "smtp_sasl_tls_security_options": "noanonymous",
            "smtp_tls_security_level": "verify",
            "smtp_tls_CAfile": relay.authority.certificate,
            "smtp_tls_loglevel": "1",
            "smtp_connection_cache_on_demand": "yes",
            "default_destination_concurrency_limit": "10",
            # A failed relayhost is tried again when the queue is flushed, not a minute later.
            "minimal_backoff_time": "5s",
            "maximal_backoff_time": "10s",
            "queue_run_delay": "5s",
            "smtp_destination_concurrency_failed_cohort_limit": "0",
            "smtp_connect_timeout": "5s",
        }  # fmt: skip
        try:
            cls.postfix = Postfix(world.machine(), "client", settings, [Entrance("inbound")])
        except Missing as missing:
            cls.skipTest(cls, str(missing))

    def submit(self, content, recipients=None, sender=None):
        """Gives a message to Postfix, as a program on its host would."""
        with smtplib.SMTP("127.0.0.1", self.postfix.port("inbound"), timeout=60) as client:
            options = ["BODY=8BITMIME"]
            client.ehlo()
            client.sendmail(sender or self.sender, recipients or [self.recipient()], content, mail_options=options)

    def assert_queue_empties(self, seconds=60.0):
        """Postfix has handed over, or given up, everything."""
        try:
            wait_until(lambda: not self.postfix.queue(self.mark), "mail stays in the queue", seconds)
        except TimeoutError:
            last = (self.statuses("deferred") + self.statuses("bounced"))[-3:]
            self.fail(f"still queued: {self.postfix.queue(self.mark)}; last words: {last}")

    def assert_arrived(self, *contents, recipients=None):
        """These contents are at the provider exactly once each, below the Received fields of both Postfixes."""
        found = self.provider.mailroom.expect(self.mark, len(contents))
        self.assertEqual(len(contents), len(found), "copies at the provider")
        for content in contents:
            copies = [delivery for delivery in found if delivery.content.endswith(content)]
            self.assertEqual(1, len(copies))
            if recipients is not None:
                self.assertEqual(sorted(recipients), sorted(copies[0].recipients))

    def statuses(self, word):
        """Postfix's log lines of this status about this case's mail."""
        return [line for line in self.postfix.lines(f"status={word}") if self.mark in line]

    def test_two_hundred_messages_over_ten_connections_each_exactly_once(self):
        contents = [message(f"{self.mark} number {number}", lines_of(20 * number)) for number in range(200)]
        threads = [
            threading.Thread(target=lambda part: [self.submit(content) for content in part], args=(contents[start::8],))
            for start in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_queue_empties()
        self.assert_arrived(*contents)
        self.assertEqual(200, len(self.statuses("sent")))
        self.assertEqual([], self.statuses("deferred") + self.statuses("bounced"))

    def test_octets_dots_and_five_megabytes(self):
        contents = [
            message(f"{self.mark} dots", DOTS),
            message(f"{self.mark} octets", OCTETS),
            message(f"{self.mark} large", lines_of(5 << 20)),
        ]
        for content in contents:
            self.submit(content)
        self.assert_queue_empties()
        self.assert_arrived(*contents)

    def test_fifty_recipients_are_one_message(self):
        content = message(f"{self.mark} fifty")
        recipients = [self.recipient(number) for number in range(50)]
        self.submit(content, recipients)
        self.assert_queue_empties()
        self.assert_arrived(content, recipients=recipients)

    def test_a_hundred_and_thirty_recipients_all_get_it_once(self):
        # Postfix itself cuts at 50 recipients (smtp_destination_recipient_limit).
        recipients = [self.recipient(number) for number in range(130)]
        self.submit(message(f"{self.mark} many"), recipients)
        self.assert_queue_empties()
        found = self.provider.mailroom.expect(self.mark, 3)
        self.assertEqual(sorted(recipients), sorted(address for delivery in found for address in delivery.recipients))

    def test_while_the_provider_defers_the_mail_stays_queued_and_then_leaves_once(self):
        for stage, action in (("RCPT", "DEFER_IF_PERMIT 4.3.0 not now"), ("END-OF-MESSAGE", "DEFER 4.3.0 not now")):
            with self.subTest(stage=stage):
                self.mark = world.mark()
                sender = f"{self.mark}@example.com"
                contents = [message(f"{self.mark} number {number}") for number in range(10)]
                rule = self.provider.gate.answer(stage, self.mark, action)
                for content in contents:
                    self.submit(content, sender=sender)
                wait_until(lambda: len(self.statuses("deferred")) >= 10, "Postfix is not told to wait")
                self.assertEqual(10, len(self.postfix.queue(self.mark)))
                self.assert_nothing_delivered()
                self.provider.gate.forget(rule)
                self.postfix.flush()
                self.assert_queue_empties()
                self.assert_arrived(*contents)
                self.assertEqual([], self.statuses("bounced"))

    def test_while_the_provider_is_down_the_mail_stays_queued_and_then_leaves_once(self):
        contents = [message(f"{self.mark} number {number}") for number in range(10)]
        self.provider.postfix.stop()
        try:
            for content in contents:
                self.submit(content)
            wait_until(lambda: len(self.statuses("deferred")) >= 10, "Postfix is not told to wait")
        finally:
            self.provider.postfix.start()
        self.assertEqual(10, len(self.postfix.queue(self.mark)))
        self.postfix.flush()
        self.assert_queue_empties()
        self.assert_arrived(*contents)
        self.assertEqual([], self.statuses("bounced"))

    def test_a_relay_that_restarts_under_load_loses_nothing_and_doubles_nothing(self):
        contents = [message(f"{self.mark} number {number}", lines_of(2000)) for number in range(300)]

        def submit(part):
            for content in part:
                self.submit(content)

        threads = [threading.Thread(target=submit, args=(contents[start::6],)) for start in range(6)]
        for thread in threads:
            thread.start()
        statuses = []
        for share in (60, 150):
            self.provider.mailroom.expect(self.mark, share)
            statuses.append(self.relay.restart())
        for thread in threads:
            thread.join()
        self.postfix.flush()
        self.assert_queue_empties()
        self.assert_arrived(*contents)
        self.assertEqual([0, 0], statuses, "exit statuses of the relay after SIGTERM")
        self.assertEqual([], self.statuses("bounced"))

    def test_a_permanent_refusal_bounces_to_the_sender_with_the_providers_words(self):
        rule = self.provider.gate.answer("RCPT", self.mark, "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        self.submit(message(f"{self.mark} to nobody"), sender=f"{self.mark}@example.com")
        self.assert_queue_empties()
        (report,) = self.returned.expect(self.mark, 1)
        self.assertEqual("", report.sender)
        self.assertIn(b"nobody of that name", re.sub(rb"\r\n[ \t]+", b" ", report.content))
        self.assert_nothing_delivered()

    def test_of_three_recipients_one_refused_the_other_two_get_it_once(self):
        content = message(f"{self.mark} three")
        recipients = [self.recipient(number) for number in range(3)]
        rule = self.provider.gate.answer("RCPT", recipients[1], "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        self.submit(content, recipients, sender=f"{self.mark}@example.com")
        wait_until(lambda: len(self.statuses("deferred")) >= 3, "Postfix is not told to try again")
        self.assert_nothing_delivered()
        self.postfix.flush()
        self.assert_queue_empties()
        self.assert_arrived(content, recipients=[recipients[0], recipients[2]])
        self.assertEqual(1, len(self.statuses("bounced")))

    def test_of_three_recipients_one_deferred_the_other_two_get_it_and_then_the_third(self):
        content = message(f"{self.mark} three")
        recipients = [self.recipient(number) for number in range(3)]
        rule = self.provider.gate.answer("RCPT", recipients[1], "450 4.2.1 mailbox busy")
        self.submit(content, recipients, sender=f"{self.mark}@example.com")
        wait_until(lambda: len(self.statuses("deferred")) >= 3, "Postfix is not told to try again")
        self.assert_nothing_delivered()
        self.postfix.flush()
        self.assert_arrived(content, recipients=[recipients[0], recipients[2]])
        self.provider.gate.forget(rule)
        wait_until(lambda: self.statuses("sent"), "Postfix hears of the two")
        self.postfix.flush()
        self.assert_queue_empties()
        found = self.provider.mailroom.expect(self.mark, 2)
        self.assertEqual([[recipients[1]]], [delivery.recipients for delivery in found[1:]])

    def test_internationalized_addresses(self):
        sender, recipient = "jörg@bücher.example", f"{self.mark}-θέλω@παράδειγμα.example"
        content = f"From: {sender}\r\nSubject: {self.mark} Grüße\r\n\r\nπάντα ῥεῖ\r\n".encode()
        with smtplib.SMTP("127.0.0.1", self.postfix.port("inbound"), timeout=60) as client:
            client.ehlo()
            client.sendmail(sender, [recipient], content, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assert_queue_empties()
        self.assert_arrived(content, recipients=[recipient])

    def test_a_report_with_the_null_reverse_path_is_relayed(self):
        content = message(f"{self.mark} report", sender="mailer-daemon@example.com")
        with smtplib.SMTP("127.0.0.1", self.postfix.port("inbound"), timeout=60) as client:
            client.sendmail("", [self.recipient()], content)
        self.assert_queue_empties()
        (delivery,) = self.provider.mailroom.expect(self.mark, 1)
        self.assertEqual("", delivery.sender)
