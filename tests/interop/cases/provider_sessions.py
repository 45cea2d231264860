"""Pooled sessions against a real Postfix: reused, ended by the provider, and found again, without a client noticing."""

import threading
import time

from bench.content import message
from bench.relay import mailbox
from cases.provider_bytes import UpstreamCase


class ProviderSessions(UpstreamCase):
    """How many sessions carried the mail is what the provider's Postfix counted."""

    def test_thirty_messages_take_one_session_and_one_login(self):
        contents = [message(f"number {number}") for number in range(30)]
        self.send("single", *contents[:10])
        for content in contents[10:]:
            self.send("single", content)
        self.assert_delivered(*contents)
        (session,) = self.sessions("starttls")
        self.assertEqual((1, 30, 30), (session["auth"], session["mail"], session["bdat"]))
        self.assertEqual(1, self.provider.identity.issued.count(mailbox("single")))

    def test_twenty_clients_share_the_accounts_four_sessions(self):
        contents = [message(f"number {number}") for number in range(60)]
        threads = [threading.Thread(target=self.send, args=("oauthbearer", *contents[start::20])) for start in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_delivered(*contents)
        counted = self.sessions("starttls")
        self.assertLessEqual(len(counted), 4)
        self.assertEqual(60, sum(session["mail"] for session in counted))

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

    def test_a_provider_that_hangs_up_after_three_errors_is_asked_on_the_next_session(self):
        rule = self.provider.gate.answer("RCPT", f"{self.mark}-9", "550 5.1.1 nobody of that name")
        self.addCleanup(self.provider.gate.forget, rule)
        contents = [message(f"number {number}") for number in range(4)]
        for round_number, content in enumerate(contents):
            for number in range(3):
                code, text = self.refusal("strict", recipients=[self.recipient(f"9-{round_number}-{number}")])
                self.assertEqual((550, True), (code, b"nobody of that name" in text), text)
            self.send("strict", content)
        self.assert_delivered(*contents)
