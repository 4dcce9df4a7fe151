#!/usr/bin/python3
"""test_hooks.py BUILD_DIR [test ...] - what hooks are promised (include/zlazy/zlazy.h), in the tactics trap, zpoline and jump.

  Onion      the first named is outermost; each can look, change number, arguments and result, answer without the
             kernel, call next() twice or never; a changed number reaches the inner hooks that want the new one
  Fields     number, arguments, ABI, site, thread, result; wanted numbers only
  Dispatch   calls that the program's own Syscall User Dispatch stops reach no hook
  Signals    a call that a signal interrupts: next() says so once, what the hook then answers is ignored, and the call
             comes again, flagged; one that is not restarted answers EINTR; signal_pending()
  Registers  the default keeps everything whatever the hook does; general registers only saves nothing
  Libc       hooks may use stdio, malloc, errno, TLS, keys, threads, whatever the program's thread is, and whether it is
             cancelled; their own calls reach no hook
  Faults     of hook code are reported as that, and meet no handler of the program's
  Examples   count, deny, fake (clock: tests/test_vdso.py)

A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import errno
import os
import shutil
import signal
import struct
from collections import namedtuple

from agentcase import PYTHON, AgentCase, in_tactics, main

ROOM = 500000
READ, WRITE, CLOSE, DUP, GETPID, GETUID, GETGID, GETPPID, SIGRETURN = 0, 1, 3, 32, 39, 102, 104, 110, 15
INTERRUPTED = -0x7fffffffffffffff
AGAIN = 1
Record = namedtuple("Record", "number arg result site abi flags thread")


class HookCase(AgentCase):
    def caller(self, *words, hooks=()):
        """The lines that tests/hooked/caller prints."""
        done = self.run_program(self.build + "/tests/hooked/caller", *words, hooks=hooks)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def recorder(self, *numbers):
        """A setting for ZLAZY_HOOK; records() then answers what it has seen."""
        with open(self.path("records"), "wb") as file:
            file.truncate(64 + ROOM * 88)
        return self.hook("record", ",".join([self.path("records"), *map(str, numbers)]))

    def records(self):
        with open(self.path("records"), "rb") as file:
            data = file.read()
        count, = struct.unpack_from("<Q", data)
        self.assertLess(count, ROOM)
        for i in range(count):
            number, *arg, result, site, abi, flags, thread, _ = struct.unpack_from("<q6qqQIIii", data, 64 + 88 * i)
            yield Record(number, arg, result, site, abi, flags, thread)

    def seen(self, number):
        return [record for record in self.records() if record.number == number]


class Onion(HookCase):
    def test_first_named_is_outermost(self):
        hooks = [self.hook("onion", digit) for digit in ("1", "2", "3a")]
        self.assertEqual(self.caller("400,0", "400,4", hooks=hooks), ["123321", "4123" + "321"])

    def test_innermost_reaches_the_kernel(self):
        hooks = [self.hook("onion", "0"), self.hook("onion", "0")]
        self.assertEqual(self.caller("400", hooks=hooks), [str(-errno.ENOSYS * 100)])

    def test_sixteen_hooks(self):
        hooks = [self.hook("onion", "1") for _ in range(15)] + [self.hook("onion", "2a")]
        self.assertEqual(int(self.caller("400", hooks=hooks)[0]) % 2**64, int("1" * 15 + "22" + "1" * 15) % 2**64)

    def test_number_is_changed(self):
        self.assertEqual(self.caller("110", hooks=[self.hook("rewrite")]), [str(os.getuid() + 1000000)])

    def test_changed_number_meets_the_inner_hook(self):
        self.caller("110", "110", hooks=[self.hook("rewrite"), self.recorder(GETPPID, GETUID)])
        self.assertEqual([(r.number, r.result) for r in self.records()], [(GETUID, os.getuid())] * 2)

    def test_arguments_are_changed_and_registers_kept(self):
        self.assertEqual(self.caller("601,4,@abcdef", hooks=[self.hook("rewrite")]), ["abcd4"])

    def test_answer_without_the_kernel(self):
        inner = self.recorder()
        self.assertEqual(self.caller("600,1,2,3,4,5,6", hooks=[self.hook("rewrite"), inner]), ["123456"])
        self.assertEqual(self.seen(600), [])

    def test_next_twice(self):
        self.assertEqual(self.caller("102", hooks=[self.hook("rewrite"), self.recorder(GETUID)]), [str(os.getuid())])
        self.assertEqual([r.result for r in self.records()], [os.getuid()] * 3)

    def test_result_is_changed_outside_of_another_hook(self):
        self.caller("110", hooks=[self.recorder(GETPPID), self.hook("rewrite")])
        self.assertEqual([r.result for r in self.records()], [os.getuid() + 1000000])


class Fields(HookCase):
    def test_number_and_arguments(self):
        self.caller("700,1,2,3,4,5,6", "0x700000027,9", "0x8000000000000fff", hooks=[self.recorder()])
        records = {r.number: r for r in self.records()}
        self.assertEqual((records[700].arg, records[700].result), ([1, 2, 3, 4, 5, 6], -errno.ENOSYS))
        self.assertEqual(records[GETPID].arg[0], 9)
        self.assertIn(0xfff, records)

    def test_abi(self):
        if self.caller("i:20") == [str(-errno.ENOSYS)]:
            self.skipTest("no 32-bit calls in this kernel")
        self.caller("i:6,0xfffffffff,2,3,4,5", "39", hooks=[self.recorder()])
        i386 = [r for r in self.records() if r.abi == 1]
        self.assertEqual([(r.number, r.arg[:5], r.result) for r in i386], [(6, [0xffffffff, 2, 3, 4, 5], -errno.EBADF)])
        self.assertEqual([r.abi for r in self.seen(GETPID)], [0])

    def test_site(self):
        site = int(self.caller("site", "700", "700", hooks=[self.recorder()])[0], 16)
        self.assertEqual([r.site for r in self.seen(700)], [site] * 2)

    def test_next_changes_nothing(self):
        if self.caller("i:20") == [str(-errno.ENOSYS)]:
            self.skipTest("no 32-bit calls in this kernel")
        rows = self.caller("i:6,0x12345", "i:63,0x12345", "39", "3,-1", hooks=[self.hook("same")])
        self.assertEqual([rows[0], rows[1], rows[3]], [str(-errno.EBADF)] * 3)

    def test_thread(self):
        main_id, _, other_id = self.caller("tid", "701", "thread:tid", "thread:702", hooks=[self.recorder()])[:3]
        self.assertEqual([r.thread for r in self.seen(701)], [int(main_id)])
        self.assertNotIn(int(main_id), [r.thread for r in self.seen(702)])
        self.assertIn(int(other_id), [r.thread for r in self.records()])

    def test_wanted_numbers_only(self):
        self.caller("39", "102", "500", "600", "i:20", hooks=[self.recorder(GETPID, 500)])
        self.assertEqual([r.number for r in self.records()], [GETPID, 500])

    def test_children_are_hooked(self):
        done = self.run_program("sh", "-c", "(:); /bin/true; exit 3", hooks=[self.recorder()])
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        ends = self.seen(231)
        self.assertEqual(len({r.thread for r in ends}), 3)
        self.assertEqual({r.result for r in ends}, {0x7fffffffffffffff})   # next() did not come back


class Dispatch(HookCase):
    def test_calls_that_the_program_dispatches_itself_reach_no_hook(self):
        done = self.run_program(self.guest("sud_own"), hooks=[self.recorder()])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "10 calls dispatched\n", ""))
        self.assertEqual(len(self.seen(GETUID)), 2 * 12)   # of 34: 22 by its own site, 10 of them dispatched
        self.assertFalse([record for record in self.seen(GETUID) if record.result >= 5000])


class Signals(HookCase):
    def reads_of_sig_restart(self, *hooks):
        """Ten rounds of: a read that is interrupted and goes on, one that isn't restarted."""
        done = self.run_program(self.guest("sig_restart"), hooks=hooks)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "10 restarted, 10 interrupted\n", ""))
        ends = self.seen(231)
        reads = [r for r in self.seen(READ) if r.thread == ends[-1].thread and r.arg[2] == 1]
        return reads[-29:]   # the first handler may come before the first read sleeps

    def test_interrupted_call_comes_again_flagged(self):
        reads = self.reads_of_sig_restart(self.recorder())
        rows = [(r.result, r.flags & AGAIN) for r in reads]
        self.assertEqual(rows[-3:], [(INTERRUPTED, 0), (1, AGAIN), (-errno.EINTR, 0)])
        self.assertEqual(rows[2:], [(INTERRUPTED, 0), (1, AGAIN), (-errno.EINTR, 0)] * 9)

    def test_interrupted_call_comes_again_flagged_to_a_hook_of_this_number(self):
        reads = self.reads_of_sig_restart(self.recorder(READ, 231))
        self.assertEqual([(r.result, r.flags & AGAIN) for r in reads[-3:]],
                         [(INTERRUPTED, 0), (1, AGAIN), (-errno.EINTR, 0)])

    def test_answer_after_an_interruption_is_ignored(self):
        reads = self.reads_of_sig_restart(self.recorder(), self.hook("rewrite"))
        self.assertIn(12345, [r.result for r in reads])

    def test_counted_once(self):
        counters = self.path("counters")
        done = self.run_program(self.guest("sig_restart"), hooks=[self.hook("count", counters), self.recorder()])
        self.assertEqual(done.returncode, 0)
        with open(counters, "rb") as file:
            counted = memoryview(file.read()).cast("Q")[READ]
        again = [r for r in self.seen(READ) if r.result == INTERRUPTED]
        self.assertEqual(counted, len(self.seen(READ)) - len(again))

    def expect_guest(self, name, hook, output=""):
        done = self.run_program(self.guest(name), hooks=[hook])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, output, ""))

    def test_exit(self):
        self.expect_guest("sig_exit_timer", self.hook("slow", "300"), "20 exits\n")

    def test_return_of_a_handler(self):
        self.expect_guest("sig_return_race", self.hook("slow", "20"))

    def test_in_an_exec_that_fails(self):
        self.expect_guest("sig_exec_fails", self.hook("late", "59"),
                          "".join(f"{i}: 1 times, value {i + 1}\n" for i in range(6)) + "values in order: 123\n")

    def test_signal_pending(self):
        rows = self.caller("alarm", "602", "alarms", "39", hooks=[self.hook("rewrite")])
        self.assertEqual(rows[:2], ["1", "1"])   # it waits for the call, and has come when that returns


