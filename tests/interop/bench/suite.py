"""Runs the cases and says how it went, one line per case and one to close with."""

import argparse
import sys
import unittest

from bench import world

MODULES = (
    "cases.python_client",
    "cases.swaks_client",
    "cases.curl_client",
    "cases.msmtp_client",
    "cases.postfix_client",
    "cases.dovecot_client",
    "cases.provider_bytes",
    "cases.provider_logins",
    "cases.provider_sessions",
    "cases.demonstration",
    "cases.secrets_kept",
)


class Result(unittest.TextTestResult):
    """Counts what passed, which unittest does not."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def getDescription(self, test):
        module, _, name = test.id().rpartition(".")
        return f"{module.split('.')[1]}: {name.removeprefix('test_').replace('_', ' ')}"


def _chosen(suite, words):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _chosen(test, words)
        elif not words or any(word in test.id() for word in words):
            yield test


def main():
    """Runs what the command line asks for; the status is 0 only where nothing failed."""
    arguments = argparse.ArgumentParser(prog="tests/interop/run")
    arguments.add_argument("-f", "--failfast", action="store_true", help="end at the first failure")
    arguments.add_argument("word", nargs="*", help="only cases whose name contains one of these")
    options = arguments.parse_args()
    loaded = unittest.defaultTestLoader.loadTestsFromNames(MODULES)
    suite = unittest.TestSuite(_chosen(loaded, options.word))
    runner = unittest.TextTestRunner(sys.stdout, verbosity=2, failfast=options.failfast, resultclass=Result)
    try:
        result = runner.run(suite)
    finally:
        world.close()
    failed = len(result.failures) + len(result.errors)
    print(f"\n{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    # A run that found no case has shown nothing.
    return 0 if failed == 0 and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
