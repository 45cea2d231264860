"""What `posthouse demo` prints to be tried by hand, tried by hand: the swaks line as it stands."""

import re
import shlex
import signal

from bench import world
from bench.case import Case
from bench.machine import command, wait_until


class Demonstration(Case):
    """The first thing that a newcomer copies works."""

    needs = ("swaks",)

    def test_the_printed_swaks_line_sends_a_message_and_interrupting_ends_the_demonstration(self):
        printed = world.machine().directory / "demonstration"
        process = world.machine().start([self.relay.binary, "demo"], printed)
        line = wait_until(lambda: self.swaks_line(printed.read_text()), "the demonstration prints no swaks line", 60)
        session = command(*shlex.split(line)).stdout
        self.assertRegex(session, r"<~  250 [^\n]*\n ~> QUIT")
        process.send_signal(signal.SIGINT)
        self.assertEqual(0, process.wait(20))

    def swaks_line(self, printed):
        """The line with its continuation, once all of it is there."""
        found = re.search(r"^\s*(swaks (?:[^\n]*\\\n)*[^\n]*)\n", printed, re.MULTILINE)
        return found and found.group(1).replace("\\\n", " ")
