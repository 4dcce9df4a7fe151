#!/usr/bin/python3
"""test_audit.py BUILD_DIR [test ...] - programs with an LD_AUDIT module (tests/hooked/audit.c), by trap, zpoline and jump.

  the program prints and answers what it does without the agent, and the module is told the same things, and of
  the agent's objects; its calls from inside the dynamic linker are hooked; also with a module that
  traces calls through the PLT, and with a hook that uses libc

A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import subprocess
from collections import Counter

import common
from agentcase import PYTHON, AgentCase, in_tactics, main
from test_hooks import HookCase

ENTERED, OPENED, CLOSED = 507, 508, 509
MODULES = ("audit", "audit_plt")


class Audit(HookCase):
    def variables(self, module, log):
        return {"LD_AUDIT": f"{self.build}/tests/hooked/{module}.so", "AUDIT_LOG": self.path(log)}

    def lines(self, log):
        with open(self.path(log), encoding="utf-8") as file:
            return file.read().splitlines()

    def program(self):
        return f"{self.build}/tests/hooked/audited", f"{self.build}/tests/guests/plugin.so"

    def natively(self, module, *words):
        environment = common.clean_environment(**self.variables(module, "native"))
        done = subprocess.run(words, cwd=self.directory, env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def compare(self, module, *words, hooks=()):
        for name in ("native", "hooked"):
            with open(self.path(name), "w", encoding="utf-8"):
                pass
        expected = self.natively(module, *words)
        done = self.run_program(*words, hooks=hooks, variables=self.variables(module, "hooked"))
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", expected))
        missing = Counter(self.lines("native")) - Counter(self.lines("hooked"))
        self.assertEqual(missing, Counter(), "what the module was not told")

    def test_program_runs_as_natively(self):
        for module in MODULES:
            for hook in ("", "pass", "clobber", "noisy"):
                with self.subTest(module=module, hook=hook):
                    self.compare(module, *self.program(), hooks=[self.hook(hook)] if hook else [])

    def test_guests(self):
        for module in MODULES:
            for guest in ("plugin_dlopen", "plugin_reuse", "life_dlclose", "null_call", "thr_tls", "proc_vfork"):
                with self.subTest(module=module, guest=guest):
                    self.compare(module, self.guest(guest))

    def test_programs(self):
        for words in ((PYTHON, "-I", "-c", "import ctypes, json; print(json.dumps(list(range(9))))"),
                      ("bash", "-c", "echo $(ls -d /usr) | cat")):
            with self.subTest(words=words):
                self.compare("audit", *words)

    def test_calls_of_the_module_are_hooked(self):
        hooks = [self.recorder(ENTERED, OPENED, CLOSED)]
        done = self.run_program(*self.program(), hooks=hooks, variables=self.variables("audit_plt", "hooked"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([record.arg[0] for record in self.seen(OPENED)], [1] * 5)
        self.assertEqual(sum(record.arg[0] for record in self.seen(CLOSED)), 5)
        self.assertEqual(len(self.seen(ENTERED)), 15)


in_tactics(globals(), Audit)

if __name__ == "__main__":
    del HookCase
    main("__main__")
