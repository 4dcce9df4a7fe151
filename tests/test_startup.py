#!/usr/bin/python3
"""test_startup.py BUILD_DIR [test ...] - what the agent says and does when it can't start as it was told to.

  Hooks      missing file, not a library, no init function, another ABI, init that fails, no on_call, an undefined
             symbol, wrong arguments of the examples, too many hooks
  Variables  unknown ZLAZY_ variable, bad value of each, unknown option of the command
             Both: one line of the agent's (after the hook's own, if it logs one), exit 127, program not started.
  Dispatch   a kernel without Syscall User Dispatch (EINVAL, EPERM): ZLAZY_ON_ERROR decides
  PageZero   no CAP_SYS_RAWIO: auto runs, zpoline does not
  Barrier    no membarrier: threads are rewritten all the same
  Notices    once a run, to ZLAZY_LOG, none with ZLAZY_QUIET

Features are taken away by tests/without/without. A line for each failure and skip, then "N passed, N failed, ...".
"""
import os
import subprocess

import machine
from agentcase import AgentCase, main

LOUD = {"ZLAZY_QUIET": None}
START = ("touch", "started")


class Hooks(AgentCase):
    def expect_hook_refused(self, setting, *parts, own_lines=0):
        for policy in (None, "continue"):   # bad input stops the program, whatever the policy
            with self.subTest(hook=setting, policy=policy):
                done = self.run_program(*START, hooks=[setting], variables={"ZLAZY_ON_ERROR": policy})
                self.expect_refused(done, *parts, own_lines=own_lines)

    def test_missing_file(self):
        self.expect_hook_refused("/missing/hook.so", "/missing/hook.so", "No such file", "ZLAZY_HOOK")
        self.expect_hook_refused("no-such-hook.so:argument", "no-such-hook.so", "No such file")

    def test_not_a_library(self):
        with open(self.path("text.so"), "w", encoding="utf-8") as file:
            file.write("not a library, but long enough to be looked at as one\n" * 10)
        self.expect_hook_refused(self.path("text.so"), "text.so", "invalid ELF header")
        self.expect_hook_refused(self.directory, self.directory)
        os.close(os.open(self.path("empty.so"), os.O_CREAT | os.O_WRONLY))
        self.expect_hook_refused(self.path("empty.so"), "empty.so", "too short")

    def test_no_init_function(self):
        self.expect_hook_refused(self.hook("bad_no_init"), "bad_no_init.so", "zlazy_hook_init()", "zlazy.h")

    def test_another_abi(self):
        self.expect_hook_refused(self.hook("bad_abi"), "bad_abi.so")

    def test_init_fails(self):
        self.expect_hook_refused(self.hook("bad_init_fails"), "bad_init_fails.so", "zlazy_hook_init() failed", "argument")

    def test_no_on_call(self):
        self.expect_hook_refused(self.hook("bad_no_on_call"), "bad_no_on_call.so", "on_call")

    def test_undefined_symbol(self):
        self.expect_hook_refused(self.hook("bad_undefined"), "zlazy_test_nobody_defines_this")

    def test_second_of_two(self):
        self.expect_hook_refused(self.hook("pass") + ";/missing/hook.so", "/missing/hook.so")

    def test_wrong_arguments_of_the_examples(self):
        for name, argument, word in (("deny", "nothing=EPERM", "unknown system call"), ("deny", "unlink", "unlink"),
                                     ("deny", "unlink=ENOTHING", "unknown error"), ("deny", "unlink=0", "unknown error"),
                                     ("fake", "x", "not a process id"), ("fake", "-1", "not a process id"),
                                     ("count", "/missing/file", "cannot map")):
            self.expect_hook_refused(self.hook(name, argument), word, f"{name}.so", own_lines=1)

    def test_too_many(self):
        self.expect_hook_refused(";".join([self.hook("pass")] * 17), "too many", "16")

    def test_list_too_long(self):
        self.expect_hook_refused(self.hook("pass", "x" * 9000), "ZLAZY_HOOK", "8191")


