#!/usr/bin/python3
"""test_gs.py BUILD_DIR [test ...] - a program that changes gs by itself is found out at its next call

wrgsbase, a selector of the local descriptor table, to memory and to none: one line, and the end, in the tactics trap,
zpoline and jump. Nothing is written where gs then points when the call traps; when it was rewritten, no more than
docs/LIMITS.md says. A program that puts gs back in time goes on.
"""
import signal

from agentcase import AgentCase, in_tactics, main

SIZE = 4096
TARGET = 2048   # where the word at gs:16 points
LOST = "zlazy: fatal: the thread's block is lost: the program changed gs"


class Gs(AgentCase):
    may_change = frozenset()

    def change(self, *words):
        done = self.run_program(self.build + "/tests/hooked/gs", *words)
        if done.returncode == 77:
            self.skipTest("no wrgsbase or modify_ldt here")
        return done

    def expect_found_out(self, *words):
        done = self.change(*words)
        self.assertEqual((done.returncode, done.stdout), (-signal.SIGABRT, ""))
        self.expect_one_line(done, LOST)

    def expect_no_harm(self, how):
        with open(self.path("memory"), "wb") as file:
            file.write(bytes([0xa5]) * SIZE)
        self.expect_found_out(how, self.path("memory"))
        with open(self.path("memory"), "rb") as file:
            after = file.read()
        changed = {i for i in range(SIZE) if after[i] != 0xa5 and not 16 <= i < 24}
        self.assertLessEqual(changed, self.may_change)

    def test_base(self):
        self.expect_no_harm("base")

    def test_without_a_stack(self):
        self.expect_no_harm("no-stack")

    def test_wild(self):
        self.expect_found_out("wild")

    def test_local_descriptor(self):
        self.expect_found_out("ldt")

    def test_put_back(self):
        done = self.change("back")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "called\n", ""))


class GsRewritten(Gs):
    # r11; rflags, rax, rcx, rsp: trampoline/entry.S, begin_frame
    may_change = frozenset([*range(8), *(TARGET + field + i for field in (0, 8, 16, 40) for i in range(8))])


in_tactics(globals(), GsRewritten)
del GsRewritten

if __name__ == "__main__":
    main("__main__")
