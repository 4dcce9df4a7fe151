#!/usr/bin/python3
"""test_faults.py BUILD_DIR [test ...] - what the agent asks of the kernel for itself fails (ZLAZY_FAULT)

Each call of the thin layer base/os.h, some of the first eight, and all of them: the program gives its native
output, and every call that it makes is hooked (by trap, where there is no other way); or the agent stops at start-up
with one clear line and 127. Tried in each tactic.

One program that generates code, makes threads and processes, opens a plugin and execs, with exact numbers of calls, is
run once for each call of each name that it really makes (`zlazy --stats` tells how many failed), and then with random
failures by seeds of this run's own, which are printed with a failure; FAULT_SEED=N repeats one.

Without AVX state, xsavec or xsave (ZLAZY_WITHOUT) the agent saves less, or in another way: a hook that writes what is
saved does the program no harm, and one that writes the rest does, which shows that it is away.

With ZLAZY_VDSO=hook the vDSO is hooked as a whole, or not at all, and then one line says so. The decoder is loaded all
the same, by ld.so.

The count hook tells what was hooked: a program that makes exactly 1000 calls of a number is seen to make them.
Without memory for it a new thread is answered EAGAIN, an execve ENOMEM, as the kernel itself may answer; so guests
that do not expect that are left out for `map` and `protect`. So are those that compare the maps: mprotect in the
place of /proc/self/mem leaves a private file mapping in pieces, as the kernel does not join them again. For `dup` the
guest that looks at the numbers of descriptors is: the agent's own stays low.
Needs a build with -DZLAZY_FAULT_INJECTION=ON (preset fault); all is skipped in any other.
"""
import os
import random
import re
import subprocess

import common
import machine
from agentcase import PYTHON, AgentCase, in_tactics, main

CALLS = ("map", "unmap", "protect", "open", "read", "write", "dup", "query", "barrier")
TIMES = ("1", "2", "3", "5", "8", "*")
GETPPID = 110
SCRIPT = ("import os, threading\n"
          "def work():\n    for i in range(200): os.getppid()\n"
          "threads = [threading.Thread(target=work) for i in range(4)]\n"
          "work()\nfor t in threads:\n    try: t.start(); t.join()\n    except RuntimeError: work()\n"
          "print('done', flush=True)\n"
          "if os.fork() == 0:\n    os._exit(7)\n"
          "os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n")
PLAIN = ("site_offsets", "site_shared_file", "proc_fork", "regs_general", "sig_handler_flags")
GUESTS = (*PLAIN, "jit_threads", "proc_exec_ways", "thr_many", "fd_close_range")
BARE = {"LD_PRELOAD": None, "ZLAZY_TACTIC": None, "ZLAZY_QUIET": None}


class FaultCase(AgentCase):
    @classmethod
    def setUpClass(cls):
        cls.native = {}
        done = subprocess.run(["env", "LD_PRELOAD=" + cls.build + "/libzlazy.so", "ZLAZY_FAULT=read:1", "ZLAZY_TACTIC=trap",
                               "true"], capture_output=True, text=True)
        cls.why_not = f"no fault injection in {cls.build}" if "no such variable" in done.stderr else None

    def setUp(self):
        if self.why_not:
            self.skipTest(self.why_not)
        super().setUp()

    def natively(self, name):
        if name not in self.native:
            done = self.run_program(self.guest(name), variables=BARE)
            self.native[name] = (done.returncode, done.stdout, done.stderr)
        return self.native[name]

    def expect_start_refused(self, done):
        self.expect_refused(done)   # one line that begins with "zlazy: cannot start: "
        self.assertRegex(done.stderr, r": .{10,}")

    def expect_hooked(self, fault):
        counters = self.path("counters")
        common.make_counters(counters)
        done = self.run_program(PYTHON, "-c", SCRIPT, hooks=[self.hook("count", counters)],
                                variables={"ZLAZY_FAULT": fault})
        if done.returncode == 127:
            self.expect_start_refused(done)
            return
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "done\n", ""))
        with open(counters, "rb") as file:
            self.assertEqual(memoryview(file.read()).cast("Q")[GETPPID], 1000)

    def expect_native(self, name, fault):
        native = self.natively(name)
        if native[0] == 77:
            return
        done = self.run_program(self.guest(name), variables={"ZLAZY_FAULT": fault})
        if done.returncode == 127 and native[0] != 127:
            self.expect_start_refused(done)
        else:
            self.assertEqual((done.returncode, done.stdout, done.stderr), native)

    @staticmethod
    def guests_for(call):
        if call in ("map", "protect"):
            return PLAIN
        return [name for name in GUESTS if call != "dup" or name != "fd_close_range"]

    def try_call(self, call):
        for times in TIMES:
            fault = f"{call}:{times}"
            with self.subTest(fault=fault):
                self.expect_hooked(fault)
            for name in self.guests_for(call):
                with self.subTest(fault=fault, guest=name):
                    self.expect_native(name, fault)