class Registers(HookCase):
    GUESTS = ("regs_vector", "regs_x87", "regs_flags", "regs_general")

    def test_default_keeps_everything(self):
        for name in self.GUESTS:
            with self.subTest(name=name):
                done = self.run_program(self.guest(name), hooks=[self.hook("clobber")])
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_child_after_a_saved_return_of_a_handler(self):
        done = self.run_program(self.guest("proc_child_vectors"), hooks=[self.hook("pass", str(SIGRETURN))])
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "fork: 0x100\n" * 2 + "clone: 0x100\n", ""))

    def test_default_holds_for_a_number_that_an_outer_hook_has_put_in(self):
        hooks = [self.hook("rewrite", str(GETPID)), self.hook("clobber", str(GETPID))]
        done = self.run_program(self.guest("regs_vector"), hooks=hooks)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_default_of_one_hook_is_enough(self):
        hooks = [self.hook("pass_general"), self.hook("clobber"), self.hook("pass_general")]
        done = self.run_program(self.guest("regs_vector"), hooks=hooks)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def expect_every_component(self, *hooks):
        """In every state, around every kind of call."""
        for name in ("vec_calls", "vec_signals", "vec_timer", "vec_children"):
            with self.subTest(name=name, hooks=hooks):
                done = self.run_program(self.guest(name), hooks=hooks)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_every_component_for_a_number_that_an_outer_hook_has_put_in(self):
        self.expect_every_component(self.hook("rewrite", str(GETGID)), self.hook("clobber", str(GETGID)))

    def test_every_component_with_hooks_of_both_kinds(self):
        self.expect_every_component(self.hook("pass_general"), self.hook("clobber"), self.hook("pass_general"))

    def test_every_component_with_two_hooks_that_use_all(self):
        self.expect_every_component(self.hook("clobber"), self.hook("noisy"), self.hook("clobber"))

    def test_general_only_saves_nothing(self):
        done = self.run_program(self.guest("regs_vector"), hooks=[self.hook("clobber", "general")])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\AFAIL sse: register \d+ changed in call 0\n")


