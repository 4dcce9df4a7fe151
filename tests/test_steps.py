#!/usr/bin/python3
"""Does the account of scripts/test tell the truth? scripts/steps.py on commands whose outcome is known.

- the closing line is taken; so are CMocka's and unittest's; without any, the exit status counts as one test
- a bad exit status, a command that ran nothing, one that hangs and one that is not run at all are failures
- skips keep their reason; 77 is a skip
- a stopped command leaves no process behind
- a bench over a limit of memory fails, over one of time only with --check or --margin
- a run of the loop program whose answer, site or count is not what was to be measured is found out
"""
import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "scripts"), os.path.join(ROOT, "bench")]
import harness
import loops
import steps


def run(script, seconds=20, left=100, skip=None):
    with contextlib.redirect_stdout(io.StringIO()):
        return steps.run_step(steps.Step("it", ["sh", "-c", script], seconds, skip), left)


def figures(result):
    return result.passed, result.failed, result.skipped


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return ") Z " not in file.read()
    except OSError:
        return False


class Counting(unittest.TestCase):
    def check(self, script, expected):
        self.assertEqual(figures(run(script)), expected)

    def test_closing_line(self):
        self.check("echo '3 passed, 0 failed, 2 skipped'", (3, 0, 2))
        self.check("echo '3 passed, 1 failed, 2 skipped'; exit 1", (3, 1, 2))

    def test_closing_line_with_bad_status(self):
        self.check("echo '3 passed, 0 failed, 0 skipped'; exit 1", (3, 1, 0))
        self.check("echo '3 passed, 0 failed, 0 skipped'; kill -SEGV $$", (3, 1, 0))

    def test_nothing_run(self):
        self.check("echo '0 passed, 0 failed, 0 skipped'", (0, 1, 0))

    def test_exit_status(self):
        self.check("true", (1, 0, 0))
        self.check("exit 2", (0, 1, 0))
        self.check("echo why not; exit 77", (0, 0, 1))

    def test_cmocka(self):
        self.check("echo '[==========] 5 test(s) run.'; echo '[  PASSED  ] 4 test(s).';"
                   "echo '[  SKIPPED ] 1 test(s), listed below:'", (4, 0, 1))
        self.check("echo '[  PASSED  ] 4 test(s).'; echo '[  FAILED  ] 1 test(s), listed below:'; exit 1", (4, 1, 0))

    def test_unittest(self):
        self.check("printf 'Ran 7 tests in 0.1s\\n\\nOK (skipped=2)\\n'", (5, 0, 2))
        self.check("printf 'Ran 7 tests in 0.1s\\n\\nFAILED (failures=1, errors=2)\\n'; exit 1", (4, 3, 0))


class Reasons(unittest.TestCase):
    def test_skip_keeps_reason(self):
        self.assertEqual(run("", skip="no such thing").lines, ["SKIP it: no such thing"])
        self.assertIn("why not", run("echo why not; exit 77").lines[0])
        self.assertEqual(run("echo 'SKIP a: b'; echo '1 passed, 0 failed, 1 skipped'").lines, ["SKIP a: b"])

    def test_silent_failure_is_named(self):
        self.assertEqual(run("echo last words; exit 3").lines, ["FAIL it: exit status 3: last words"])

    def test_no_time_left(self):
        self.assertEqual(figures(run("true", left=0)), (0, 1, 0))

    def test_report_ends_with_total(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = steps.report([steps.Result("a", 2, 0, 1, ["SKIP a: b"]), steps.Result("c", 1, 1, 0, ["FAIL c"])])
        self.assertEqual((status, out.getvalue().splitlines()[-1]), (1, "3 passed, 1 failed, 1 skipped"))
        self.assertIn("SKIP a: b", out.getvalue())


class Stopping(unittest.TestCase):
    def test_hanging_command(self):
        began = time.monotonic()
        result = run("echo started; sleep 100 & echo $!; wait", seconds=1)
        self.assertEqual(figures(result), (0, 1, 0))
        self.assertLess(time.monotonic() - began, 15)
        child = int(result.lines[0].split()[-1])
        time.sleep(0.2)
        self.assertFalse(lives(child))


class Benches(unittest.TestCase):
    def fails(self, measured, limit, check=False, margin=None, **more):
        report = harness.Report("it", argparse.Namespace(rounds=1, json=None, check=check, margin=margin))
        report.limit("what", [measured], limit, **more)
        return bool(report.failures)

    def test_memory_always_counts(self):
        self.assertTrue(self.fails(1025, 1024, steady=True, margin=3))
        self.assertFalse(self.fails(1024, 1024, steady=True, check=True))

    def test_time_counts_when_asked(self):
        self.assertFalse(self.fails(1.3, 1.2))
        self.assertTrue(self.fails(1.3, 1.2, check=True))
        self.assertFalse(self.fails(3.5, 1.2, margin=3))
        self.assertTrue(self.fails(3.7, 1.2, margin=3))
        self.assertFalse(self.fails(0.5, 0.97, at_least=True, margin=3))
        self.assertTrue(self.fails(0.3, 0.97, at_least=True, margin=3))

    def test_run_that_measured_something_else(self):
        hooked = loops.Variant("hooked", "syscall", loops.GETPID, "answer", loops.REWRITTEN_SITE, is_counted=True)
        native = loops.Variant("native", "syscall", loops.GETPID, "pid")
        loops.check_run(hooked, 100, 7, "ffd0", 50, 50)
        loops.check_run(native, 100, 100, "0f05", 50, loops.ENOSYS)
        for wrong in ((hooked, 100, 100, "ffd0", 50, 50), (hooked, 100, 7, "0f05", 50, 50),
                      (hooked, 100, 7, "ffd0", 50, 49), (hooked, 100, 7, "ffd0", 50, loops.ENOSYS),
                      (native, 100, 7, "0f05", 50, loops.ENOSYS), (native, 100, 100, "ffd0", 50, loops.ENOSYS),
                      (native, 100, 100, "0f05", 50, 50)):
            with self.assertRaises(loops.Failed):
                loops.check_run(*wrong)

    def test_agent_that_does_something_else(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program")
            with open(program, "w", encoding="ascii") as file:
                file.write("#!/bin/sh\necho \"$SAID\" >&2\n")
            os.chmod(program, 0o755)

            def check(said, **settings):
                environment = {"PATH": os.environ["PATH"], "ZLAZY_QUIET": "1", "SAID": said, **settings}
                loops.check_start(program, loops.Variant("it", "syscall", loops.GETPID, "pid", environment=environment))

            check("", ZLAZY_SLED="no agent")
            said = "zlazy: it: tactic zpoline (ZLAZY_TACTIC=zpoline), short sled, all registers kept (xsavec 0x7)"
            right = {"ZLAZY_TACTIC": "zpoline", "ZLAZY_SLED": "short", "ZLAZY_VECTORS": "xsavec"}
            check(said, **right)
            for wrong in ("", said.replace("short", "jump"), said.replace("xsavec", "by component"),
                          said.replace("tactic zpoline", "tactic jump")):
                with self.assertRaises(loops.Failed):
                    check(wrong, **right)


if __name__ == "__main__":
    unittest.main()