class Trap(FaultCase):
    tactic = "trap"


class Auto(FaultCase):
    tactic = "auto"


class Zpoline(FaultCase):
    tactic = "zpoline"


class Jump(FaultCase):
    tactic = "jump"


for case in (Trap, Auto, Zpoline, Jump):
    if case is Auto and machine.default_tactic() == "jump":   # the same path twice
        continue
    for name in CALLS:
        setattr(case, "test_" + name, lambda self, name=name: self.try_call(name))


class Vdso(FaultCase):
    """ZLAZY_VDSO=hook: all its calls are hooked, or none, and one line says so."""
    TIME, CALLS_MADE = 201, 25

    def try_fault(self, fault):
        counters = common.make_counters(self.path("counters"))
        done = self.run_program(f"{self.build}/tests/hooked/vdso", str(self.CALLS_MADE), "last",
                                hooks=[self.hook("count", counters)],
                                variables={"ZLAZY_FAULT": fault, "ZLAZY_VDSO": "hook", "ZLAZY_QUIET": None})
        if done.returncode == 127:
            self.expect_start_refused(done)
            return None
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        with open(counters, "rb") as file:
            counted = memoryview(file.read()).cast("Q")[self.TIME]
        self.assertIn(counted, (0, self.CALLS_MADE))
        self.assertEqual("the vDSO is not hooked: " in done.stderr, counted == 0, done.stderr)
        return counted

    def test_all_or_nothing(self):
        for call in CALLS:
            answers = set()
            for times in TIMES:
                with self.subTest(fault=f"{call}:{times}"):
                    answers.add(self.try_fault(f"{call}:{times}"))
            if call in ("open", "read", "write"):
                self.assertIn(0, answers)


class Mixture(FaultCase):
    """tests/guests/fault_mixture, which says how often it makes which calls."""
    RANDOM_RUNS, RATES = 12, (10, 30, 100, 300)
    MOST = 1000   # calls of one name in a process: far more than there are

    def run_mixture(self, fault):
        """How many calls failed; None if the program was not started."""
        counters = self.path("counters")
        common.make_counters(counters)
        done = subprocess.run([self.build + "/zlazy", "--quiet", "--tactic", self.tactic, "--stats", "-o", self.path("report"),
                               "--hook", self.hook("count", counters), self.guest("fault_mixture")],
                              env=common.clean_environment(ZLAZY_FAULT=fault), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=60)
        if done.returncode == 127:
            self.expect_start_refused(done)
            return None
        # a program that is exec'd may be refused as the first one may
        self.assertRegex(done.stderr, r"\A(zlazy: cannot start: [^\n]+\n)*\Z")
        self.assertEqual((done.returncode, done.stdout), self.natively("fault_mixture")[:2], done.stderr)
        self.expect_counts(counters, done.stdout)
        with open(self.path("report"), encoding="utf-8") as file:
            return sum(map(int, re.findall(r"(?m)^  made to fail +(\d+)$", file.read())))

    def expect_counts(self, counters, said):
        with open(counters, "rb") as file:
            counted = memoryview(file.read()).cast("Q")
        for number, times in re.findall(r"(\d+):(\d+)", said):
            self.assertEqual((int(number), counted[int(number)]), (int(number), int(times)))

    def test_each_call(self):
        for name in CALLS:
            for n in range(1, self.MOST):
                with self.subTest(fault=f"{name}:{n}"):
                    failed = self.run_mixture(f"{name}:{n}")
                if failed == 0:
                    break
            self.assertLess(n, self.MOST - 1, name)

    def test_every_call(self):
        for name in CALLS:
            with self.subTest(fault=f"{name}:*"):
                self.run_mixture(f"{name}:*")

    def random_runs(self, name, rate, wanted):
        """Until so many runs were not stopped at their start."""
        given = os.environ.get("FAULT_SEED")
        seeds = [int(given)] if given else [random.randrange(1 << 32) for _ in range(20 * wanted)]
        started = 0
        for seed in seeds:
            with self.subTest(fault=f"{name}:random={seed}/{rate}"):
                started += self.run_mixture(f"{name}:random={seed}/{rate}") is not None
            if started == wanted:
                break
        self.assertTrue(given or started > 0, f"{name}, one in {rate}: never started")

    def test_random(self):
        for rate in self.RATES:
            self.random_runs("all", rate, self.RANDOM_RUNS)

    def test_random_of_one_name(self):
        for name in CALLS:
            self.random_runs(name, 3, 3)


