#!/usr/bin/python3
"""test_core.py BUILD_DIR [test ...] - a program that dies of SIGSEGV by default action leaves the core that it leaves natively

Same wait status, the bit "core dumped" included; same signal, si_code and address in the core; and gdb finds the
program's functions there, from the gate out through `call *%rax` (a signal that a call sends), and from the program's
own code (a write through NULL).
"""
import glob
import os
import re
import resource
import shutil
import subprocess
import tempfile

import common
from agentcase import AgentCase, main

LAYERS = ("innermost", "middle", "outer", "main")
SIGINFO = ("$_siginfo.si_signo", "$_siginfo.si_code", "$_siginfo._sifields._sigfault.si_addr")


class Trap(AgentCase):
    def setUp(self):
        super().setUp()
        with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
            pattern = file.read().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"cores go elsewhere: {pattern}")
        if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
            self.skipTest("the hard limit forbids cores")
        if not shutil.which("gdb"):
            self.skipTest("no gdb here")

    def die(self, way, variables):
        """Returns the wait status and the core file."""
        folder = tempfile.mkdtemp(dir=self.directory)
        environment = common.clean_environment(GUEST_WAY=way, **variables)
        child = os.fork()
        if child == 0:
            try:
                os.chdir(folder)
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.execve(self.guest("sig_core_dies"), ["sig_core_dies"], environment)
            finally:
                os._exit(99)
        status = os.waitpid(child, 0)[1]
        return status, (glob.glob(folder + "/*core*") or [None])[0]

    def ask(self, core):
        """What gdb says: functions, innermost first, and the siginfo."""
        orders = [word for text in ("backtrace", *(f"print/d {field}" for field in SIGINFO)) for word in ("-ex", text)]
        done = subprocess.run(["gdb", "-q", "-nx", "-batch", *orders, self.guest("sig_core_dies"), core], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        backtrace = done.stdout[done.stdout.rfind("#0 "):]   # gdb shows the innermost frame before, by itself
        functions = re.findall(r"^#\d+ +(?:0x\w+ in )?([\w.]+) ?\(", backtrace, re.M)
        return functions, re.findall(r"^\$\d+ = (\S+)", done.stdout, re.M), done.stdout

    def try_way(self, way, hooks, fields):
        native_status, native_core = self.die(way, {})
        if native_core is None:
            self.skipTest("no core is written here, natively")
        layers = LAYERS if way == "call" else LAYERS[1:]
        for hook in hooks:
            with self.subTest(way=way, hook=hook):
                variables = {"LD_PRELOAD": self.build + "/libzlazy.so", "ZLAZY_TACTIC": self.tactic, "ZLAZY_QUIET": "1"}
                if hook:
                    variables["ZLAZY_HOOK"] = self.hook(hook)
                status, core = self.die(way, variables)
                self.assertEqual(status, native_status)
                self.assertTrue(os.WCOREDUMP(status) and core)
                functions, siginfo, text = self.ask(core)
                self.assertEqual([name for name in functions if name in LAYERS], list(layers), text)
                self.assertEqual(functions[-1], "main", text)
                self.assertEqual(siginfo[:fields], self.ask(native_core)[1][:fields])
                self.assertEqual(len(siginfo), len(SIGINFO), text)
                shutil.rmtree(os.path.dirname(core))

    def test_call(self):
        self.try_way("call", (None, "pass", "pass_general"), 2)   # natively, too, the address is the sender's id

    def test_write(self):
        self.try_way("write", (None, "pass"), 3)


class Zpoline(Trap):
    tactic = "zpoline"


class Jump(Trap):
    tactic = "jump"


if __name__ == "__main__":
    main("__main__")
