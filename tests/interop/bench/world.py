"""What one run shares among its cases: the machine, the provider and the relay, each made when it is first asked for.

Invariant: what could not be made is asked for once; every later case that needs it is skipped with the same words.
"""

import itertools
import unittest

from bench.machine import Machine, Missing
from bench.provider import Provider
from bench.relay import Relay

_made = {}
_marks = itertools.count(1)


def machine():
    """The run's temporary directory and processes."""
    return _once("machine", Machine)


def provider():
    """The provider stand-in."""
    return _once("provider", lambda: Provider(machine()))


def relay():
    """The relay, with the provider upstream."""
    return _once("relay", lambda: Relay(machine(), provider()))


def close():
    """Ends everything that was made."""
    if "machine" in _made:
        _made["machine"].close()


def _once(name, make):
    if name not in _made:
        try:
            _made[name] = make()
        except Missing as missing:
            _made[name] = missing
    if isinstance(_made[name], Missing):
        raise unittest.SkipTest(str(_made[name]))
    return _made[name]


def mark():
    """A word for one case's addresses, by which its mail is told from every other's."""
    return f"m{next(_marks):04d}x"