class Variables(AgentCase):
    BAD = (("ZLAZY_NONSENSE", "1", "no such variable"), ("ZLAZY_", "1", "no such variable"),
           ("ZLAZY_HOOKS", "x", "no such variable"), ("ZLAZY_TACTIC", "fast", "auto, zpoline or trap"),
           ("ZLAZY_TACTIC", "", "auto, zpoline or trap"), ("ZLAZY_TACTIC", "trap ", "auto, zpoline or trap"),
           ("ZLAZY_ON_ERROR", "panic", "stop or continue"), ("ZLAZY_LOG", "", "name of a file"),
           ("ZLAZY_QUIET", "yes", "0 or 1"), ("ZLAZY_QUIET", "", "0 or 1"), ("ZLAZY_DEBUG", "10", "0 to 9"),
           ("ZLAZY_DEBUG", "much", "0 to 9"), ("ZLAZY_DEBUG", "-1", "0 to 9"), ("ZLAZY_SLED", "long", "jump or short"),
           ("ZLAZY_CHILD", "2", "ZLAZY_CHILD"), ("ZLAZY_STATS", "/dev/null", "ZLAZY_STATS"))

    def test_bad_value(self):
        for name, value, *parts in self.BAD:
            with self.subTest(name=name, value=value):
                self.expect_refused(self.run_program(*START, variables={name: value}), name, *parts)

    def test_long_value_is_still_one_line(self):
        self.expect_refused(self.run_program(*START, variables={"ZLAZY_TACTIC": "x" * 5000}), "ZLAZY_TACTIC")

    def test_file_that_is_no_counters_file(self):
        with open(self.path("file"), "wb") as file:
            file.truncate(10000000)
        self.expect_refused(self.run_program(*START, variables={"ZLAZY_STATS": self.path("file")}), "ZLAZY_STATS")

    def test_short_counters_file(self):
        for size in (0, 10, 5000):
            with self.subTest(size=size):
                with open(self.path("file"), "wb") as file:
                    file.truncate(size)
                self.expect_refused(self.run_program(*START, variables={"ZLAZY_STATS": self.path("file")}), "ZLAZY_STATS")

    def test_unknown_option_of_the_command(self):
        command = [self.build + "/zlazy", "--nonsense", *START]
        done = subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.expect_one_line(done, "--nonsense", "--help")
        self.assertFalse(os.path.exists(self.path("started")))


class WithoutCase(AgentCase):
    def run_without(self, feature, *words, **more):
        launcher = [self.build + "/tests/without/without", feature, "--"]
        done = self.run_program(*words, before=launcher, **{"variables": LOUD, **more})
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        return done


