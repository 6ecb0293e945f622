# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Run all tests and print TAP."""
import os
import sys
import traceback
import unittest


class Tap(unittest.TestResult):
    """Print a line per test."""

    def _line(self, ok, test, reason=""):
        print(f"{ok} {self.testsRun} - {test.id()}{reason}", flush=True)

    @staticmethod
    def _trace(error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print("#", line)

    def addSuccess(self, test):
        self._line("ok", test)

    def addSkip(self, test, reason):
        self._line("ok", test, " # SKIP " + reason)

    def addError(self, test, err):
        self._trace(err)
        super().addError(test, err)
        self._line("not ok", test)

    def addFailure(self, test, err):
        self._trace(err)
        super().addFailure(test, err)
        self._line("not ok", test)


def main():
    """Return whether all passed."""
    print("TAP version 13")
    result = Tap()
    unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__))).run(result)
    print(f"1..{result.testsRun}")
    return result.testsRun and result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(not main())