class Decoder(FaultCase):
    """What loading the decoder by itself asks of the kernel fails: then ld.so loads it (agent/bare.c)."""
    OPENS = 12   # more than there are up to then

    def test_is_there_all_the_same(self):
        by_linker = 0
        for call in ("open", "map", "protect", "read"):
            for n in range(1, self.OPENS):
                with self.subTest(fault=f"{call}:{n}"):
                    done = self.run_program("cat", "/proc/self/maps", variables={"ZLAZY_FAULT": f"{call}:{n}"})
                    if done.returncode == 127:
                        self.expect_start_refused(done)
                        continue
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    code = re.findall(r"(?m)^\S+ r-xp .*/(lib[cZ]\w*)\.so", done.stdout)
                    self.assertEqual(code.count("libZydis"), 1, done.stdout)
                    by_linker += code.count("libc") == 2
        self.assertGreaterEqual(by_linker, 6)


class Without(FaultCase):
    """The registers of hooks where the CPU, as the agent sees it, has less."""
    GUESTS = ("regs_vector", "regs_x87", "regs_flags", "proc_child_vectors", "sig_state", "sig_storm", "thr_many")
    ALL = ("vec_calls", "vec_signals", "vec_timer", "vec_children")   # of the whole CPU
    SAVED = {"avx512": "by component, of 0x7", "xgetbv": r"xsavec 0x\w+", "avx": "xsave 0x3", "xsavec": r"xsave 0x\w+",
             "xsave": "fxsave"}
    WIDE = ("regs_vector", "proc_child_vectors")   # they use AVX-512 where the CPU has it
    SAME = ("xgetbv", "xsavec")   # the same is saved, in another way

    def saved(self, feature):
        """What the agent says that it saves."""
        done = self.run_program("true", hooks=[self.hook("clobber")],
                                variables={"ZLAZY_WITHOUT": feature, "ZLAZY_DEBUG": "1", "ZLAZY_QUIET": None})
        return done.stderr

    def expect_away(self, feature):
        self.assertRegex(self.saved(feature), r"all registers kept \(%s\)\n\Z" % self.SAVED[feature])
        if feature in self.SAME:
            return
        if not machine.has("avx2"):
            self.skipTest("no AVX2 here: nothing shows that less is saved")
        done = self.run_program(self.guest("regs_vector"), hooks=[self.hook("clobber")],
                                variables={"ZLAZY_WITHOUT": feature})
        self.assertEqual(done.returncode, 1)
        lost = r"avx: 16 registers kept\nFAIL avx512\w*" if feature == "avx512" else "FAIL avx"
        self.assertRegex(done.stdout, rf"\Asse: 16 registers kept\n{lost}: register \d+ changed in call 0\n")

    def guests_of(self, feature):
        if feature == "avx512":
            return [name for name in self.GUESTS if name not in self.WIDE]
        return (*self.GUESTS, *(self.ALL if feature in self.SAME else ()))

    def try_without(self, feature, *arguments):
        self.assertRegex(self.saved(None), r"all registers kept \([\w ,]+\)\n\Z")
        for argument in arguments:
            for name in self.guests_of(feature):
                with self.subTest(hook=argument, guest=name):
                    done = self.run_program(self.guest(name), hooks=[self.hook("clobber", argument)],
                                            variables={"ZLAZY_WITHOUT": feature})
                    self.assertEqual((done.returncode, done.stdout, done.stderr), self.natively(name))
        self.expect_away(feature)

    def test_avx512(self):
        if not machine.has("avx512bw"):
            self.skipTest("no AVX-512 here")
        self.try_without("avx512", "sse")

    def test_xgetbv(self):
        if not machine.has("xgetbv1"):
            self.skipTest("this CPU does not tell what is in use")
        self.try_without("xgetbv", "sse", None)

    def test_avx(self):
        self.try_without("avx", "sse")

    def test_xsavec(self):
        self.try_without("xsavec", "sse", None)

    def test_xsave(self):
        self.try_without("xsave", "sse")


class Values(FaultCase):
    def test_bad_value(self):
        for value in ("", "map", "map:", "map:0", "map:x", "nothing:1", "map:-1", "all:", "all:0", "map:random", "map:random=",
                      "map:random=1", "map:random=1/", "map:random=1/0", "map:random=/2", "all:random=x/2", "map:1:2"):
            with self.subTest(value=value):
                done = self.run_program("touch", "started", variables={"ZLAZY_FAULT": value})
                self.expect_refused(done, "ZLAZY_FAULT")

    def test_bad_feature(self):
        for value in ("", "sse", "avx2", "avx,xsave"):
            with self.subTest(value=value):
                done = self.run_program("touch", "started", variables={"ZLAZY_WITHOUT": value})
                self.expect_refused(done, "ZLAZY_WITHOUT")


in_tactics(globals(), Vdso, Mixture, Decoder, Without)

if __name__ == "__main__":
    del FaultCase, Decoder, case
    main("__main__")
