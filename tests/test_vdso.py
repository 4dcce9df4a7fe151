#!/usr/bin/python3
"""test_vdso.py BUILD_DIR [test ...] - ZLAZY_VDSO=hook, in the tactics trap, zpoline and jump.

  Counts     each call of a vDSO function, by its address or by libc, in threads and in children of fork, vfork and exec, is
             seen once by a hook; also where the vDSO was sealed, moved or left untold of before the program started; none
             is seen without the setting
  Answers    of a hook reach the caller; of getrandom's query for its state; guests that move or seal the vDSO themselves
  Notices    one line where /proc/self/mem or the vDSO can't be had, and the program runs; nothing else is said
  Clock      examples/clock.so: date, python3 and java live in another time; every way to wait takes as long as the
             program asked for, by its own clock; programs that it executes agree with it
  Settings   what clock.so refuses is in tests/test_startup.py

The vDSO is changed by tests/without/vdso. A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import errno
import math
import shutil
import subprocess
import time

import common
from agentcase import PYTHON, AgentCase, in_tactics, main

GETTIMEOFDAY, TIME, CLOCK_GETTIME, CLOCK_GETRES, GETCPU, GETRANDOM = 96, 201, 228, 229, 309, 318
# What tests/hooked/vdso.c makes of each in one round: by address, and by libc where it asks the vDSO.
PER_ROUND = {GETTIMEOFDAY: 2, TIME: 1, CLOCK_GETTIME: 2, CLOCK_GETRES: 2, GETCPU: 1, GETRANDOM: 1}
PLACES = 5   # main thread, another, fork, vfork, exec
DAY = 86400
JAVA = """
public class Clock {
    public static void main(String[] words) throws Exception {
        long wall = System.currentTimeMillis(), start = System.nanoTime();
        Thread.sleep(Long.parseLong(words[0]));
        synchronized (words) { words.wait(Long.parseLong(words[0])); }
        System.out.println(wall + " " + (System.nanoTime() - start) / 1000000 + " " + (System.currentTimeMillis() - wall));
    }
}
"""


class VdsoCase(AgentCase):
    def settings(self, *hooks, **more):
        return {"ZLAZY_TACTIC": self.tactic, "ZLAZY_VDSO": "hook", "ZLAZY_QUIET": "1", "ZLAZY_HOOK": ";".join(hooks),
                "LD_PRELOAD": self.build + "/libzlazy.so", **more}

    def program(self, name):
        return f"{self.build}/tests/hooked/{name}"

    def run_changed(self, how, *words, variables):
        """With another vDSO from the program's first instruction on."""
        launcher = [self.build + "/tests/without/vdso", how, *[f"{name}={value}" for name, value in variables.items()], "--"]
        done = subprocess.run([*launcher, *words], cwd=self.directory, env=common.clean_environment(), text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        return done

    def counted(self, run):
        """What run(hook) made a hook count, by number."""
        path = common.make_counters(self.path("counters"))
        done = run(self.hook("count", path))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        with open(path, "rb") as file:
            return memoryview(file.read()).cast("Q")

    def has_getrandom(self):
        done = subprocess.run([self.program("vdso"), "query"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        return done.returncode != 77


class Counts(VdsoCase):
    ROUNDS = 40

    def expect_counted(self, run, places):
        """run(rounds, hook): the difference between no rounds and some is what the rounds make."""
        none, some = (self.counted(lambda hook, n=n: run(str(n), hook)) for n in (0, self.ROUNDS))
        expected = {number: times * self.ROUNDS * places for number, times in PER_ROUND.items()
                    if number != GETRANDOM or self.has_getrandom()}
        self.assertEqual({number: some[number] - none[number] for number in expected}, expected)

    def test_every_call_everywhere(self):
        self.expect_counted(lambda n, hook: self.run_program(self.program("vdso"), n, hooks=[hook],
                                                             variables={"ZLAZY_VDSO": "hook"}), PLACES)

    def test_changed_before_the_start(self):
        for how in ("sealed", "moved", "absent"):
            with self.subTest(how=how):
                self.expect_counted(lambda n, hook, how=how: self.run_changed(
                    how, self.program("vdso"), n, "last", variables=self.settings(hook)), 1)

    def test_launcher_changes_it(self):
        for how, place in (("sealed", "told"), ("moved", "told"), ("absent", "untold"), ("other", "wrong")):
            with self.subTest(how=how):
                done = self.run_changed(how, self.program("vdso"), "place", variables={})
                self.assertEqual((done.returncode, done.stdout), (0, place + "\n"))

    def test_off(self):
        for value in (None, "off"):
            counters = self.counted(lambda hook, value=value: self.run_program(
                self.program("vdso"), "40", "last", hooks=[hook], variables={"ZLAZY_VDSO": value}))
            self.assertEqual((counters[CLOCK_GETTIME], counters[TIME], counters[GETCPU]), (0, 0, 0))

    def test_native_count(self):
        """strace sees the calls that the hook has counted"""
        if not shutil.which("strace"):
            self.skipTest("no strace")
        done = self.run_program("strace", "-f", "-c", "-U", "name,calls", "-e", "trace=getcpu,time", "-o", self.path("table"),
                                "env", *[f"{name}={value}" for name, value in self.settings().items()], self.program("vdso"),
                                "30", "last", variables={"LD_PRELOAD": None, "ZLAZY_TACTIC": None, "ZLAZY_QUIET": None})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.path("table"), encoding="utf-8") as file:
            rows = dict(row.split()[:2] for row in file if row.startswith(("getcpu", "time")))
        self.assertEqual(rows, {"getcpu": "30", "time": "30"})


class Answers(VdsoCase):
    def test_of_a_hook(self):
        script = "import time\ntry: time.clock_getres(1)\nexcept OSError as error: print(error.errno)"
        done = self.run_program(PYTHON, "-I", "-S", "-c", script, hooks=[self.hook("deny", "clock_getres=EXDEV")],
                                variables={"ZLAZY_VDSO": "hook"})
        self.assertEqual((done.stdout, done.stderr), (f"{errno.EXDEV}\n", ""))

    def test_query_of_getrandom(self):
        if not self.has_getrandom():
            self.skipTest("no __vdso_getrandom in this kernel")
        for value, answer in (("off", 0), ("hook", -errno.ENOSYS)):
            done = self.run_program(self.program("vdso"), "query", variables={"ZLAZY_VDSO": value})
            self.assertEqual((done.stdout, done.stderr), (f"{answer}\n", ""))

    def test_guests(self):
        for name in ("vdso_functions", "vdso_moved", "vdso_sealed", "vdso_unwind", "site_vdso"):
            for hook in ("none", "count", "clobber", "noisy"):
                with self.subTest(name=name, hook=hook):
                    native = self.run_program(self.guest(name), variables={"LD_PRELOAD": None})
                    if native.returncode == 77:
                        continue
                    argument = common.make_counters(self.path("counters")) if hook == "count" else None
                    done = self.run_program(self.guest(name), hooks=[self.hook(hook, argument)] if hook != "none" else [],
                                            variables={"ZLAZY_VDSO": "hook"})
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, native.stdout, ""))