class Libc(HookCase):
    def expect_quiet(self, *hooks):
        for words in ((self.guest("thr_many"),), (self.guest("proc_fork"),), (self.guest("sig_storm"),),
                      (PYTHON, "-c", "import subprocess; subprocess.run(['true'], check=True)")):
            with self.subTest(words=words):
                native = self.run_program(*words, variables={"LD_PRELOAD": None, "ZLAZY_TACTIC": None,
                                                             "ZLAZY_QUIET": None})
                done = self.run_program(*words, hooks=hooks)
                self.assertEqual((done.returncode, done.stdout, done.stderr[-200:]), (native.returncode, native.stdout, ""))

    def test_noisy(self):
        self.expect_quiet(self.hook("noisy"))

    def test_own_calls_reach_no_hook(self):
        self.expect_quiet(self.recorder(), self.hook("noisy"))
        self.assertNotIn(-1, [r.arg[0] for r in self.seen(CLOSE)])   # noisy closes -1 in each call

    def expect_native(self, name, *hooks):
        native = self.run_program(self.guest(name), variables={"LD_PRELOAD": None, "ZLAZY_TACTIC": None})
        done = self.run_program(self.guest(name), hooks=hooks)
        self.assertEqual((native.returncode, done.returncode, done.stdout, done.stderr), (0, 0, native.stdout, ""))

    def test_keys_and_variables(self):
        self.expect_native("thr_keys", self.hook("keys"))

    def test_program_forks(self):
        """Handlers of pthread_atfork() run, once each, and locks are free in the children of threads."""
        for name in ("proc_fork_threads", "proc_fork_stacks"):
            for hook in ("noisy", "atfork"):
                with self.subTest(guest=name, hook=hook):
                    self.expect_native(name, self.hook(hook))
        code = ("import os; print(os.getppid(), flush=True); child = os.fork()\n"
                "if child: os.wait()\n"
                "print(os.getppid())")
        done = self.run_program(PYTHON, "-c", code, hooks=[self.hook("atfork")])
        self.assertEqual((done.returncode, done.stdout.split(), done.stderr), (0, ["0", "101", "110"], ""))

    def test_cancelled_threads(self):
        self.expect_native("thr_cancel", self.hook("noisy"))

    def test_threads_without_a_thread_block(self):
        for hooks in ([self.hook("noisy")], [self.hook("general_tls")],
                      [self.hook("general_tls"), self.hook("noisy"), self.hook("general_tls")]):
            with self.subTest(hooks=hooks):
                self.expect_native("thr_no_tls", *hooks)
                self.expect_native("proc_clone_foreign", *hooks)

    def test_forker(self):
        done = self.run_program(PYTHON, "-c", "import os\nfor i in range(3000): os.getppid()\nprint('done')",
                                hooks=[self.hook("forker")])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "done\n", ""))


