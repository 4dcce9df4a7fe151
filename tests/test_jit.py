#!/usr/bin/python3
"""test_jit.py BUILD_DIR [test ...] - ZLAZY_JIT: which sites are rewritten where the program makes its code.

tests/hooked/code runs sites of three kinds (described in one word, described across two, bare) and tells how many of each
it finds rewritten. Under each setting its results are as natively, a hook counts each call, and the sums of `zlazy --stats`
agree with the bytes:

                                                  auto              patch                   trap
  Private  private memory that it can write       described         described               none
           memory that it can't write any more    all               all                     all
  Dual     a memfd with two views                 none              described, in one word  none
           and other processes that run it: forked before and after the sites are rewritten, or executed, under another
           tactic, too; they know a rewritten site by the number before it
  Jump     the tactic: private memory that it can't
           write any more                         none              described               none
           other memory                           none              none                    none
  Trap     the tactic: none

Bad values of the variable are in tests/test_startup.py. A line for each failure and skip, then "N passed, ...".
"""
import re
import subprocess

import common
from agentcase import AgentCase, main

GETPPID, GETPGRP, GETEGID = 110, 111, 108
SETTINGS = (None, "auto", "patch", "trap")
# Sites of each kind in tests/hooked/code.c, and how often each is called in a place.
DESCRIBED, ACROSS, BARE, ROUNDS = 16, 4, 3, 50
SITES = DESCRIBED + ACROSS + BARE
ALL, BY_MOV, IN_ONE_WORD, NONE = (DESCRIBED, ACROSS, BARE), (DESCRIBED, ACROSS, 0), (DESCRIBED, 0, 0), (0, 0, 0)
OPEN, SHARED = "in memory that the program can write", "in shared memory"


class JitCase(AgentCase):
    tactic = "zpoline"

    def run_code(self, how, setting, tactic=None):
        """What it says; the sums of --stats; the calls that the hook counts."""
        counters = common.make_counters(self.path("counters"))
        command = [self.build + "/zlazy", "--quiet", "--tactic", tactic or self.tactic, "--stats", "-o", self.path("report"),
                   "--hook", self.hook("count", counters), "--", self.build + "/tests/hooked/code", how]
        variables = {"ZLAZY_JIT": setting} if setting else {}
        done = subprocess.run(command, cwd=self.directory, env=common.clean_environment(**variables), text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        with open(self.path("report"), encoding="utf-8") as file:
            rows = (re.fullmatch(r" *(\S.*?) +(\d+)\n", line) for line in file)
            sums = {row[1]: int(row[2]) for row in rows if row}
        with open(counters, "rb") as file:
            counted = memoryview(file.read()).cast("Q")
        return done.stdout.splitlines(), sums, sum(counted[number] for number in (GETPPID, GETPGRP, GETEGID))

    def expect(self, how, places, rewritten, tactic=None):
        """rewritten: by setting, the sites of each kind. places: in which all sites are run."""
        native = subprocess.run([self.build + "/tests/hooked/code", how], env=common.clean_environment(), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        self.assertEqual(native, [f"{places * ROUNDS * SITES} calls", "rewritten: 0 0 0"])
        sums = {}
        for setting in SETTINGS:
            with self.subTest(how=how, setting=setting):
                kinds = rewritten[setting or "auto"]
                said, sums[setting], counted = self.run_code(how, setting, tactic)
                self.assertEqual(said, [native[0], "rewritten: %d %d %d" % kinds])
                self.assertEqual(counted, places * (ROUNDS * SITES + 3))   # it asks what the answers should be
        return sums

    def expect_sums(self, sums, rewritten, reason):
        """By setting, against the one that rewrites none of the program's own code."""
        base = sums["trap"]["sites rewritten"]
        for setting, its in sums.items():
            with self.subTest(setting=setting):
                number = sum(rewritten[setting or "auto"])
                self.assertEqual(its["sites rewritten"] - base, number)
                self.assertEqual(its.get(reason, 0), SITES - number)
                self.assertEqual(its.get("at sites not safe to rewrite", 0) - sums["patch"]["at sites not safe to rewrite"],
                                 (ROUNDS - 1) * (sum(rewritten["patch"]) - number))


class Private(JitCase):
    def test_writable(self):
        rewritten = {"auto": BY_MOV, "patch": BY_MOV, "trap": NONE}
        self.expect_sums(self.expect("private", 1, rewritten), rewritten, OPEN)

    def test_not_writable(self):
        sums = self.expect("fixed", 1, {"auto": ALL, "patch": ALL, "trap": ALL})
        for its in sums.values():
            self.assertEqual((its["sites rewritten"], its.get(OPEN), its.get(SHARED)),
                             (sums["trap"]["sites rewritten"], None, None))


class Dual(JitCase):
    REWRITTEN = {"auto": NONE, "patch": IN_ONE_WORD, "trap": NONE}

    def test_one_process(self):
        self.expect_sums(self.expect("dual", 1, self.REWRITTEN), self.REWRITTEN, SHARED)

    def test_shared_by_processes(self):
        self.expect("shared", 6, self.REWRITTEN)


class Trap(JitCase):
    tactic = "trap"
    FIXED = {"auto": NONE, "patch": NONE, "trap": NONE}

    def test_open_or_shared(self):
        for how, places in (("private", 1), ("dual", 1), ("shared", 6)):
            self.expect(how, places, {"auto": NONE, "patch": NONE, "trap": NONE})

    def test_not_writable(self):
        self.expect("fixed", 1, self.FIXED)


class Jump(Trap):
    tactic = "jump"
    FIXED = {"auto": NONE, "patch": BY_MOV, "trap": NONE}


if __name__ == "__main__":
    main("__main__")