class Dispatch(WithoutCase):
    FEATURES = (("sud", "EINVAL", "Linux 5.11"), ("sud-eperm", "EPERM", "sandbox"))

    def test_stop(self):
        for feature, *parts in self.FEATURES:
            for policy in (None, "stop"):
                with self.subTest(feature=feature, policy=policy):
                    done = self.run_without(feature, *START, variables={**LOUD, "ZLAZY_ON_ERROR": policy})
                    self.expect_refused(done, "Syscall User Dispatch", *parts)

    def test_continue(self):
        for feature, *parts in self.FEATURES:
            with self.subTest(feature=feature):
                done = self.run_without(feature, "sh", "-c", "echo out; exit 3", hooks=[self.hook("fake")],
                                        variables={**LOUD, "ZLAZY_ON_ERROR": "continue"})
                self.assertEqual((done.returncode, done.stdout), (3, "out\n"))
                self.expect_one_line(done, "Syscall User Dispatch", "unhooked", *parts)

    def test_continue_is_unhooked(self):
        done = self.run_without("sud", self.build + "/tests/hooked/caller", "39", hooks=[self.hook("fake", "7")],
                                variables={"ZLAZY_ON_ERROR": "continue"})
        self.assertNotEqual(done.stdout, "7\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_continue_says_it_once_a_run(self):
        done = self.run_without("sud", "bash", "-c", "true; /bin/true; exit 3",
                                variables={**LOUD, "ZLAZY_ON_ERROR": "continue"})
        self.assertEqual(done.returncode, 3)
        self.expect_one_line(done, "unhooked")

    def test_no_debris_when_it_continues(self):
        script = "grep -c libzlazy /proc/self/maps >/dev/null; grep -E 'Sig(Blk|Cgt)' /proc/self/status"
        native = self.run_program("sh", "-c", script, variables={"LD_PRELOAD": None})
        done = self.run_without("sud", "sh", "-c", script, variables={"ZLAZY_ON_ERROR": "continue"})
        self.assertEqual(done.stdout, native.stdout)


class PageZero(WithoutCase):
    tactic = "auto"

    def test_auto_traps_and_says_why(self):
        done = self.run_without("page-zero", self.build + "/tests/hooked/caller", "39", hooks=[self.hook("fake", "7")])
        self.assertEqual((done.returncode, done.stdout), (0, "7\n"))
        self.expect_one_line(done, "page zero is not used", "CAP_SYS_RAWIO", "mmap_min_addr", "trap path")

    def test_zpoline_stops(self):
        done = self.run_without("page-zero", *START, variables={**LOUD, "ZLAZY_TACTIC": "zpoline"})
        self.expect_refused(done, "CAP_SYS_RAWIO", "mmap_min_addr", "use ZLAZY_TACTIC=auto")

    def test_zpoline_stops_whatever_the_policy(self):
        done = self.run_without("page-zero", *START, variables={"ZLAZY_TACTIC": "zpoline", "ZLAZY_ON_ERROR": "continue"})
        self.expect_refused(done, "page zero")

    def test_trap_says_nothing(self):
        done = self.run_without("page-zero", "echo", "out", variables={**LOUD, "ZLAZY_TACTIC": "trap"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))

    def test_zpoline_in_use(self):
        """a page zero that is there already: the agent of this very machine, or none"""
        if machine.why_no_zpoline():
            self.skipTest(machine.why_no_zpoline())
        done = self.run_program("echo", "out", variables={**LOUD, "ZLAZY_TACTIC": "zpoline"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))


class Barrier(WithoutCase):
    tactic = "zpoline"

    def test_threads_are_rewritten(self):
        for name in ("jit_threads", "thr_many", "site_offsets"):
            with self.subTest(name=name):
                native = self.run_program(self.guest(name), variables={"LD_PRELOAD": None})
                done = self.run_without("membarrier", self.guest(name))
                self.assertEqual((done.returncode, done.stdout, done.stderr), (native.returncode, native.stdout, ""))


class Notices(WithoutCase):
    tactic = "auto"
    WORDS = ("bash", "-c", "true; /bin/true; exec /bin/true")

    def test_once_a_run(self):
        done = self.run_without("page-zero", *self.WORDS)
        self.assertEqual(done.returncode, 0)
        self.expect_one_line(done, "page zero is not used")

    def test_log_file(self):
        done = self.run_without("page-zero", *self.WORDS, variables={**LOUD, "ZLAZY_LOG": self.path("log")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertRegex(file.read(), r"\Azlazy: page zero is not used[^\n]+\n\Z")

    def test_log_file_is_relative_to_the_start(self):
        script = "cd /; /bin/true; ls -d / >/dev/null"
        done = self.run_without("page-zero", "bash", "-c", script, variables={**LOUD, "ZLAZY_LOG": "log"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(os.listdir(self.directory), ["log"])

    def test_quiet(self):
        done = self.run_without("page-zero", *self.WORDS, variables={"ZLAZY_QUIET": "1"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_quiet_keeps_errors(self):
        done = self.run_program(*START, variables={"ZLAZY_QUIET": "1", "ZLAZY_TACTIC": "x"})
        self.expect_refused(done)

    def test_error_goes_to_both(self):
        done = self.run_program(*START, variables={"ZLAZY_LOG": self.path("log"), "ZLAZY_SLED": "x"})
        self.expect_refused(done, "ZLAZY_SLED")
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stderr)

    def test_log_that_cannot_be_written(self):
        done = self.run_without("page-zero", "echo", "out", variables={**LOUD, "ZLAZY_LOG": "/missing/log"})
        self.assertEqual((done.returncode, done.stdout), (0, "out\n"))


if __name__ == "__main__":
    del WithoutCase
    main("__main__")
