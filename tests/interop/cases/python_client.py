"""Python's smtplib as the client: what applications send with."""

import smtplib
import socket
import ssl

from bench.case import Case
from bench.content import DOTS, OCTETS, lines_of, message, received_removed
from bench.relay import CLIENT_PASSWORD


class PythonClient(Case):
    """Mail sent with smtplib reaches the provider octet for octet, or is refused with the right code."""

    def connect(self, login="starttls", listener="submission", secure=True):
        """A session that has said EHLO, is encrypted where asked for, and logged in where `login` is named."""
        trust = ssl.create_default_context(cafile=str(self.relay.authority.certificate))
        port = self.relay.ports[listener]
        if listener == "submissions":
            client = smtplib.SMTP_SSL("localhost", port, context=trust, timeout=60)
        else:
            client = smtplib.SMTP("localhost", port, timeout=60)
            if secure:
                client.starttls(context=trust)
        self.addCleanup(client.close)
        if login:
            client.login(login, CLIENT_PASSWORD)
        return client

    def test_auth_login_after_starttls(self):
        client = self.connect(login=None)
        client.user, client.password = "starttls", CLIENT_PASSWORD
        client.ehlo()
        self.assertEqual(235, client.auth("LOGIN", client.auth_login, initial_response_ok=False)[0])
        content = message("LOGIN")
        self.assertEqual({}, client.sendmail(self.sender, self.recipient(), content))
        self.assert_delivered(content, recipients=[self.recipient()], sender=self.sender)

    def test_auth_login_with_the_name_on_the_auth_line(self):
        client = self.connect(login=None)
        client.user, client.password = "starttls", CLIENT_PASSWORD
        client.ehlo()
        self.assertEqual(235, client.auth("LOGIN", client.auth_login)[0])

    def test_auth_plain_with_and_without_initial_response(self):
        for initial in (True, False):
            client = self.connect(login=None)
            client.user, client.password = "starttls", CLIENT_PASSWORD
            client.ehlo()
            self.assertEqual(235, client.auth("PLAIN", client.auth_plain, initial_response_ok=initial)[0])
            client.quit()

    def test_implicit_tls(self):
        content = message("implicit")
        self.connect(listener="submissions").sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_auth_is_not_offered_before_starttls(self):
        client = self.connect(login=None, secure=False)
        client.ehlo()
        self.assertFalse(client.has_extn("auth"))
        self.assertEqual(530, client.docmd("MAIL", f"FROM:<{self.sender}>")[0])
        self.assertEqual(538, client.docmd("AUTH", "PLAIN AGEAYg==")[0])

    def test_a_wrong_password_and_an_unknown_login_sound_alike(self):
        replies = []
        for login, password in (("starttls", "wrong"), ("nobody", CLIENT_PASSWORD)):
            client = self.connect(login=None)
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                client.login(login, password, initial_response_ok=True)
            replies.append((refused.exception.smtp_code, refused.exception.smtp_error))
        self.assertEqual(535, replies[0][0])
        self.assertEqual(replies[0], replies[1])

    def test_a_sender_of_somebody_else_is_refused(self):
        with self.assertRaises(smtplib.SMTPSenderRefused) as refused:
            self.connect().sendmail("boss@elsewhere.test", self.recipient(), message("not mine"))
        self.assertEqual(5, refused.exception.smtp_code // 100)
        self.assert_nothing_delivered()

    def test_lines_that_begin_with_dots(self):
        content = message("dots", DOTS)
        self.connect().sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_every_octet_that_8bitmime_allows(self):
        content = message("octets", OCTETS)
        self.connect().sendmail(self.sender, self.recipient(), content, mail_options=["BODY=8BITMIME"])
        self.assert_delivered(content)

    def test_header_only_body_only_and_strange_headers(self):
        contents = [
            b"Subject: header only\r\n",
            b"Subject: header only, with its end\r\n\r\n",
            b"\r\nno header at all\r\n",
            b"Subject: folded\r\n\tonce\r\n  twice\r\nX-Empty:\r\nX-8: \xe9\r\n\r\nbody\r\n",
            b"Received: from earlier.test\r\n\tby client.test; Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: kept\r\n\r\nbody\r\n",
            b"Subject: long\r\n\r\n" + b"x" * 998 + b"\r\n",
            b"Subject: " + b"y" * 900 + b"\r\n\r\nbody\r\n",
        ]
        client = self.connect()
        for content in contents:
            client.sendmail(self.sender, self.recipient(), content)
        found = self.provider.mailroom.expect(self.mark, len(contents))
        arrived = [delivery.content for delivery in found]
        self.assertEqual(len(contents), len(arrived))
        for content in contents:
            self.assertTrue(any(copy.endswith(content) for copy in arrived), content[:60])

    def test_the_received_field_is_the_only_octets_added(self):
        content = message("one field")
        self.connect().sendmail(self.sender, self.recipient(), content)
        (delivery,) = self.assert_delivered(content)
        _, fields = received_removed(delivery.content)
        self.assertEqual(2, len(fields), "one of the provider's, one of the relay's")
        self.assertIn(b"by relay.example.com", fields[1])
        self.assertIn(b"with ESMTPSA", fields[1])

    def test_smtputf8_addresses_and_headers(self):
        sender, recipient = "jörg@bücher.example", f"{self.mark}-θέλω@παράδειγμα.example"
        content = f"From: {sender}\r\nTo: {recipient}\r\nSubject: Grüße\r\n\r\nπάντα ῥεῖ\r\n".encode()
        self.connect().sendmail(sender, recipient, content, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assert_delivered(content, recipients=[recipient], sender=sender)

    def test_five_megabytes(self):
        content = message("large", lines_of(5 << 20))
        self.connect().sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_thirty_megabytes_stream_through(self):
        content = message("very large", lines_of(30 << 20))
        self.connect().sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content, seconds=60)

    def test_a_message_beyond_the_limit_is_refused_by_its_announced_size(self):
        with self.assertRaises(smtplib.SMTPSenderRefused) as refused:
            self.connect().sendmail(self.sender, self.recipient(), message("too large", lines_of(41 << 20)))
        self.assertEqual(552, refused.exception.smtp_code)
        self.assert_nothing_delivered()

    def test_a_hundred_recipients_are_one_message(self):
        content = message("hundred")
        recipients = [self.recipient(number) for number in range(100)]
        self.assertEqual({}, self.connect().sendmail(self.sender, recipients, content))
        self.assert_delivered(content, recipients=recipients)

    def test_recipients_beyond_the_limit_are_deferred_and_the_others_delivered(self):
        content = message("hundred and five")
        recipients = [self.recipient(number) for number in range(105)]
        refused = self.connect().sendmail(self.sender, recipients, content)
        self.assertEqual(sorted(recipients[100:]), sorted(refused))
        self.assertEqual({452}, {code for code, _ in refused.values()})
        self.assert_delivered(content, recipients=recipients[:100])

    def test_many_messages_on_one_connection(self):
        client = self.connect()
        contents = [message(f"number {number}", lines_of(100 * number)) for number in range(60)]
        for content in contents:
            client.sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(*contents)

    def test_the_session_goes_on_after_rset_noop_vrfy_and_help(self):
        client = self.connect()
        self.assertEqual(250, client.mail(self.sender)[0])
        self.assertEqual(250, client.rcpt(self.recipient())[0])
        self.assertEqual(250, client.rset()[0])
        self.assertEqual(250, client.noop()[0])
        self.assertEqual(252, client.verify(self.recipient())[0])
        self.assertIn(client.docmd("HELP")[0], (211, 214))
        self.assertEqual(503, client.docmd("DATA")[0])
        content = message("after RSET")
        client.sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_bdat_in_pieces(self):
        content = message("chunks", DOTS + lines_of(3000))
        client = self.connect()
        self.assertTrue(client.has_extn("chunking"))
        client.mail(self.sender)
        client.rcpt(self.recipient())
        pieces = [content[:1], content[1:700], content[700:]]
        for number, piece in enumerate(pieces):
            last = " LAST" if number == 2 else ""
            client.send(f"BDAT {len(piece)}{last}\r\n".encode() + piece)
            self.assertEqual(250, client.getreply()[0])
        self.assert_delivered(content)

    def test_a_bare_line_feed_is_refused_and_smuggles_nothing(self):
        client = self.connect()
        client.mail(self.sender)
        client.rcpt(self.recipient())
        self.assertEqual(354, client.docmd("DATA")[0])
        client.send(b"Subject: one\r\n\r\nbody\n.\nMAIL FROM:<app@example.com>\r\n.\r\n")
        self.assertEqual(550, client.getreply()[0])
        self.assertEqual(250, client.noop()[0])
        self.assert_nothing_delivered()

    def test_a_connection_lost_within_the_content_delivers_nothing(self):
        client = self.connect()
        client.mail(self.sender)
        client.rcpt(self.recipient())
        self.assertEqual(354, client.docmd("DATA")[0])
        client.send(message("half", lines_of(600_000)))
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
        # The next message of the same account is answered, so the lost one is settled by then.
        content = message("whole")
        self.connect().sendmail(self.sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_the_providers_refusal_of_the_content_passes_through(self):
        rule = self.provider.gate.answer("END-OF-MESSAGE", self.mark, "REJECT 5.7.1 no such words here")
        self.addCleanup(self.provider.gate.forget, rule)
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.connect().sendmail(f"{self.mark}@example.com", self.recipient(), message("spam"))
        self.assertEqual(5, refused.exception.smtp_code // 100)
        self.assertIn(b"5.7.1", refused.exception.smtp_error)
        self.assertIn(b"no such words here", refused.exception.smtp_error)
        self.assert_nothing_delivered()

    def test_the_providers_deferral_passes_through_and_the_next_try_succeeds(self):
        content = message("later")
        sender = f"{self.mark}@example.com"
        client = self.connect()
        for stage, action in (("RCPT", "DEFER_IF_PERMIT 4.2.1 mailbox busy"), ("END-OF-MESSAGE", "DEFER 4.3.0 busy")):
            rule = self.provider.gate.answer(stage, self.mark, action)
            with self.assertRaises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as refused:
                client.sendmail(sender, self.recipient(), content)
            self.provider.gate.forget(rule)
            error = refused.exception
            code = error.smtp_code if isinstance(error, smtplib.SMTPDataError) else error.recipients[self.recipient()][0]
            self.assertEqual(4, code // 100)
        self.assert_nothing_delivered()
        client.sendmail(sender, self.recipient(), content)
        self.assert_delivered(content)

    def test_one_refused_recipient_among_three_is_told_and_the_retry_reaches_the_others(self):
        content = message("three")
        recipients = [self.recipient(number) for number in range(3)]
        rule = self.provider.gate.answer("RCPT", recipients[1], "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        client = self.connect()
        with self.assertRaises(smtplib.SMTPDataError) as deferred:
            client.sendmail(self.sender, recipients, content)
        self.assertEqual(451, deferred.exception.smtp_code)
        self.assertIn(recipients[1].encode(), deferred.exception.smtp_error)
        self.assert_nothing_delivered()
        refused = client.sendmail(self.sender, recipients, content)
        self.assertEqual([recipients[1]], list(refused))
        self.assertEqual(550, refused[recipients[1]][0])
        self.assertIn(b"nobody of that name", refused[recipients[1]][1])
        self.assert_delivered(content, recipients=[recipients[0], recipients[2]])

    def test_a_listener_that_verifies_recipients_answers_at_rcpt(self):
        content = message("verified")
        recipients = [self.recipient(number) for number in range(3)]
        rule = self.provider.gate.answer("RCPT", recipients[1], "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        refused = self.connect(listener="asking").sendmail(self.sender, recipients, content)
        self.assertEqual([recipients[1]], list(refused))
        self.assert_delivered(content, recipients=[recipients[0], recipients[2]])
