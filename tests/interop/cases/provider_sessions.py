"""Pooled sessions against a real Postfix: reused, ended by the provider, and found again, without a client noticing."""

import threading
import time

from bench.content import message
from bench.relay import mailbox
from cases.provider_bytes import UpstreamCase


class ProviderSessions(UpstreamCase):
    """How many sessions carried the mail is what the provider's Postfix counted."""

    def connections(self, route):
        """The smtpd processes' sessions in which this mailbox logged in, by the provider's log."""
        lines = self.provider.postfix.lines(f"client=.*sasl_username={mailbox(route)}")
        return len(lines)

    def test_thirty_messages_take_one_session_and_one_login(self):
        contents = [message(f"number {number}") for number in range(30)]
        self.send("single", *contents[:10])
        for content in contents[10:]:
            self.send("single", content)
        self.assert_delivered(*contents)
        self.assertEqual(0, self.relay.restart())
        self.assertEqual(1, self.provider.identity.issued.count(mailbox("single")))
        counted = [session for session in self.provider.postfix.conversations("starttls") if session.get("mail", 0) >= 30]
        self.assertEqual(1, len(counted), "one session with all the messages")
        self.assertEqual(1, counted[0]["auth"])

    def test_twenty_clients_share_the_accounts_four_sessions(self):
        contents = [message(f"number {number}") for number in range(60)]
        threads = [threading.Thread(target=self.send, args=("oauthbearer", *contents[start::20])) for start in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_delivered(*contents)

    def test_a_session_that_the_provider_ended_while_idle_costs_no_client_anything(self):
        contents = [message(f"number {number}") for number in range(3)]
        for content in contents:
            self.send("impatient", content)
            # Postfix says 421 after two silent seconds, and closes.
            time.sleep(2.6)
        self.assert_delivered(*contents)

    def test_a_provider_that_restarted_costs_no_client_anything(self):
        first, second = message("before"), message("after")
        self.send("restarted", first)
        self.provider.postfix.restart()
        self.send("restarted", second)
        self.assert_delivered(first, second)
