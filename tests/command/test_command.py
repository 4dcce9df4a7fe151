#!/usr/bin/python3
"""test_command.py BUILD_DIR - the zlazy command: options, bad input, set-up, signals, job control, reports.

Cases, by class:
  Options      --help, --version, `--`, and that the program's own options are left alone
  BadInput     every wrong option, value and file gives one line and 127, and starts nothing
  Targets      programs that can't be run or can't be hooked
  Environment  LD_PRELOAD and the ZLAZY_ variables
  Ending       exit status, death by a signal, nothing left behind
  Signals      passed on once; the terminal's not doubled; stop and continue
  Reports      -c has the columns of strace -c -w; --stats; -o
  Agent        the same with the real agent and the examples (skipped without build/libzlazy.so)
  Sites        the list of refused sites of --stats, with the real agent

A line for each failure and skip; the last one is "N passed, N failed, N skipped". Exit status 1 if any failed.
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
from cases_input import BadInput, Environment, Options, Targets   # noqa: E402,F401
from cases_report import Agent, Reports   # noqa: E402,F401
from cases_running import Ending, Signals   # noqa: E402,F401
from cases_sites import Sites   # noqa: E402,F401
from closing import close   # noqa: E402
from ordinary import ordinary_signals   # noqa: E402
from support import set_up, tear_down   # noqa: E402


def main():
    ordinary_signals()
    if len(sys.argv) < 2:
        sys.exit('usage: test_command.py BUILD_DIR [test ...]')
    set_up(sys.argv[1])
    try:
        program = unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False, verbosity=1)
    finally:
        tear_down()
    sys.exit(close(program.result))


if __name__ == '__main__':
    main()
