"""The base of every case: the shared servers, and the comparisons that cases make in the same words."""

import unittest

from bench import world
from bench.content import received_removed
from bench.machine import Missing, require


class Case(unittest.TestCase):
    """A case about one client, or about one habit of the provider."""

    # Commands without which the case is skipped.
    needs = ()
    maxDiff = 2000

    def setUp(self):
        try:
            require(*self.needs)
        except Missing as missing:
            self.skipTest(str(missing))
        self.relay = world.relay()
        self.provider = world.provider()
        self.mark = world.mark()
        self.sender = "app@example.com"

    def recipient(self, number=0):
        """An address that only this case uses."""
        return f"{self.mark}-{number}@example.org"

    def assert_delivered(self, *contents, recipients=None, sender=None, seconds=20.0):
        """Exactly these contents have reached the provider for this case, octet for octet; gives the deliveries."""
        found = self.provider.mailroom.expect(self.mark, len(contents), seconds)
        bodies = [received_removed(delivery.content)[0] for delivery in found]
        self.assertEqual(len(contents), len(bodies), "copies at the provider")
        for wanted in contents:
            self.assertIn(wanted, bodies, "a message's octets changed on the way")
            bodies.remove(wanted)
        for delivery in found:
            if recipients is not None:
                self.assertEqual(sorted(recipients), sorted(delivery.recipients))
            if sender is not None:
                self.assertEqual(sender, delivery.sender)
        return found

    def assert_nothing_delivered(self):
        """The provider has none of this case's mail, nor is any on its way from its queue."""
        self.assertEqual([], self.provider.postfix.queue(self.mark))
        self.assertEqual([], self.provider.mailroom.deliveries(self.mark))
