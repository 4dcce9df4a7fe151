#!/usr/bin/python3
"""test_blocking.py BUILD_DIR [test ...] - signals to a program whose thread is in a hook that blocks by itself

The hook `blocks` waits in read() on a pipe, sleeps, or loops, as the test tells it; in the main thread and in a second
one; in the tactics trap, zpoline and jump.

  Default    a signal whose default action ends the program does so at once, as its status; of the agent's own (SIGSYS,
             SIGSEGV...), too; SIGKILL; those ignored do nothing
  Jobs       SIGTSTP, SIGSTOP, SIGTTIN stop it at once, SIGCONT goes on, in the hook
  Handled    the handler waits for the hook to return; signal_pending() tells; the call comes again, flagged, after the
             handler. Meanwhile a signal with default action still ends the program

A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import os
import resource
import select
import signal
import subprocess
import time

import common
from agentcase import PYTHON, AgentCase, in_tactics, main

GETPPID = "110"
SOON = 20   # seconds that are as good as never
MOST_SECONDS = 60   # of processor time for one program
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1, signal.SIGPIPE,
          signal.SIGRTMIN, signal.SIGKILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGFPE)
AGENTS = (signal.SIGSYS, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL)
WAYS = ("read", "sleep", "loop")


class Blocked:
    """A program whose call is in the hook. Ends with the block."""

    def __init__(self, case, way, words):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        hook = case.hook("blocks", f"{commands},{answers}")
        environment = common.clean_environment(ZLAZY_TACTIC=case.tactic, ZLAZY_QUIET="1", ZLAZY_HOOK=hook,
                                               LD_PRELOAD=case.build + "/libzlazy.so")
        # a process group of its own, but not orphaned: it may be stopped
        self.process = subprocess.Popen([case.build + "/tests/hooked/caller", *words], env=environment, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        pass_fds=(commands, answers), process_group=0)
        os.close(commands)
        os.close(answers)
        self.case = case
        # a loop does not outlive the test, should that be killed
        resource.prlimit(self.process.pid, resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        self.way = way

    def __enter__(self):
        try:
            self.expect("b")
            if self.way != "read":
                self.ask(self.way[0], self.way[0])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.commands)
        os.close(self.answers)

    def expect(self, answer):
        ready = select.select([self.answers], [], [], SOON)[0]
        self.case.assertEqual(os.read(self.answers, 1).decode() if ready else "nothing", answer)

    def ask(self, command, answer):
        os.write(self.commands, command.encode())
        self.expect(answer)

    def thread(self):
        """The one in the hook: the second, if there is one."""
        ids = [int(name) for name in os.listdir(f"/proc/{self.process.pid}/task")]
        return next((number for number in ids if number != self.process.pid), self.process.pid)

    def send(self, number):
        """To that thread."""
        words = [str(self.process.pid), str(self.thread()), str(int(number))]
        if subprocess.run([PYTHON, "-c", TGKILL, *words], check=False).returncode:
            self.case.fail("tgkill")

    def state(self):
        with open(f"/proc/{self.process.pid}/task/{self.thread()}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]

    def status(self):
        return self.process.wait(timeout=SOON)

    def stopped_by(self):
        """The signal that stops it."""
        waited, until = None, time.monotonic() + SOON
        while not waited and time.monotonic() < until:
            waited = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG)
            time.sleep(0.001)
        return waited and waited.si_status

    def output(self):
        return self.process.communicate(timeout=SOON)[0].splitlines()


TGKILL = """
import ctypes, sys
sys.exit(ctypes.CDLL(None).syscall(ctypes.c_long(234), *(ctypes.c_long(int(word)) for word in sys.argv[1:])) != 0)
"""


class BlockingCase(AgentCase):
    word = GETPPID

    def blocked(self, way="read", *before):
        return Blocked(self, way, [*before, self.word])


class Default(BlockingCase):
    def expect_end(self, number, way, *before):
        with self.subTest(signal=number, way=way), self.blocked(way, *before) as program:
            program.process.send_signal(number)
            self.assertEqual(program.status(), -number)
            self.assertEqual(program.process.stderr.read(), "")

    def test_ends_at_once(self):
        for number in ENDING:
            self.expect_end(number, WAYS[number % len(WAYS)])
        for way in WAYS:
            self.expect_end(signal.SIGTERM, way)

    def test_agents_own_end_at_once(self):
        for number in AGENTS:
            for way in WAYS:
                self.expect_end(number, way)

    def test_sent_to_the_thread(self):
        for number in (signal.SIGTERM, *AGENTS):
            with self.subTest(signal=number), self.blocked("sleep") as program:
                program.send(number)
                self.assertEqual(program.status(), -number)

    def test_ignored(self):
        for number in (signal.SIGTERM, signal.SIGSEGV, signal.SIGSYS):
            with self.subTest(signal=number), self.blocked("read", f"ignore:{int(number)}") as program:
                program.send(number)
                program.send(signal.SIGURG)
                program.send(signal.SIGCHLD)
                program.ask("p", "0")
                program.ask("g", "g")
                self.assertEqual(program.output(), [str(os.getpid())])


class Jobs(BlockingCase):
    def test_stopped_at_once(self):
        for number in (signal.SIGTSTP, signal.SIGSTOP, signal.SIGTTIN):
            for way in WAYS:
                with self.subTest(signal=number, way=way), self.blocked(way) as program:
                    program.process.send_signal(number)
                    self.assertEqual(program.stopped_by(), number)
                    self.assertEqual(program.state(), "T")
                    program.process.send_signal(signal.SIGCONT)
                    self.assertEqual(os.waitid(os.P_PID, program.process.pid, os.WCONTINUED).si_code, os.CLD_CONTINUED)
                    if way == "read":
                        program.ask("p", "0")
                        program.ask("g", "g")
                        self.assertEqual((program.output(), program.process.returncode), ([str(os.getpid())], 0))
                    else:
                        program.process.send_signal(signal.SIGTERM)
                        self.assertEqual(program.status(), -signal.SIGTERM)

    def test_killed_while_stopped(self):
        with self.blocked("sleep") as program:
            program.process.send_signal(signal.SIGTSTP)
            self.assertEqual(program.stopped_by(), signal.SIGTSTP)
            program.process.kill()
            self.assertEqual(program.status(), -signal.SIGKILL)


class Handled(BlockingCase):
    def test_held_back_until_the_hook_returns(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGSYS):
            with self.subTest(signal=number), self.blocked("read", f"handle:{int(number)}") as program:
                program.ask("p", "0")
                program.send(number)
                program.ask("p", "1")
                program.ask("p", "1")
                self.assertEqual(select.select([program.process.stdout], [], [], 0)[0], [])
                program.ask("g", "g")
                program.expect("a")   # after the handler
                self.assertEqual(program.process.stdout.readline(), "signal %02d\n" % number)
                program.ask("p", "0")
                program.ask("g", "g")
                self.assertEqual((program.output(), program.process.returncode), ([str(os.getpid())], 0))

    def test_default_action_meanwhile(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT, *AGENTS):
            for way in WAYS:
                with self.subTest(signal=number, way=way), self.blocked(way, "handle:2") as program:
                    program.send(signal.SIGINT)
                    if way == "read":
                        program.ask("p", "1")
                    program.send(number)
                    self.assertEqual(program.status(), -number)
                    self.assertEqual(program.process.stdout.read(), "")

    def test_stopped_meanwhile(self):
        with self.blocked("read", "handle:2") as program:
            program.send(signal.SIGINT)
            program.ask("p", "1")
            program.process.send_signal(signal.SIGTSTP)
            self.assertEqual(program.stopped_by(), signal.SIGTSTP)
            program.process.send_signal(signal.SIGCONT)
            program.ask("p", "1")
            program.ask("g", "g")
            program.expect("a")
            program.ask("g", "g")
            self.assertEqual(program.output(), ["signal 02", str(os.getpid())])


# Everything again in a second thread, and by rewriting, where that is possible.
for case in (Default, Jobs, Handled):
    threaded = type(case.__name__ + "Thread", (case,), {"word": "thread:" + GETPPID})
    globals()[threaded.__name__] = threaded
    in_tactics(globals(), case, threaded)

if __name__ == "__main__":
    del BlockingCase, case, threaded
    main("__main__")