class Notices(VdsoCase):
    def test_nothing_is_said(self):
        done = self.run_program("echo", "out", variables={"ZLAZY_VDSO": "hook", "ZLAZY_QUIET": None})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))
        done = self.run_changed("absent", "echo", "out", variables=self.settings(ZLAZY_QUIET="0"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))

    def test_no_memory_file(self):
        launcher = [self.build + "/tests/without/without", "proc-mem", "--"]
        done = self.run_program("sh", "-c", "date >/dev/null; echo out", before=launcher,
                                variables={"ZLAZY_VDSO": "hook", "ZLAZY_QUIET": None})
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        self.assertEqual((done.returncode, done.stdout), (0, "out\n"))
        self.expect_one_line(done, "the vDSO is not hooked", "/proc/self/mem can't be opened", "clock_gettime")

    def test_something_else_in_its_place(self):
        done = self.run_changed("other", self.program("vdso"), "place", variables=self.settings(ZLAZY_QUIET="0"))
        self.assertEqual((done.returncode, done.stdout), (0, "wrong\n"))
        self.expect_one_line(done, "the vDSO is not hooked", "is no vDSO")


class Clock(VdsoCase):
    SCALE = 10

    def run_clock(self, *words, shift=DAY, scale=SCALE, **more):
        done = self.run_program(*words, hooks=[self.hook("clock", f"shift={shift},scale={scale}")],
                                variables={"ZLAZY_VDSO": "hook"}, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def expect_shifted(self, seconds, before, shift=DAY):
        """seconds: what a program said, with shift but without scale, since time.time() was before."""
        self.assertGreaterEqual(seconds, math.floor(before + shift))
        self.assertLessEqual(seconds, time.time() + shift)

    def test_date(self):
        for shift in (DAY, -100 * DAY, 0.5):
            before = time.time()
            self.expect_shifted(int(self.run_clock("date", "+%s", shift=shift, scale=1)), before, shift)

    def test_date_is_scaled(self):
        first, second = map(float, self.run_clock("sh", "-c", "date +%s.%N; sleep 5; date +%s.%N").split())
        self.assertGreaterEqual(second - first, 5)
        self.assertLess(second - first, 5 + 2 * self.SCALE)   # unscaled it is 5 * SCALE

    def test_python(self):
        before = time.time()
        script = "import time, datetime; print(int(time.time()), int(datetime.datetime.now().timestamp()))"
        for seconds in self.run_clock(PYTHON, "-I", "-c", script, scale=1).split():
            self.expect_shifted(int(seconds), before)
        script = ("import time, threading; wall, start = time.time(), time.monotonic(); time.sleep(3);"
                  "threading.Event().wait(3); print(time.monotonic() - start, time.time() - wall)")
        started = time.monotonic()
        for elapsed in map(float, self.run_clock(PYTHON, "-I", "-c", script).split()):
            self.assertGreaterEqual(elapsed, 5.99)
            self.assertLess(elapsed, 20)
        self.assertLess(time.monotonic() - started, 5)

    def test_java(self):
        if not shutil.which("java") or not shutil.which("javac"):
            self.skipTest("no java")
        with open(self.path("Clock.java"), "w", encoding="utf-8") as file:
            file.write(JAVA)
        subprocess.run(["javac", "Clock.java"], cwd=self.directory, env=common.clean_environment(), check=True, timeout=60)
        before = time.time()
        words = self.run_clock("java", "-Xshare:auto", "-cp", ".", "Clock", "2000").split()
        self.assertGreaterEqual(int(words[0]) / 1000, before + DAY - 1)
        self.assertLess(int(words[0]) / 1000, before + DAY + self.SCALE * (time.time() - before))
        for elapsed in map(int, words[1:]):
            self.assertGreaterEqual(elapsed, 3990)
            self.assertLess(elapsed, 4000 * self.SCALE / 2)

    def test_every_way_to_wait(self):
        native = [row.split()[0] for row in self.run_program(
            self.program("clock"), "waits", "1", variables={"LD_PRELOAD": None}).stdout.splitlines()]
        for scale, ms in ((self.SCALE, 1000), (0.5, 40)):
            rows = [row.split() for row in self.run_clock(self.program("clock"), "waits", str(ms), scale=scale).splitlines()]
            self.assertEqual([row[0] for row in rows], native)
            for name, *took in rows:
                with self.subTest(name=name, scale=scale):
                    for elapsed in map(int, took):
                        self.assertGreaterEqual(elapsed, ms - 1)
                        if scale > 1:   # unscaled it is ms * SCALE
                            self.assertLess(elapsed, ms * scale * 0.6)

    def test_what_is_left(self):
        for row in self.run_clock(self.program("clock"), "left", "6000").splitlines():
            name, left = row.split()
            with self.subTest(name=name):
                self.assertLessEqual(int(left), 6000)
                self.assertGreater(int(left), 660)   # unscaled it is less than a tenth

    def test_executed_programs_agree(self):
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        rows = [tuple(map(int, row.split())) for row in self.run_clock(self.program("clock"), "agree", "4").splitlines()]
        after = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows, sorted(rows))
        for (wall, monotonic), (next_wall, next_monotonic) in zip(rows, rows[1:]):
            self.assertAlmostEqual(next_wall - wall, next_monotonic - monotonic, delta=20000000)
        self.assertGreater(rows[-1][1] - rows[0][1], 0)
        self.assertLess(rows[-1][1], (before + (after - before) * self.SCALE) * 10**9)

    def test_wrong_pointers(self):
        """are answered by the kernel, not by a fault in the hook"""
        caller = self.program("caller")
        words = ("228,1,{}", "96,{},0", "201,{}", "35,{},0", "230,1,0,{},0", "202,0,0,0,{}", "23,0,0,0,0,{}",
                 "271,0,0,{},0,0", "38,0,{},0", "286,-1,0,{},0", "36,0,{}")
        words = [word.format(0x2000) for word in words]   # not in page zero, which may be readable
        native = self.run_program(caller, *words, variables={"LD_PRELOAD": None})
        self.assertEqual(self.run_clock(caller, *words), native.stdout)


# Everything again by rewriting, where that is possible.
in_tactics(globals(), Counts, Answers, Notices, Clock)

if __name__ == "__main__":
    del VdsoCase
    main("__main__")
