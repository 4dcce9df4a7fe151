#!/usr/bin/python3
"""test_warm.py BUILD_DIR [test ...] - after its warm-up a steady program traps no more, except where it has to

luajit, node, java and redis each do the same work over and over for TOTAL seconds (tests/inputs/steady.*), under
`zlazy -c --stats` in zpoline and jump. The counters are read while they run: after WARM seconds, and at the end. In
between nothing may trap but sites that were refused, threads that come past a mov that is a jump, and rt_sigreturn,
and those less than LIMITS of the calls; and, MOST_NEW times, a site on a path that is taken for the first time (a lock that was never contended, a buffer that had
not been full). The command's report is printed. java runs with explicit null checks where page zero is readable, that
is in zpoline without protection keys.
"""
import collections
import glob
import os
import shutil
import subprocess
import time

from agentcase import AgentCase, in_tactics, main
import common
import machine
import sessions

TOTAL, WARM = 10, 4
LEAST_CALLS = 1000   # in the time that is looked at
MOST_NEW = 4
MOST_LOST = 16   # several threads may meet at a new site
LIMITS = {"zpoline": 0.001, "jump": 0.03}   # part of the calls; there is not room for a jump everywhere
FIELDS = ("processes", "rewrites", "refused", "kept", "traps", "at_refused", "at_straight", "at_sigreturn", "lost_races",
          "calls")
Tally = collections.namedtuple("Tally", FIELDS)


class Warm(AgentCase):
    tactic = "zpoline"

    def setUp(self):
        super().setUp()
        self.environment = {**sessions.plain_environment(self.directory), "XDG_RUNTIME_DIR": self.directory}

    def need(self, *words):
        for word in words:
            if not shutil.which(word, path=sessions.PATH):
                self.skipTest(f"not installed: {word}")

    def take(self, name):
        shutil.copy(os.path.join(sessions.INPUTS, name), self.directory)

    def tally(self):
        """What the counters' file holds by now."""
        files = glob.glob(self.path("zlazy-*"))
        self.assertEqual(len(files), 1, "the command's file of counters")
        done = subprocess.run([self.build + "/tests/warm/tally", *files], capture_output=True, text=True, check=True)
        return Tally(*map(int, done.stdout.split()))

    def start(self, *words):
        command = [self.build + "/zlazy", "-c", "--stats", "--tactic", self.tactic, "-o", self.path("report"), "--",
                   *words]
        with open(self.path("output"), "wb") as output:
            process = subprocess.Popen(command, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()

    def judge(self, before, after):
        delta = Tally(*(b - a for a, b in zip(before, after)))
        with open(self.path("report"), encoding="utf-8", errors="replace") as file:
            report = file.read()
        print(f"{self.id()}: before {before}", f"then {delta}", report[report.find("processes "):], sep="\n",
              flush=True)
        first = delta.rewrites + delta.refused + delta.kept
        self.assertGreater(delta.calls, LEAST_CALLS, "the program has done nothing")
        self.assertLessEqual(first, MOST_NEW, "first calls of sites, though all was warm")
        allowed = delta.at_refused + delta.at_straight + delta.at_sigreturn
        self.assertLess(allowed, LIMITS[self.tactic] * delta.calls, "traps at refused sites, past a mov, and of rt_sigreturn")
        self.assertLessEqual(delta.lost_races, MOST_LOST, "traps at sites that another thread had rewritten")
        self.assertEqual(delta.traps - first - allowed - delta.lost_races, 0, "traps at sites that were known")

    def watch(self, process, status=0):
        """Two looks at a program that runs for TOTAL seconds."""
        time.sleep(WARM)
        before = self.tally()
        time.sleep(TOTAL - WARM - 1)
        after = self.tally()
        self.assertIsNone(process.poll(), "it has ended too early")
        process.wait(60)
        with open(self.path("output"), encoding="utf-8", errors="replace") as file:
            self.assertEqual((process.returncode, file.read()), (status, ""))
        self.judge(before, after)

    def test_luajit(self):
        self.need("luajit")
        self.take("steady.lua")
        self.watch(self.start("luajit", "steady.lua", str(TOTAL)))

    def test_node(self):
        self.need("node")
        self.take("steady.js")
        self.watch(self.start("node", "--expose-gc", "steady.js", str(TOTAL)))

    def test_java(self):
        self.need("java", "javac")
        self.take("Steady.java")
        subprocess.run(["javac", "Steady.java"], cwd=self.directory, env=self.environment, check=True)
        is_readable = self.tactic == "zpoline" and not machine.has_pku()
        checks = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-ImplicitNullChecks") if is_readable else ()
        self.watch(self.start("java", "-Xmx128m", *checks, "-cp", ".", "Steady", str(TOTAL)))

    def test_redis(self):
        self.need("redis-server", "redis-benchmark", "redis-cli")
        port = str(common.free_port())
        server = self.start("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--logfile", "log")
        end, looks, warm = time.monotonic() + TOTAL, [], time.monotonic() + WARM
        time.sleep(1)
        while time.monotonic() < end:
            subprocess.run(["redis-benchmark", "-p", port, "-n", "5000", "-c", "20", "-t", "set,get,incr,lpush", "-q"],
                           check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            if time.monotonic() > warm:
                looks.append(self.tally())
        subprocess.run(["redis-cli", "-p", port, "shutdown", "nosave"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(server.wait(60), 0)
        self.assertGreater(len(looks), 1, "too slow to look twice")
        self.judge(looks[0], looks[-1])


in_tactics(globals(), Warm, tactics=("jump",))

if __name__ == "__main__":
    main("__main__")