class Faults(HookCase):
    def test_reported(self):
        """handle: the program has handlers. SIGILL is the agent's where the program has threads, or a handler."""
        handlers = ("handle:11", "handle:4")
        for way, before in (("write", handlers), ("write", ()), ("call", handlers), ("call", ()), ("thread", handlers),
                            ("illegal", handlers)):
            for word in ("110", "thread:110"):
                with self.subTest(way=way, before=before, word=word):
                    done = self.run_program(self.build + "/tests/hooked/caller", *before, word,
                                            hooks=[self.hook("faulty", way)])
                    self.assertEqual((done.returncode, done.stdout), (-signal.SIGABRT, ""))
                    self.expect_one_line(done, "zlazy: fatal: a hook library faulted")


class Examples(HookCase):
    def test_fake(self):
        self.assertEqual(self.caller("39", "110,1", hooks=[self.hook("fake")])[0], "4242")
        self.assertEqual(self.caller("39", hooks=[self.hook("fake", "77")]), ["77"])

    def test_followed_with_two_preloads(self):
        done = self.run_program(self.guest("proc_exec_preloads"), hooks=[self.hook("fake")])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "child: same process\n", ""))

    def test_two_libraries(self):
        shutil.copy(self.hook("fake"), self.path("other.so"))
        self.assertEqual(self.caller("39", hooks=[self.hook("fake", "1"), self.path("other.so:2")]), ["1"])
        self.assertEqual(self.caller("39", hooks=[self.path("other.so:2"), self.hook("fake", "1")]), ["2"])

    def test_deny(self):
        deny = self.hook("deny", "getuid=EPERM,getppid=13,dup=ENOSYS")
        self.assertEqual(self.caller("102", "110", "32,1", hooks=[deny]), ["-1", "-13", "-38"])
        with open(self.path("file"), "w", encoding="utf-8"):
            pass
        done = self.run_program("rm", "file", hooks=[self.hook("deny", "unlink=EPERM,unlinkat=EPERM")])
        self.assertEqual(done.returncode, 1)
        self.assertIn("Operation not permitted", done.stderr)
        self.assertTrue(os.path.exists(self.path("file")))

    def test_count_at_exit(self):
        done = self.run_program(self.build + "/tests/hooked/caller", "400", "400", "400", "700", "39",
                                hooks=[self.hook("count")])
        rows = dict((row.split(" ")[1], row.split(" ")[-1]) for row in done.stderr.splitlines())
        self.assertTrue(all(row.startswith("zlazy: ") for row in done.stderr.splitlines()), done.stderr)
        self.assertEqual((rows["400"], rows["512"], rows["39"], rows["231"]), ("3", "1", "1", "1"))

    def test_count_in_a_file(self):
        script = "import os, signal\nfor i in range(1000): os.getppid()\nos.kill(os.getpid(), 9)"
        done = self.run_program(PYTHON, "-c", script, hooks=[self.hook("count", self.path("counters"))])
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGKILL, ""))
        with open(self.path("counters"), "rb") as file:
            counters = memoryview(file.read()).cast("Q")
        self.assertEqual((len(counters), counters[GETPPID], counters[62]), (513, 1000, 1))


# Everything again by rewriting, where that is possible.
in_tactics(globals(), Onion, Fields, Dispatch, Signals, Registers, Libc, Faults, Examples)

if __name__ == "__main__":
    del HookCase
    main("__main__")
